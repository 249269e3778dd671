"""Which columns lie elsewhere in head's rows than in base's. It informs and judges nothing.

A column drifts when both hold: that it did is surer than its test's share of false alarms (p-values
adjusted for all columns), and it matters (PSI). Of a million rows any difference is sure, of fifty
any PSI is large. Numbers are tested by Kolmogorov–Smirnov, names by χ², and what is missing by χ².
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mlops_ci.records.findings import ColumnDrift
from mlops_ci.verdict import distances
from mlops_ci.verdict.aggregates.chunks import fold
from mlops_ci.verdict.aggregates.histogram import Counted, count_both
from mlops_ci.verdict.multiplicity import benjamini_hochberg
from mlops_ci.verdict.rows import Floats, Ints

ALPHA = 0.05  # of the columns said to drift, at most this share is expected to be noise
MATTERS = 0.1  # PSI; from 0.25 on a large one (Siddiqi 2006, see `distances`)
MOST_SCORES = 20  # classes; of more, their scores are not looked at one by one
KS = "Kolmogorov–Smirnov"
CHI = "χ²"


@dataclass(frozen=True)
class Names:
    """How often each name occurs in a column, and how often none. They merge."""

    counts: Mapping[str, int]
    missing: int = 0

    def merged(self, other: Names) -> Names:
        names = {*self.counts, *other.counts}
        both = {name: self.counts.get(name, 0) + other.counts.get(name, 0) for name in names}
        return Names(both, self.missing + other.missing)


@dataclass(frozen=True)
class Values:
    """A column of numbers [n] of each side; what is not finite is missing."""

    base: Floats
    head: Floats


Column = Values | tuple[Names, Names]


@dataclass(frozen=True)
class _Sides:
    """Counts of base and head in `cells`, the missing values apart. `numeric`: the same on a finer
    ruler, for what needs the order."""

    base: Ints
    head: Ints
    missing: tuple[int, int]
    numeric: Counted | None = None

    @property
    def rows(self) -> tuple[int, int]:
        there = int(self.base.sum()), int(self.head.sum())
        return there[0] + self.missing[0], there[1] + self.missing[1]

    @property
    def cells(self) -> tuple[Ints, Ints]:
        """With the missing values as a cell of their own, where there are any."""
        if not any(self.missing):
            return self.base, self.head
        base, head = self.missing
        return np.append(self.base, base), np.append(self.head, head)


@dataclass(frozen=True)
class _Tested:
    """`p` None: nothing to test, and `told` says why."""

    p: float | None
    told: dict[str, Any] = field(default_factory=dict)


def count_names(codes: NDArray[Any], names: tuple[str, ...], missing: str | None = None) -> Names:
    """`codes` [n] into `names`; one of these may stand for a missing value."""
    counts = np.zeros(len(names), dtype=np.int64)
    if len(codes):
        counts = fold(
            lambda part: np.bincount(codes[part], minlength=len(names)), np.add, len(codes)
        )
    found = {name: int(count) for name, count in zip(names, counts, strict=True) if count}
    gone = found.pop(missing, 0) if missing is not None else 0
    return Names(found, gone)


def measure_drift(columns: Mapping[str, Column]) -> tuple[ColumnDrift, ...]:
    """One record a column, in the order given."""
    return measure_each(columns.items())


def measure_each(columns: Iterable[tuple[str, Column]]) -> tuple[ColumnDrift, ...]:
    """The same of columns that are there one after the other."""
    tested = {name: _test(column) for name, column in columns}
    p_values = [one.p for one in tested.values() if one.p is not None]
    adjusted = iter(benjamini_hochberg(p_values))
    return tuple(
        _record(name, one, next(adjusted) if one.p is not None else None)
        for name, one in tested.items()
    )


def _record(name: str, tested: _Tested, q: float | None) -> ColumnDrift:
    drifts = q is not None and q <= ALPHA and tested.told["psi"] >= MATTERS
    return ColumnDrift(column=name, q=q, p=tested.p, drifts=drifts, **tested.told)


def _test(column: Column) -> _Tested:
    kind: Literal["numeric", "categorical"]
    if isinstance(column, Values):
        kind, sides = "numeric", _sides_of_values(column)
    else:
        kind, sides = "categorical", _sides_of_names(*column)
    base, head = sides.rows
    told: dict[str, Any] = {"kind": kind, "base_rows": base, "head_rows": head}
    if not base or not head:
        side = "head" if base else "base"
        return _Tested(None, {**told, "note": f"{side} has no row"})
    told |= {"base_missing": sides.missing[0] / base, "head_missing": sides.missing[1] / head}
    cells = sides.cells
    told["psi"] = distances.population_stability(*cells)
    told["jensen_shannon"] = distances.jensen_shannon(*cells)
    if sides.numeric is None:
        return _test_cells(cells, told)
    if not sides.base.sum() or not sides.head.sum():
        return _test_cells(cells, {**told, "note": "a side has no number in this column"})
    return _test_numbers(sides, sides.numeric, told)


def _test_cells(cells: tuple[Ints, Ints], told: dict[str, Any]) -> _Tested:
    statistic, freedom = distances.chi_square(*distances.pool_rare(*cells))
    p = distances.chi_square_p(statistic, freedom)
    return _Tested(p, {**told, "method": CHI, "statistic": statistic})


def _test_numbers(sides: _Sides, counted: Counted, told: dict[str, Any]) -> _Tested:
    """The numbers and the share that is missing are two tests: Bonferroni's of both."""
    base, head = counted.base.counts, counted.head.counts
    distance = distances.kolmogorov_smirnov(base, head)
    p = distances.kolmogorov_smirnov_p(distance, int(base.sum()), int(head.sum()))
    if any(sides.missing):
        there = (
            np.array([base.sum(), gone])
            for base, gone in zip((base, head), sides.missing, strict=True)
        )
        gone = distances.chi_square_p(*distances.chi_square(*there))
        p = min(1.0, 2 * min(p, gone))
    places = counted.low / 2 + counted.high / 2
    moved = distances.wasserstein(places, base, head)
    return _Tested(p, {**told, "method": KS, "statistic": distance, "wasserstein": moved})


def _sides_of_values(column: Values) -> _Sides:
    counted = count_both(column.base, column.head)
    missing = counted.base.missing, counted.head.missing
    base, head = counted.base.counts, counted.head.counts
    used = base + head > 0
    counted = Counted(
        counted.low[used],
        counted.high[used],
        *(type(side)(side.counts[used], side.missing) for side in (counted.base, counted.head)),
    )
    if base.sum() and head.sum():
        base, head = distances.tenths(base, head)
    else:
        base, head = (np.array([side.sum()]) for side in (base, head))
    return _Sides(base, head, missing, counted)


def _sides_of_names(base: Names, head: Names) -> _Sides:
    names = sorted({*base.counts, *head.counts})
    counts = (
        np.array([side.counts.get(name, 0) for name in names], dtype=np.int64)
        for side in (base, head)
    )
    one, other = counts
    return _Sides(one, other, (base.missing, head.missing))
