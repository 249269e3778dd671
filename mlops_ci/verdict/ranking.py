"""ROC AUC: exact from one sort of each side, or from bins with a proven bound.

DeLong, DeLong & Clarke-Pearson 1988, "Comparing the areas under two or more correlated receiver
operating characteristic curves" (Biometrics 44, 837–845, doi:10.2307/2531595); from ranks as in Sun
& Xu 2014 (IEEE Signal Processing Letters 21, 1389–1393, doi:10.1109/LSP.2014.2337313). Skewness:
Hall 1992 (`intervals`). Satterthwaite 1946 (doi:10.2307/3002019). Its largest variance: van Dantzig
1951 (Proc. KNAW A 54, 1–8); Birnbaum & Klose 1957, "Bounds for the variance of the Mann-Whitney
statistic" (Annals Math. Statistics 28, 933–945, doi:10.1214/aoms/1177706794).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from mlops_ci.verdict.aggregates.chunks import fold
from mlops_ci.verdict.aggregates.order import Ranking, by_turns
from mlops_ci.verdict.aggregates.sums import Grid, Sums, mask_of, order_for, sum_classes
from mlops_ci.verdict.intervals import (
    Interval,
    logit_interval,
    skewed_interval,
    student_quantile,
    wilson,
)
from mlops_ci.verdict.moments import (
    Moments,
    Spread,
    bounded_interval,
    few_rows_decide,
    moments_of,
)
from mlops_ci.verdict.rows import Floats, Mask

MOST = 2**63 - 1  # pairs, counted twice, that 64 bits hold: of some 4·10⁹ rows


@dataclass(frozen=True)
class Placements:
    """DeLong's structural components, of each group of rows: of a `positive` row the share of
    negatives below it, of a `negative` row the share of positives above it; ties count half. Their
    means over the rows are the AUC.
    """

    ranking: Ranking
    area: float
    positive: Floats
    negative: Floats


def placements(ranking: Ranking) -> Placements:
    below, above = ranking.below, ranking.above
    positives, negatives = int(ranking.positives.sum()), int(ranking.negatives.sum())
    pairs = below, ranking.positives
    if 2 * positives * negatives > MOST:
        pairs = below.astype(object), ranking.positives.astype(object)
    area = int((pairs[0] * pairs[1]).sum()) / (2 * positives * negatives)
    return Placements(ranking, area, below / (2 * negatives), above / (2 * positives))


@dataclass(frozen=True)
class Column:
    """Of one class's rows the moments of their placements, or of the changes of these, and the
    `lowest` and the `highest` of them.
    """

    moments: Moments
    lowest: float
    highest: float

    @property
    def farthest(self) -> float:
        """How far from the mean the row lies that lies farthest."""
        mean = float(self.moments.mean[0])
        return max(mean - self.lowest, self.highest - mean)


BASE, HEAD, CHANGE = (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)
ALONE = np.ones(1)
FOUR = np.float64(4).view(np.int64)


@dataclass(frozen=True)
class Weighed(Moments):
    """Of base's column and of head's difference from it, for the weights that intervals ask for."""

    columns: Mapping[tuple[float, ...], Column]

    def power(self, gradient: Floats, order: int) -> float:
        return self.columns[tuple(map(float, gradient))].moments.power(ALONE, order)


@dataclass(frozen=True)
class Class:
    """One class's rows: the column of one side, by `(1.0,)`; or base's, head's and their change's,
    by the weights of base and of the change in each.
    """

    columns: Mapping[tuple[float, ...], Column]

    @cached_property
    def moments(self) -> Moments:
        columns = list(self.columns.values())
        mean = np.array([one.moments.mean[0] for one in columns])
        first = columns[0].moments
        return Weighed(first.n, mean, first.centred, self.columns)

    def farthest(self, weights: tuple[float, ...]) -> float:
        return self.columns[weights].farthest


class Placed(Protocol):
    """What intervals need of one class's rows, as `Class` has it."""

    @property
    def moments(self) -> Moments: ...

    def farthest(self, weights: tuple[float, ...]) -> float: ...


