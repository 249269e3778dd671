"""Sums over groups as bytes, and back."""

from __future__ import annotations

import zlib

import numpy as np
from msgspec import Struct

from mlops_ci.data.packing import PackedTotals, pack, pack_totals, unpack_totals
from mlops_ci.verdict.aggregates.grouped import MOST_ATOMS, Atoms, Column, Grouped, GroupSums


class _Column(Struct, frozen=True):
    totals: PackedTotals
    atoms: tuple[bytes, bytes] | None


class _Sums(Struct, frozen=True):
    columns: list[_Column]
    reach: list[float]


class PackedGrouped(Struct, frozen=True):
    groups: int
    rows: int
    largest: int
    sums: dict[str, _Sums]
    gaps: PackedTotals | None


def pack_grouped(found: Grouped) -> PackedGrouped:
    return PackedGrouped(
        found.groups,
        found.rows,
        found.largest,
        {
            name: _Sums([_pack(one) for one in sums.columns], list(sums.reach))
            for name, sums in sorted(found.sums.items())
        },
        None if found.gaps is None else pack_totals(found.gaps),
    )


def _pack(column: Column) -> _Column:
    atoms = column.atoms
    packed = None if atoms is None else (pack(atoms.values), pack(atoms.counts))
    return _Column(pack_totals(column.totals), packed)


def unpack_grouped(stored: PackedGrouped) -> Grouped:
    """Raises ValueError for what are no such sums."""
    return Grouped(
        stored.groups,
        stored.rows,
        stored.largest,
        {
            name: GroupSums(tuple(map(_unpack, sums.columns)), tuple(sums.reach))
            for name, sums in stored.sums.items()
        },
        None if stored.gaps is None else unpack_totals(stored.gaps),
    )


def _unpack(stored: _Column) -> Column:
    atoms = None
    if stored.atoms is not None:
        values, counts = (
            zlib.decompressobj().decompress(data, 8 * MOST_ATOMS) for data in stored.atoms
        )
        atoms = Atoms(np.frombuffer(values, np.float64), np.frombuffer(counts, np.int64))
    return Column(unpack_totals(stored.totals), atoms)
