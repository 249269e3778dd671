"""ROC AUC: exact from one sort of each side, or from bins with a proven bound."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mlops_ci.verdict.aggregates.chunks import fold
from mlops_ci.verdict.aggregates.order import Ranking
from mlops_ci.verdict.aggregates.sums import Grid, Sums, extent_of, order_for, sum_chunk
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
    area = int((below * ranking.positives).sum()) / (2 * positives * negatives)
    return Placements(ranking, area, below / (2 * negatives), above / (2 * positives))


@dataclass(frozen=True)
class Class:
    """The placements of one class's rows: of one side, or of base and of head − base. `extent`:
    their smallest and largest, those of head itself last. They merge.
    """

    sums: Sums
    extent: Grid

    def merged(self, other: Class) -> Class:
        if not self.sums.n or not other.sums.n:
            return self if self.sums.n else other
        return Class(self.sums.merged(other.sums), self.extent.merged(other.extent))

    @cached_property
    def moments(self) -> Moments:
        return moments_of(self.sums)

    def farthest(self, weights: tuple[float, ...]) -> float:
        """How far from the mean the row lies that lies farthest."""
        column = {(1.0, 0.0): 0, (0.0, 1.0): 1, (1.0, 1.0): 2, (1.0,): 0}[weights]
        mean = float(np.einsum("i,i->", weights, self.moments.mean))
        return max(mean - self.extent.low[column], self.extent.high[column] - mean)


Classes = tuple[Class, Class]


@dataclass(frozen=True)
class Area:
    """All that intervals of the AUC of one or two sides need. `blur`: how far each value may lie
    from that of the unrounded scores; 0 when exact. `moved` looks once more at the rows: head's
    placements minus base's, of the positive rows and of the negative ones.
    """

    values: tuple[float, ...]
    positive: Class
    negative: Class
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

    def change(self, level: float) -> Interval:
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
        return few_rows_decide(square, extreme)


def area_of(placed: Sequence[Placements], actual: Mask) -> Area:
    """`actual` [n]: which rows are positive."""
    order = order_for(len(actual))

    def count(rows: slice) -> Classes:
        positive, negative = _columns(placed, actual, rows)
        return _class_of(positive, order), _class_of(negative, order)

    def merge(one: Classes, other: Classes) -> Classes:
        return one[0].merged(other[0]), one[1].merged(other[1])

    def moved() -> tuple[Floats, Floats]:
        positive, negative = _columns(placed, actual, slice(0, len(actual)))
        return positive[1], negative[1]

    positive, negative = fold(count, merge, len(actual))
    return Area(
        values=tuple(one.area for one in placed),
        positive=positive,
        negative=negative,
        blur=tuple(one.ranking.blur for one in placed),
        moved=moved,
    )


def _columns(
    placed: Sequence[Placements], actual: Mask, rows: slice
) -> tuple[list[Floats], list[Floats]]:
    """The placements of the positive rows and of the negative ones: base, head − base."""
    kinds = np.flatnonzero(actual[rows]), np.flatnonzero(~actual[rows])
    groups = [one.ranking.group_of(rows) for one in placed]
    found = []
    for kind, name in zip(kinds, ("positive", "negative"), strict=True):
        columns = [
            getattr(one, name).take(group.take(kind))
            for one, group in zip(placed, groups, strict=True)
        ]
        if len(columns) > 1:
            columns[1] -= columns[0]
        found.append(columns)
    return found[0], found[1]


def _class_of(columns: Sequence[Floats], order: int) -> Class:
    # Placements lie in 0…1 and their differences in −1…1: a grid that all shards share.
    grid = Grid((-1.0,) * len(columns), (1.0,) * len(columns))
    if not len(columns[0]):
        return Class(sum_chunk(grid, columns, order), grid)
    head = [columns[0] + columns[1]] if len(columns) > 1 else []
    return Class(sum_chunk(grid, columns, order), extent_of([*columns, *head]))


def combine(change: float, parts: list[Interval], method: str) -> Interval:
    """Independent sources of error around one estimate, added in squares."""
    low = change - math.hypot(*(max(change - part.low, 0.0) for part in parts))
    high = change + math.hypot(*(max(part.high - change, 0.0) for part in parts))
    return Interval(low, high, math.hypot(*(part.se for part in parts)), method)