@dataclass(frozen=True)
class Area:
    """All that intervals of the AUC of one or two sides need. `blur`: how far each value may lie
    from that of the unrounded scores; 0 when exact. `moved` looks once more at the rows: head's
    placements minus base's, of the positive rows and of the negative ones.
    """

    values: tuple[float, ...]
    positive: Placed
    negative: Placed
    blur: tuple[float, ...]
    moved: Callable[[], tuple[Floats, Floats]]

    def own(self, side: int, level: float) -> Interval:
        """Symmetric in the logit. Where a few rows make up the variance it is a guess: Wilson's
        interval with the largest variance there can be, θ(1 − θ)/min(P, N) (van Dantzig 1951;
        Birnbaum & Klose 1957).
        """
        weights = ((1.0,), (1.0, 0.0), (1.0, 1.0))[side + len(self.values) - 1]
        value = self.values[side]
        if self._few_decide(weights) or not 0 < value < 1:
            rows = min(self.positive.moments.n, self.negative.moments.n)
            found = wilson(value * rows, rows, level)
        else:
            quantile = student_quantile(level, self._freedom(weights))
            se = self._spread(weights).se
            found = logit_interval(value, se, quantile, "DeLong, logit")
        return found.widened(self.blur[side])

    def change(self, level: float) -> Interval | None:
        """Of head − base, by the covariance of the placements of the same rows."""
        change, weights = self.values[1] - self.values[0], (0.0, 1.0)
        if self._few_decide(weights):
            return self._bounded_change(change, level).widened(sum(self.blur))
        spread = self._spread(weights)
        quantile = student_quantile(level, self._freedom(weights))
        found = skewed_interval(spread.se, spread.skew, quantile, "DeLong")
        return found.shifted(change).widened(sum(self.blur))

    def _bounded_change(self, change: float, level: float) -> Interval:
        reach = (-1 - change, 1 - change)
        bounds = [bounded_interval(part - change, reach, level) for part in self.moved()]
        return combine(change, [bound.shifted(change) for bound in bounds if bound], "score")

    def _spreads(self, weights: tuple[float, ...]) -> list[Spread]:
        return [one.moments.spread(np.array(weights)) for one in (self.positive, self.negative)]

    def _spread(self, weights: tuple[float, ...]) -> Spread:
        """DeLong, DeLong & Clarke-Pearson 1988; the third cumulant likewise, class by class."""
        parts = self._spreads(weights)
        se = math.hypot(*(spread.se for spread in parts))
        cube = sum(spread.skew * spread.se**3 for spread in parts)
        return Spread(se, cube / se**3 if se else 0.0)

    def _freedom(self, weights: tuple[float, ...]) -> float:
        """Satterthwaite 1946, as of two independent means."""
        parts = self._spreads(weights)
        total = sum(spread.se**2 for spread in parts)
        worth = [one.moments.freedom(np.array(weights)) for one in (self.positive, self.negative)]
        return total**2 / sum(
            spread.se**4 / freedom for spread, freedom in zip(parts, worth, strict=True)
        )

    def _few_decide(self, weights: tuple[float, ...]) -> bool:
        classes = (self.positive, self.negative)
        square = sum(one.moments.power(np.array(weights), 2) / one.moments.n for one in classes)
        extreme = max(one.farthest(weights) / one.moments.n for one in classes)
        return few_rows_decide(square, extreme, 2 / max(one.moments.n for one in classes))


