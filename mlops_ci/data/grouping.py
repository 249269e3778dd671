"""Rows that belong together (users, patients), wherever they lie in a file, brought together.

While rows are counted they are kept in parts by the hash of their group, so that every group is
whole in its part; once the statistics of all rows are known, what each row adds to each metric is
summed over its group, part after part (`adds`). Files of any size, and of any number of groups,
take the memory of a part, and below TMPDIR about 20 bytes a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.data import room
from mlops_ci.data.arrays import part_of
from mlops_ci.data.keys import Hashes
from mlops_ci.data.partitions import MOST, Partitions
from mlops_ci.verdict.adds import asked_of
from mlops_ci.verdict.aggregates.grouped import Asked, Grouped
from mlops_ci.verdict.aggregates.sufficient import Cut, Sufficient
from mlops_ci.verdict.queried import Sums, query_metrics, rank_parts
from mlops_ci.verdict.rows import Ints, Outputs, View

SHARE = 4  # of a chunk's rows has a part
LARGE = 4  # chunks' rows may a part have: of one group that has so many
CROWDS = 20  # bits


@dataclass(frozen=True)
class Kept:
    """`slices`: of each column the slice of every row."""

    group: Hashes
    label: NDArray[Any]
    sides: tuple[Outputs, ...]
    slices: tuple[NDArray[Any], ...]


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
    """`rows`: how many there will be at most; `step`: so many may be read at once. Raises
    ComparisonError where the disk has no room, UnlikeError where a group has too many rows."""

    def __init__(self, rows: int, step: int) -> None:
        step = min(room.CHUNK, step)
        parts = min(MOST, -(-rows // max(1, step // SHARE)))
        self._parts = Partitions[Kept](parts, rows, LARGE * step)
        self._crowds = Crowds()
        self._like: View | None = None

    def add(self, view: View, cuts: Sequence[Cut], groups: Hashes) -> None:
        if not view.n:
            return
        if self._like is None:
            self._like = view.part(slice(0, 0))
        slices = tuple(cut.codes for cut in cuts)
        self._parts.add(Kept(groups, view.label, view.sides, slices), groups)
        self._crowds.add(groups)

    def sum_into(
        self, found: Sufficient, names: Sequence[tuple[str, ...]], metrics: Iterable[str]
    ) -> None:
        """`found`: of all rows that were added; its `grouped` and those of its slices are set.
        `names`: of each column's slices."""
        asked = asked_of(found, metrics, self._crowds.most)
        sums = {name: Grouped() for name in asked}
        for view, cuts, group in self._in_order(names):
            sum_parts(sums, asked, view, cuts, group)
        found.grouped = sums[None]
        for name, part in found.slices.items():
            part.grouped = sums[name]

    def rank_into(
        self, found: Sufficient, names: Sequence[tuple[str, ...]], metrics: Iterable[str]
    ) -> None:
        """The groups are queries: `found.queries` is set, of the metrics that are asked for."""
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
                yield replace(like, label=kept.label, sides=kept.sides), cuts, group

    def _ordered(self, part: int) -> tuple[Kept, Ints]:
        kept = self._parts.read(part)
        order = np.argsort(kept.group)
        kept = part_of(kept, order)
        return kept, group_codes(kept.group)

    def close(self) -> None:
        self._parts.close()


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
    """All rows, and those of each slice. `group` [n] rises, and its groups have no other rows."""
    sums[None].add(view, group, asked[None])
    for cut in cuts:
        for name, rows in cut.rows_of():
            label, sides = part_of((view.label, view.sides), rows)
            sums[name].add(replace(view, label=label, sides=sides), group[rows], asked[name])
