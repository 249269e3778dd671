"""Rows that belong together (users, patients), wherever they lie in a file, brought together; and
rows with weights, which have to be looked at more than once.

While rows are counted they are kept in parts by the hash of their group, so that every group is
whole in its part; once the statistics of all rows are known, what each row adds to each metric is
summed over its group, part after part (`adds`). Rows with weights are first summed by these
(`weighed`); without groups each is a group of its own. Files of any size, and of any number of
groups, take the memory of a part, and below TMPDIR about 20 bytes a row.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.data import room
from mlops_ci.data.arrays import part_of
from mlops_ci.data.feed import UnlikeError
from mlops_ci.data.keys import Hashes
from mlops_ci.data.partitions import MOST, Partitions
from mlops_ci.verdict.adds import asked_of
from mlops_ci.verdict.aggregates.grouped import Asked, Grouped
from mlops_ci.verdict.aggregates.sufficient import Cut, Sufficient
from mlops_ci.verdict.aggregates.weighed import Weighed
from mlops_ci.verdict.queried import Sums, query_metrics, rank_parts
from mlops_ci.verdict.rows import Floats, Ints, Outputs, View

SHARE = 4  # of a chunk's rows has a part
LARGE = 4  # chunks' rows may a part have: of one group that has so many
CROWDS = 20  # bits


@dataclass(frozen=True)
class Kept:
    """`slices`: of each column the slice of every row."""

    group: Hashes | None
    label: NDArray[Any]
    sides: tuple[Outputs, ...]
    slices: tuple[NDArray[Any], ...]
    weight: Floats | None = None


class Crowds:
    """How large the largest group can be, whatever the order of the rows: groups are thrown
    together into many heaps."""

    def __init__(self) -> None:
        self._heaps = np.zeros(1 << CROWDS, dtype=np.int64)

    def add(self, groups: Hashes) -> None:
        heap = (groups & np.uint64((1 << CROWDS) - 1)).astype(np.int64)
        self._heaps += np.bincount(heap, minlength=1 << CROWDS)

    @property
    def most(self) -> int:
        return int(self._heaps.max())


class Regrouped:
    """`rows`: how many there will be at most; `step`: so many may be read at once. `by_rows`:
    whatever groups there are, rows are what was sampled. Raises
    ComparisonError where the disk has no room, UnlikeError where a group has too many rows."""

    def __init__(self, rows: int, step: int, *, by_rows: bool = False) -> None:
        step = min(room.CHUNK, step)
        parts = min(MOST, -(-rows // max(1, step // SHARE)))
        self._parts = Partitions[Kept](parts, rows, LARGE * step)
        self._crowds = Crowds()
        self._by_rows = by_rows
        self._like: View | None = None
        self._heaviest = 0.0

    def add(
        self,
        view: View,
        cuts: Sequence[Cut],
        groups: Hashes | None,
        weight: Floats | None = None,
    ) -> None:
        """`groups`: None where every row is one. `weight`: above 0."""
        if not view.n:
            return
        if self._like is None:
            self._like = view.part(slice(0, 0))
        slices = tuple(cut.codes for cut in cuts)
        kept = Kept(groups, view.label, view.sides, slices, weight)
        self._parts.add(kept, _evenly(view.n) if groups is None else groups)
        if groups is not None:
            self._crowds.add(groups)
        if weight is not None:
            self._heaviest = max(self._heaviest, float(weight.max()))

    def weigh_into(self, found: Sufficient, names: Sequence[tuple[str, ...]]) -> None:
        """`found`: of all rows that were added; its `weighed` and those of its slices are set.
        Raises UnlikeError where no row weighs anything."""
        if not self._heaviest:
            raise UnlikeError
        parts = _parts_of(found)
        sums = {
            name: Weighed(found, part.scale, by_rows=self._by_rows) for name, part in parts.items()
        }
        for view, cuts, _ in self._in_order(names):
            for name, rows, _ in _cut(view, cuts):
                sums[name].add(rows)
        for name, part in parts.items():
            part.weighed = sums[name]

    def sum_into(
        self, found: Sufficient, names: Sequence[tuple[str, ...]], metrics: Iterable[str]
    ) -> None:
        """`found`: of all rows that were added; its `grouped` and those of its slices are set,
        of rows with weights those of its `weighed`. `names`: of each column's slices."""
        parts = _parts_of(found)
        asked = asked_of(found, metrics, 1 if self._by_rows else self._crowds.most)
        if self._by_rows:  # those whose rows all count alike are known
            asked = {name: one for name, one in asked.items() if one.scale is not None}
        sums = {name: Grouped() for name in asked}
        for view, cuts, group in self._in_order(names) if asked else ():
            sum_parts(sums, asked, view, cuts, np.arange(view.n) if self._by_rows else group)
        for name, one in sums.items():
            weighed = parts[name].weighed
            if weighed is not None:
                weighed.grouped = one
            if not self._by_rows:
                parts[name].grouped = one

    def rank_into(
        self, found: Sufficient, names: Sequence[tuple[str, ...]], metrics: Iterable[str]
    ) -> None:
        """The groups are queries: `found.queries` is set, of the metrics that are asked for."""
        if not self._crowds.most:
            return
        asked = query_metrics(metrics, found.question.task)
        sums: dict[str | None, Sums] = {None: {}} | {name: {} for name in found.slices}
        if asked:
            for rows in self._in_order(names):
                rank_parts(sums, asked, rows)
        found.queries = sums[None]
        for name, part in found.slices.items():
            part.queries = sums[name] | {
                one.name: None for one in asked if one.name not in sums[name]
            }

    def _in_order(self, names: Sequence[tuple[str, ...]]) -> Iterator[tuple[View, list[Cut], Ints]]:
        """The next part is read while one is summed."""
        like = self._like
        if like is None:
            return
        with ThreadPoolExecutor(1) as threads:
            ahead = threads.submit(self._ordered, 0)
            for part in range(1, self._parts.parts + 1):
                kept, group = ahead.result()
                if part < self._parts.parts:
                    ahead = threads.submit(self._ordered, part)
                cuts = [Cut(*cut) for cut in zip(names, kept.slices, strict=True)]
                view = replace(like, label=kept.label, sides=kept.sides, weight=kept.weight)
                yield view, cuts, group

    def _ordered(self, part: int) -> tuple[Kept, Ints]:
        kept = self._parts.read(part)
        if kept.weight is not None:
            # Only their ratios matter: a power of two leaves these as they are.
            weight = np.ldexp(kept.weight, -math.frexp(self._heaviest)[1])
            kept = replace(kept, weight=weight)
        return in_order(kept)

    def close(self) -> None:
        self._parts.close()