def area_of(placed: Sequence[Placements], actual: Mask) -> Area:
    """`actual` [n]: which rows are positive."""
    n = len(actual)
    weights = ((1.0,),) if len(placed) < 2 else (BASE, HEAD)
    columns = [
        {
            weight: _column_of(one, name, order_for(n))
            for weight, one in zip(weights, placed, strict=True)
        }
        for name in ("positive", "negative")
    ]

    both = [by_turns(one.negative, one.positive) for one in placed]

    def count(rows: slice) -> tuple[Moved, Moved]:
        ours = actual[rows]
        base, head = (
            values.take(one.ranking.place_of(rows, actual), mode="clip")
            for values, one in zip(both, placed, strict=True)
        )
        head -= base
        return _by_class(head, ours, order_for(n))

    def merge(one: tuple[Moved, Moved], other: tuple[Moved, Moved]) -> tuple[Moved, Moved]:
        return one[0].merged(other[0]), one[1].merged(other[1])

    if len(placed) > 1:
        positive, negative = fold(count, merge, n)
        columns[0][CHANGE], columns[1][CHANGE] = positive.column, negative.column
    return Area(
        values=tuple(one.area for one in placed),
        positive=Class(columns[0]),
        negative=Class(columns[1]),
        blur=tuple(one.ranking.blur for one in placed),
        moved=lambda: _moved(placed, actual, slice(0, n)),
    )


def _column_of(placed: Placements, name: str, order: int) -> Column:
    """One side's: the groups say all of it, no row has to be looked at."""
    values, rows = getattr(placed, name), getattr(placed.ranking, f"{name}s")
    n, powers = int(rows.sum()), {}
    centred, weighted = values - placed.area, rows.astype(np.float64)
    weighted *= centred
    for power in range(2, order + 1):
        weighted *= centred
        powers[(0,) * power] = float(weighted.sum()) / n
    # Placements rise or fall from group to group.
    there = rows > 0
    ends = int(there.argmax()), len(rows) - 1 - int(there[::-1].argmax())
    low, high = sorted(float(values[end]) for end in ends)
    return Column(Moments(n, np.array([placed.area]), powers), low, high)


@dataclass(frozen=True)
class Moved:
    """Head's placements minus base's, of one class's rows: their sums and extent. They merge."""

    sums: Sums
    extent: Grid

    def merged(self, other: Moved) -> Moved:
        if not self.sums.n or not other.sums.n:
            return self if self.sums.n else other
        return Moved(self.sums.merged(other.sums), self.extent.merged(other.extent))

    @property
    def column(self) -> Column:
        return Column(moments_of(self.sums), self.extent.low[0], self.extent.high[0])


def _moved(placed: Sequence[Placements], actual: Mask, rows: slice) -> tuple[Floats, Floats]:
    """Head's placements minus base's, of the positive rows and of the negative ones."""
    base, head = placed
    before, after = base.ranking.group_of(rows), head.ranking.group_of(rows)
    ours = actual[rows]
    positive, negative = np.flatnonzero(ours), np.flatnonzero(~ours)
    risen = head.positive.take(after.take(positive))
    risen -= base.positive.take(before.take(positive))
    sunk = head.negative.take(after.take(negative))
    sunk -= base.negative.take(before.take(negative))
    return risen, sunk


def _by_class(change: Floats, actual: Mask, order: int) -> tuple[Moved, Moved]:
    # Differences of placements lie in −1…1: a grid that all shards share.
    mask = mask_of(actual)
    # Four times the class added, the classes' extremes are those of all rows.
    raised = (mask & FOUR).view(np.float64)
    above, below = change + raised, np.subtract(change, raised, out=raised)
    extents = (
        Grid((float(below.min()) + 4,), (float(above.max()) - 4,)),
        Grid((float(above.min()),), (float(below.max()),)),
    )
    sums = sum_classes(Grid((-1.0,), (1.0,)), change, mask, order)
    positive, negative = (Moved(*one) for one in zip(sums, extents, strict=True))
    return positive, negative


def combine(change: float, parts: list[Interval], method: str) -> Interval:
    """Independent sources of error around one estimate, added in squares."""
    low = change - math.hypot(*(max(change - part.low, 0.0) for part in parts))
    high = change + math.hypot(*(max(part.high - change, 0.0) for part in parts))
    return Interval(low, high, math.hypot(*(part.se for part in parts)), method)
