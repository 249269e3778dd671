"""Metrics that are smooth functions of means over rows, with their intervals.

The delta method (Oehlert 1992, "A note on the delta method", The American Statistician 46, 27–29,
doi:10.1080/00031305.1992.10475842) makes a mean of influences of each; `moments` has its interval:
Student's t by Hall's transformation (Hall 1992, see `intervals`), of few rows the studentised
bootstrap (Efron & Tibshirani 1993, "An introduction to the bootstrap", 12.5, ISBN
978-0-412-04231-7), of few that decide the score interval.
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from mlops_ci.verdict.aggregates.chunks import fold
from mlops_ci.verdict.aggregates.sums import (
    ORDER,
    Grid,
    Sums,
    extent_of,
    grid_of,
    order_for,
    sum_chunk,
    sum_on,
)
from mlops_ci.verdict.intervals import Interval
from mlops_ci.verdict.losses import Loss, brier_losses, columns_of, explained_of
from mlops_ci.verdict.moments import (
    FEW_ROWS,
    bounded_interval,
    few_rows_decide,
    large_interval,
    mean_interval,
    moments_of,
)
from mlops_ci.verdict.rows import Floats, View

ROUNDING = 1e-12


class Means:
    """One loss on all rows: moments of a column for each side (and the label and its square, for
    R²). The second side's column is its difference from the first: two models that answer nearly
    the same lose no digits to each other.
    """

    def __init__(self, loss: Loss, view: View) -> None:
        self._loss, self._view = loss, view
        # A loss is a sum over squares of the label's distance from here: far-off labels would
        # otherwise drown their own variance.
        self._centre = _middle(view.label) if self._explains else 0.0
        extent, sums = self._at_once() or (grid_of(self._all_columns, view.n), None)
        # All losses' extremes, head's own last; None where a loss is not finite.
        self._extent = extent if extent.finite else None
        self.moments = None
        if self._extent is not None:
            grid = extent.without_last if len(view.sides) > 1 else extent
            self.moments = moments_of(sums or sum_on(grid, self._columns, view.n))

    def _at_once(self) -> tuple[Grid, Sums | None] | None:
        """The extremes, and on a grid that is known beforehand the sums in the same pass: None
        where it turns out that the losses use little of that grid, or leave it.
        """
        most, order = self._loss.most, order_for(self._view.n)
        if most is None or order == ORDER:
            return None
        paired = len(self._view.sides) > 1
        grid = Grid((0.0, -most)[: 1 + paired], (most, most)[: 1 + paired])

        def count(part: slice) -> tuple[Grid, Sums]:
            columns = self._all_columns(part)
            return extent_of(columns), sum_chunk(grid, columns[: 1 + paired], order)

        def merge(one: tuple[Grid, Sums], other: tuple[Grid, Sums]) -> tuple[Grid, Sums]:
            return one[0].merged(other[0]), one[1].merged(other[1])

        extent, sums = fold(count, merge, self._view.n)
        fits = grid.holds(extent.without_last if paired else extent)
        return extent, sums if fits else None

    @property
    def _explains(self) -> bool:
        return self._loss.smooth is explained_of

    def _columns(self, part: slice) -> list[Floats]:
        """Base's losses (or those of the one side), head's difference, the label and its square."""
        columns = self._all_columns(part)
        return columns[:-1] if len(self._view.sides) > 1 else columns

    def _all_columns(self, part: slice) -> list[Floats]:
        """The same, and head's losses in the end."""
        return columns_of(self._loss, self._view.part(part), self._centre)

    @property
    def _reach(self) -> tuple[float, float]:
        """What a row's loss might have been: from 0, or the lowest seen, to the highest seen; where
        no loss varies, to the highest that there can be.
        """
        if self._extent is None:
            return 0.0, 0.0
        extent, sides = self._extent, (0, -1) if len(self._view.sides) > 1 else (0,)
        low, high = min(extent.low[at] for at in sides), max(extent.high[at] for at in sides)
        if self._loss.most is not None and all(extent.low[at] == extent.high[at] for at in sides):
            high = self._most
        return (low if self._loss.signed else 0.0), high

    @property
    def _most(self) -> float:
        if self._loss.per_row is brier_losses and self._view.task == "binary":
            return 1.0
        return self._loss.most or 0.0

    @cached_property
    def _lift(self) -> Floats:
        """Means of the losses from the means of the columns: head = base + difference."""
        size = 0 if self.moments is None else len(self.moments.mean)
        lift = np.eye(size)
        if len(self._view.sides) > 1:
            lift[1, 0] = 1.0
        return lift

    def _smooth(self, side: int) -> tuple[float, Floats]:
        """Value and gradient in the means of the losses."""
        if self.moments is None:
            return math.nan, np.zeros(1)
        return self._loss.smooth(np.einsum("ij,j->i", self._lift, self.moments.mean), side)

    def value(self, side: int) -> float:
        return self._smooth(side)[0]

    def influence(self, side: int) -> Floats | None:
        """Of every row on a side's value, [n]."""
        if self.moments is None:
            return None
        weights = np.einsum("ij,i->j", self._lift, self._smooth(side)[1])
        return self._influence(slice(0, self._view.n), weights)

    def own(self, side: int, level: float) -> Interval | None:
        value, gradient = self._smooth(side)
        if not math.isfinite(value) or self.moments is None:
            return None
        low, high = sorted(end * float(gradient[side]) for end in self._reach)
        mean = float(np.einsum("j,j->", self._lift[side], self.moments.mean))
        centre = mean * float(gradient[side])
        found = self._interval(gradient, (low - centre, high - centre), level)
        arms = () if found is None else (found.high, -found.low)[: 1 + self._loss.signed]
        # All are the highest, or the lowest, that was seen: nothing bounds others.
        bounded = all(arm > ROUNDING * abs(centre) for arm in arms)
        return found.shifted(value) if found is not None and bounded else None

    def change(self, level: float) -> Interval | None:
        (base, before), (head, after) = self._smooth(0), self._smooth(1)
        if not math.isfinite(base) or not math.isfinite(head):
            return None
        low, high = self._reach
        at_stake = (high - low) * max(abs(float(before[0])), abs(float(after[1])))
        found = self._interval(after - before, (-at_stake, at_stake), level)
        return None if found is None else found.shifted(head - base)

    def _interval(
        self, gradient: Floats, reach: tuple[float, float], level: float
    ) -> Interval | None:
        if self.moments is None:
            return None
        n, weights = self._view.n, np.einsum("ij,i->j", self._lift, gradient)
        extreme = self._farthest(weights)
        if extreme <= self._rounding(weights):
            return bounded_interval(np.zeros(n), reach, level)
        if n < FEW_ROWS:
            return mean_interval(self._influence(slice(0, n), weights), reach, level)
        square, apart = self.moments.variance(weights) * (n - 1), reach[1] - reach[0]
        if few_rows_decide(square, extreme, apart):
            return bounded_interval(self._influence(slice(0, n), weights), reach, level)
        return large_interval(self.moments, weights, reach, level)

    def _rounding(self, weights: Floats) -> float:
        """What is no difference between two rows: of 0.6 − 0.1 and 0.7 − 0.2."""
        if self._extent is None:
            return 0.0
        ends = np.abs([*self._extent.low, *self._extent.high])
        return ROUNDING * float(ends.max()) * float(np.abs(weights).max())

    def _farthest(self, weights: Floats) -> float:
        """The influence of the row that has most of it. Of a plain mean it is known already."""
        if self._extent is None or self.moments is None:
            return math.inf
        known = {(1.0, 0.0): 0, (0.0, 1.0): 1, (1.0, 1.0): 2, (1.0,): 0}.get(tuple(weights))
        if known is None:
            extremes = grid_of(lambda part: [self._influence(part, weights)], self._view.n)
            return max(-extremes.low[0], extremes.high[0])
        mean = float(np.einsum("i,i->", weights, self.moments.mean))
        return max(mean - self._extent.low[known], self._extent.high[known] - mean)

    def _influence(self, part: slice, weights: Floats) -> Floats:
        total = np.zeros(part.stop - part.start)
        means = np.zeros(len(weights)) if self.moments is None else self.moments.mean
        for weight, mean, column in zip(weights, means, self._columns(part), strict=True):
            if weight:
                total += weight * (column - mean)
        return total


def _middle(label: Floats) -> float:
    return float(label.min()) / 2 + float(label.max()) / 2