def in_order(kept: Kept) -> tuple[Kept, Ints]:
    """By group, and the number of each row's."""
    if kept.group is None:
        return kept, np.arange(len(kept.label))
    order = np.argsort(kept.group)
    return part_of(kept, order), group_codes(kept.group[order])


def group_codes(groups: Hashes) -> Ints:
    """0, 1, … of groups that are in order."""
    return np.cumsum(np.r_[False, groups[1:] != groups[:-1]][: len(groups)])


def sum_parts(
    sums: Mapping[str | None, Grouped],
    asked: Mapping[str | None, Asked],
    view: View,
    cuts: Sequence[Cut],
    group: Ints,
) -> None:
    """All rows, and those of each slice, that are asked for. `group` [n] rises, and its groups have
    no other rows."""
    for name, part, rows in _cut(view, cuts):
        if name in asked:
            sums[name].add(part, group if rows is None else group[rows], asked[name])


def _cut(view: View, cuts: Sequence[Cut]) -> Iterator[tuple[str | None, View, Ints | None]]:
    """All rows, and those of each slice."""
    yield None, view, None
    for cut in cuts:
        for name, rows in cut.rows_of():
            label, sides, weight = part_of((view.label, view.sides, view.weight), rows)
            yield name, replace(view, label=label, sides=sides, weight=weight), rows


def _parts_of(found: Sufficient) -> dict[str | None, Sufficient]:
    parts: dict[str | None, Sufficient] = {None: found}
    parts.update(found.slices)
    return parts


def _evenly(rows: int) -> Hashes:
    """Numbers that bring rows to all parts (Knuth's multiplier of 64 bits)."""
    return np.arange(rows, dtype=np.uint64) * np.uint64(0x9E37_79B9_7F4A_7C15)
