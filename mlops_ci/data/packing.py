"""Arrays of counts as bytes, and back: no more of them than there may be."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from mlops_ci.verdict.aggregates.crowds import CountedAreas
from mlops_ci.verdict.aggregates.cube import CUTS, MOST, Cube
from mlops_ci.verdict.aggregates.sufficient import Question
from mlops_ci.verdict.aggregates.sums import Grid
from mlops_ci.verdict.aggregates.totals import Totals

FAST = 1  # zlib's level: most of a table is zeros


class PackedCube(Struct, frozen=True):
    columns: list[list[str]]
    places: bytes
    counts: bytes
    sums: bytes | None
    reach: float
    lost: bool


def pack(array: NDArray[Any]) -> bytes:
    return zlib.compress(np.ascontiguousarray(array).tobytes(), FAST)


def unpack(data: bytes, dtype: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    """Never more bytes than the shape says: a small file must not fill the memory."""
    size = int(np.prod([max(one, 0) for one in shape])) * np.dtype(dtype).itemsize
    unpacker = zlib.decompressobj()
    found = unpacker.decompress(data, size + 1)
    if len(found) != size:
        raise ValueError(f"a table of {size} bytes has {len(found)}")
    return np.frombuffer(found, dtype).reshape(shape).copy()


def pack_cube(cube: Cube) -> PackedCube:
    return PackedCube(
        [list(names) for names in cube.columns],
        pack(cube.places),
        pack(cube.counts),
        None if cube.sums is None else pack(cube.sums),
        cube.reach,
        cube.lost,
    )


def unpack_cube(asked: Question, stored: PackedCube) -> Cube:
    places = zlib.decompressobj().decompress(stored.places, MOST * 8)
    cells = len(places) // 8
    sums = None
    if stored.sums is not None:
        sums = unpack(stored.sums, np.int64, (2, cells, CUTS))
    if (sums is None) == (asked.task == "regression") and not stored.lost:
        raise ValueError("the changes of its losses are missing")
    return Cube(
        tuple(map(tuple, stored.columns)),
        unpack(stored.places, np.int64, (cells,)),
        unpack(stored.counts, np.int64, (cells, 3)),
        sums,
        stored.reach,
        stored.lost,
    )


class PackedTotals(Struct, frozen=True):
    """Whole numbers as text: they may be longer than 64 bits."""

    n: int
    low: list[float]
    high: list[float]
    summed: int
    sums: list[tuple[list[int], str, str]]


class PackedAreas(Struct, frozen=True):
    values: list[float]
    blur: list[float]
    placed: list[int]
    constant: list[bool]
    rarest: int
    moved: int
    totals: PackedTotals


def pack_areas(found: CountedAreas) -> PackedAreas:
    return PackedAreas(
        list(found.values),
        list(found.blur),
        list(found.placed),
        list(found.constant),
        found.rarest,
        found.moved,
        pack_totals(found.totals),
    )


def unpack_areas(stored: PackedAreas) -> CountedAreas:
    return CountedAreas(
        tuple(stored.values),
        tuple(stored.blur),
        tuple(stored.placed),
        tuple(stored.constant),
        stored.rarest,
        stored.moved,
        unpack_totals(stored.totals),
    )


def pack_totals(found: Totals) -> PackedTotals:
    sums = [(list(key), str(upper), str(lower)) for key, (upper, lower) in found.sums.items()]
    return PackedTotals(
        found.n, list(found.extent.low), list(found.extent.high), found.summed, sorted(sums)
    )


def unpack_totals(stored: PackedTotals) -> Totals:
    sums = {tuple(key): (int(upper), int(lower)) for key, upper, lower in stored.sums}
    return Totals(stored.n, Grid(tuple(stored.low), tuple(stored.high)), stored.summed, sums)
