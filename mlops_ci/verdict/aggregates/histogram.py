"""How many values of a column lie where, of two data sets on one ruler. Counts and extents merge.

Up to EXACT values the marks of the ruler are the values themselves. Of more it has even steps, one
for each whole number where there are no others; and where a step is too crowded to tell values
apart, the bins of `bins.py`, which follow the crowd.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

import numpy as np

from mlops_ci.verdict.aggregates.bins import ROWS as WIDE
from mlops_ci.verdict.aggregates.bins import lay_out
from mlops_ci.verdict.aggregates.chunks import ROWS, fold
from mlops_ci.verdict.rows import Floats, Ints

EXACT = 1 << 16  # values of both sides
STEPS = 1 << 14
NARROW = 1e-290  # the inverse of a smaller distance is no float
CROWD = 0.01  # of a side's values in one step: so far may a distance between shares be off


@dataclass(frozen=True)
class Extent:
    """Of finite values; without any, `low` is above `high`. `missing` counts NaN and infinities;
    `whole`: every value is a whole number."""

    low: float = math.inf
    high: float = -math.inf
    missing: int = 0
    whole: bool = True

    def merged(self, other: Extent) -> Extent:
        return Extent(
            min(self.low, other.low),
            max(self.high, other.high),
            self.missing + other.missing,
            self.whole and other.whole,
        )

    @property
    def empty(self) -> bool:
        return self.low > self.high


@dataclass(frozen=True)
class Histogram:
    """`counts` [marks] on a ruler that both sides share; `missing` values are in none of them."""

    counts: Ints
    missing: int

    def merged(self, other: Histogram) -> Histogram:
        return Histogram(self.counts + other.counts, self.missing + other.missing)


@dataclass(frozen=True)
class Ruler:
    """`mark_of`: finite values → numbers of marks. A mark stands for the values from `low` to
    `high` [marks], which rise."""

    low: Floats
    high: Floats
    mark_of: Callable[[Floats], Ints]
    rows: int = ROWS

    def count(self, values: Floats, rows: int | None = None) -> Histogram:
        """`rows`: of a chunk."""
        if not len(values):
            return Histogram(np.zeros(len(self.low), dtype=np.int64), 0)

        def counted(part: slice) -> Histogram:
            there = finite(values[part])
            counts = np.bincount(self.mark_of(there), minlength=len(self.low))
            return Histogram(counts, part.stop - part.start - len(there))

        return fold(counted, Histogram.merged, len(values), rows or self.rows)


@dataclass(frozen=True)
class Counted:
    """Two sides on one ruler: where the marks lie, and how many values each side has there."""

    low: Floats
    high: Floats
    base: Histogram
    head: Histogram


def count_both(base: Floats, head: Floats) -> Counted:
    """Two passes, three where the values crowd."""
    ruler = ruler_for(base, head)
    sides = ruler.count(base), ruler.count(head)
    if ruler.rows == ROWS and max(crowd_of(side, ruler) for side in sides) > CROWD:
        ruler = _crowded(base, head)
        sides = ruler.count(base), ruler.count(head)
    return Counted(ruler.low, ruler.high, *sides)


def ruler_for(*columns: Floats) -> Ruler:
    extent = reduce(Extent.merged, map(extent_of, columns))
    if extent.empty or extent.low == extent.high:
        return _points(np.array([0.0 if extent.empty else extent.low]))
    if sum(map(len, columns)) <= EXACT:
        return _points(np.unique(np.concatenate([finite(values) for values in columns]) + 0.0))
    if extent.whole and extent.high - extent.low < STEPS:
        return _whole(int(extent.low), int(extent.high))
    if extent.high / 2 - extent.low / 2 < NARROW:
        return _crowded(*columns)
    return _even(extent.low, extent.high)


def extent_of(values: Floats, rows: int | None = None) -> Extent:
    if not len(values):
        return Extent()
    return fold(lambda part: _extent(values[part]), Extent.merged, len(values), rows)


def _extent(values: Floats) -> Extent:
    there = finite(values)
    if not len(there):
        return Extent(missing=len(values))
    few = there[:64]
    whole = bool((few == np.rint(few)).all() and (there == np.rint(there)).all())
    return Extent(float(there.min()), float(there.max()), len(values) - len(there), whole)


def finite(values: Floats) -> Floats:
    there = np.isfinite(values)
    return values if there.all() else values[there]


def crowd_of(side: Histogram, ruler: Ruler) -> float:
    """The largest share of a side's values that one mark cannot tell apart."""
    blurred = side.counts[ruler.high > ruler.low]
    return float(blurred.max() / max(1, side.counts.sum())) if len(blurred) else 0.0


def _points(marks: Floats) -> Ruler:
    return Ruler(marks, marks, lambda values: np.searchsorted(marks, values))


def _whole(low: int, high: int) -> Ruler:
    marks = np.arange(low, high + 1, dtype=np.float64)
    return Ruler(marks, marks, lambda values: (values - low).astype(np.int64))


def _even(low: float, high: float) -> Ruler:
    """All in halves: the distance of the ends may be more than the largest float."""
    start, scale = low / 2, STEPS / (high / 2 - low / 2)

    def mark_of(values: Floats) -> Ints:
        place = values * 0.5
        place -= start
        place *= scale
        marks = place.astype(np.int64)
        return np.minimum(marks, STEPS - 1, out=marks)

    edges = 2 * (start + np.arange(STEPS + 1) / STEPS * (high / 2 - start))
    edges[-1] = high
    return Ruler(edges[:-1], edges[1:], mark_of)


def _crowded(*columns: Floats) -> Ruler:
    layout = lay_out(*columns, there=finite)
    low, high = layout.ends
    return Ruler(low, high, layout.bin_of, WIDE)
