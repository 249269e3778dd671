"""Sums over groups of rows (users, patients) of what their rows add to metrics, and their moments.

A metric's change is, to first order, a mean over rows of influences, so a mean over groups of their
sums (`clusters`). What a row adds rests on all rows, so these sums are made in a second pass; every
group must be whole where it is added, and those of different groups then merge, exactly and in any
order: sums over a group are of whole numbers of one unit, those over groups are `Totals`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations_with_replacement
from typing import Protocol, Self

import numpy as np

from mlops_ci.verdict.aggregates.gaps import BINS, UNIT, gap_of
from mlops_ci.verdict.aggregates.totals import Totals, total_columns, total_singly
from mlops_ci.verdict.rows import Floats, Ints, View

ROWS = 1 << 16  # of a chunk, and those that its last group has beyond
BITS = 52  # whole numbers that add up without rounding
MOST_ATOMS = 1_000  # different sums that are kept beside their moments


class Adds(Protocol):
    """What each row adds to one metric of each side, of mean 0 over all rows. `most`: none adds
    more."""

    @property
    def most(self) -> float: ...

    def of(self, view: View) -> list[Floats]: ...


@dataclass(frozen=True)
class Atoms:
    """Different numbers, rising, and how many groups have each."""

    values: Floats
    counts: Ints

    @classmethod
    def of(cls, values: Floats, counts: Ints | None = None) -> Self | None:
        """None of too many."""
        found, where = np.unique(values, return_inverse=True)
        if len(found) > MOST_ATOMS:
            return None
        ones = np.ones(len(values), dtype=np.int64) if counts is None else counts
        summed = np.bincount(where.reshape(-1), weights=ones, minlength=len(found))
        return cls(found, summed.astype(np.int64))

    def merged(self, other: Atoms) -> Atoms | None:
        values = np.concatenate([self.values, other.values])
        return Atoms.of(values, np.concatenate([self.counts, other.counts]))

    @property
    def all(self) -> Floats:
        return np.repeat(self.values, self.counts)


@dataclass(frozen=True)
class Column:
    """One number of each group: sums of its powers, and the numbers themselves where few differ."""

    totals: Totals
    atoms: Atoms | None

    @classmethod
    def of(cls, values: Floats, *, atoms: bool) -> Self:
        return cls(total_columns([values], 1), Atoms.of(values) if atoms else None)

    def merged(self, other: Column) -> Column:
        both = self.atoms and other.atoms and self.atoms.merged(other.atoms)
        return Column(self.totals.merged(other.totals), both or None)


@dataclass(frozen=True)
class GroupSums:
    """What groups add to one metric: `columns` of base, head and the difference, or of the one
    side. `reach`: the most that one row adds to each side."""

    columns: tuple[Column, ...]
    reach: tuple[float, ...]

    def merged(self, other: GroupSums) -> GroupSums:
        pairs = zip(self.columns, other.columns, strict=True)
        reach = tuple(map(max, self.reach, other.reach))
        return GroupSums(tuple(one.merged(two) for one, two in pairs), reach)


@dataclass
class Grouped:
    """Of the groups of some rows. `largest`: rows of the largest group, `heaviest`:
    what the heaviest weighs where rows have weights. `sums`: by the name of a
    metric. `gaps`: sums of the products of a group's rows (or what they weigh) and its gaps between
    score and outcome [1 + sides · BINS], each with each.

    Grows in place.
    """

    groups: int = 0
    rows: int = 0
    largest: int = 0
    sums: dict[str, GroupSums] = field(default_factory=dict)
    gaps: Totals | None = None
    heaviest: float = 0.0

    def merge(self, other: Grouped) -> None:
        self.groups += other.groups
        self.rows += other.rows
        self.largest = max(self.largest, other.largest)
        self.heaviest = max(self.heaviest, other.heaviest)
        if not self.sums and self.gaps is None:
            self.sums, self.gaps = dict(other.sums), other.gaps
        elif other.groups:
            self.sums = {name: one.merged(other.sums[name]) for name, one in self.sums.items()}
            if self.gaps is not None and other.gaps is not None:
                self.gaps = self.gaps.merged(other.gaps)

    def add(self, view: View, group: Ints, asked: Asked) -> None:
        """`group` [n] rises, and these groups have no other rows."""
        for part, starts in _whole_groups(group):
            self.merge(_sum_groups(view.part(part), starts, asked, like=self))


@dataclass(frozen=True)
class Asked:
    """`adds`: by the name of a metric. `gaps`: whether calibration is asked for. `crowd`: rows that
    no group has more of. `scale`: where rows count by their weights, 1 over the mean one, and
    `most`, the heaviest, which is at most 1."""

    adds: Mapping[str, Adds]
    gaps: bool
    crowd: int
    scale: float | None = None
    most: float = 1.0

    @property
    def bits(self) -> int:
        return BITS - self.crowd.bit_length() - 1


def _whole_groups(group: Ints) -> Iterator[tuple[slice, Ints]]:
    """Chunks that end where a group does, and where each group of a chunk starts in it."""
    n = len(group)
    starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]]) if n else np.zeros(0, np.int64)
    at = 0
    while at < len(starts):
        until = max(int(np.searchsorted(starts, starts[at] + ROWS)), at + 1)
        stop = int(starts[until]) if until < len(starts) else n
        yield slice(int(starts[at]), stop), starts[at:until] - starts[at]
        at = until


def _sum_groups(view: View, starts: Ints, asked: Asked, like: Grouped) -> Grouped:
    """`like`: what it will be merged with: where the numbers are not kept there, nor are they."""
    sizes = np.diff(starts, append=view.n)
    found = {}
    for name, adds in asked.adds.items():
        known = like.sums.get(name)
        kept = [True] * 3 if known is None else [one.atoms is not None for one in known.columns]
        found[name] = _sum_adds(adds, view, starts, asked, kept)
    gaps = _sum_gaps(view, sizes, asked) if asked.gaps else None
    heaviest = 0.0
    if asked.scale is not None and view.weight is not None:
        whole = np.rint(view.weight * 2.0**asked.bits)
        heaviest = float(np.add.reduceat(whole, starts).max()) / 2.0**asked.bits
    return Grouped(len(starts), view.n, int(sizes.max()), found, gaps, heaviest)


def _sum_adds(
    adds: Adds, view: View, starts: Ints, asked: Asked, kept: Sequence[bool]
) -> GroupSums:
    found, most = adds.of(view), adds.most
    reach = tuple(float(np.abs(one).max()) for one in found)
    if asked.scale is not None and view.weight is not None:
        factor = view.weight * asked.scale
        found, most = [one * factor for one in found], most * asked.most * asked.scale
    unit = math.ldexp(1.0, math.frexp(most)[1] - asked.bits) if most else 1.0
    sums = []
    for one in found:
        whole = one / unit
        np.rint(whole, out=whole)
        sums.append(whole if len(starts) == view.n else np.add.reduceat(whole, starts))
    if len(sums) > 1:
        sums.append(sums[1] - sums[0])
    columns = (Column.of(one * unit, atoms=keep) for one, keep in zip(sums, kept, strict=False))
    return GroupSums(tuple(columns), reach)


def gap_pairs(sides: int) -> list[tuple[int, int]]:
    """Which products `Grouped.gaps` has, in their order; 0 are the rows."""
    return list(combinations_with_replacement(range(1 + sides * BINS), 2))


def _sum_gaps(view: View, sizes: Ints, asked: Asked) -> Totals:
    group = np.repeat(np.arange(len(sizes)), sizes)
    unit, weight = min(UNIT, 2.0**asked.bits), None
    columns = [sizes.astype(np.float64)]
    if asked.scale is not None and view.weight is not None:
        unit, weight = 2.0**asked.bits, view.weight
        columns = [np.bincount(group, weights=np.rint(weight * unit)) / unit]
    for side in view.sides:
        inside, gap = gap_of(view, side)
        inside += group * BINS
        whole = np.rint((gap if weight is None else gap * weight) * unit)
        table = np.bincount(inside, weights=whole, minlength=len(sizes) * BINS) / unit
        columns += list(np.ascontiguousarray(table.reshape(-1, BINS).T))
    return total_singly([columns[i] * columns[j] for i, j in gap_pairs(len(view.sides))])
