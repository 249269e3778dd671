"""Means of losses of rows that are not there any more: from their sums and extremes.

The intervals are those of `means` (Oehlert 1992, doi:10.1080/00031305.1992.10475842; Hall 1992,
see `intervals`).
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np

from mlops_ci.verdict.aggregates.losses import Scheme, without_labels
from mlops_ci.verdict.aggregates.sums import Grid, order_for
from mlops_ci.verdict.aggregates.totals import WIDTH, Key, Totals, top_of
from mlops_ci.verdict.intervals import Interval
from mlops_ci.verdict.losses import Loss
from mlops_ci.verdict.means import Means
from mlops_ci.verdict.moments import FEW_ROWS, Moments, few_rows_decide
from mlops_ci.verdict.rows import Floats, View


class SummedMeans(Means):
    """Where few rows decide, the rows are needed: no interval then."""

    def __init__(self, loss: Loss, view: View, found: Totals, scheme: Scheme) -> None:
        self._loss, self._view, self._centre = loss, view, scheme.centre
        sides = len(view.sides)
        if scheme.explains and not self._explains:
            found = without_labels(found, sides)
        self.moments = moments_of_totals(found, order_for(view.n))
        self._extent = found.extent
        if loss.signed and scheme.centre:
            self.moments.mean[0] += scheme.centre
            self._extent = _shifted(found.extent, scheme.centre)

    def _interval(
        self, gradient: Floats, reach: tuple[float, float], level: float
    ) -> Interval | None:
        if self._view.n < FEW_ROWS or self.moments is None:
            return None
        weights = np.einsum("ij,i->j", self._lift, gradient)
        square = self.moments.variance(weights) * (self._view.n - 1)
        if few_rows_decide(square, self._farthest(weights), reach[1] - reach[0]):
            return None
        return super()._interval(gradient, reach, level)

    def weights(self, side: int) -> Floats:
        """Of the columns of `columns_of`: what a row adds to a side's value."""
        return np.asarray(np.einsum("ij,i->j", self._lift, self._smooth(side)[1]))

    def farthest(self, weights: Floats) -> float:
        return self._farthest(weights)

    def _farthest(self, weights: Floats) -> float:
        """No row's influence is larger; of one loss alone that of the row that has most of it."""
        if self._extent is None or self.moments is None:
            return math.inf
        sides = len(self._view.sides)
        low, high = np.array(self._extent.low), np.array(self._extent.high)
        mean, ours = self.moments.mean, weights[:sides]
        reach = [_reach(low[:sides] - mean[:sides], high[:sides] - mean[:sides], ours)]
        if sides > 1:
            # The same of base's and head's losses, and of head's and the difference.
            head = mean[0] + mean[1]
            ends = low[-1] - head, high[-1] - head
            base, apart = (low[at] - mean[at] for at in (0, 1))
            base_high, apart_high = (high[at] - mean[at] for at in (0, 1))
            reach += [
                _reach(
                    np.array([base, ends[0]]),
                    np.array([base_high, ends[1]]),
                    np.array([ours[0] - ours[1], ours[1]]),
                ),
                _reach(
                    np.array([apart, ends[0]]),
                    np.array([apart_high, ends[1]]),
                    np.array([ours[1] - ours[0], ours[0]]),
                ),
            ]
        return min(reach) + self._farthest_label(weights)

    def _farthest_label(self, weights: Floats) -> float:
        """Of the label and its square: a parabola, which is extreme at an end or at its turn."""
        if not self._explains or self._extent is None or self.moments is None:
            return 0.0
        at = len(self._view.sides)
        first, second = float(weights[at]), float(weights[at + 1])
        low, high = self._extent.low[at], self._extent.high[at]
        turn = -first / (2 * second) if second else low
        mean = first * self.moments.mean[at] + second * self.moments.mean[at + 1]
        places = [low, high, min(max(turn, low), high)]
        return max(abs(first * one + second * one * one - float(mean)) for one in places)


def _reach(low: Floats, high: Floats, weights: Floats) -> float:
    """The largest distance from 0 of a weighted sum of values between these."""
    ends = np.stack((weights * low, weights * high))
    return float(max(ends.max(axis=0).sum(), -ends.min(axis=0).sum()))


def _shifted(extent: Grid, by: float) -> Grid:
    """Of losses, all but the difference of two sides, which stays."""
    low, high = (
        tuple(end if at == 1 and len(ends) > 1 else end + by for at, end in enumerate(ends))
        for ends in (extent.low, extent.high)
    )
    return Grid(low, high)


def moments_of_totals(found: Totals, order: int) -> Moments:
    """Of products of up to `order` columns. In whole numbers to the last step."""
    cuts = {key: WIDTH * (top_of(found.extent, key) - 1) for key in found.sums}
    # One unit for every column, so small that those of all products are whole.
    unit = min(cut // len(key) for key, cut in cuts.items())
    whole = {key: found.whole(key) << (cut - unit * len(key)) for key, cut in cuts.items()}

    def number(value: int, power: int) -> float:
        """`value` [units^power] of a sum of products of rows' numbers and means."""
        return float(Fraction(value, found.n**power) * Fraction(2) ** (unit * power))

    mean = np.array([number(whole[at,], 1) for at in range(found.summed)])
    centred = {
        key: number(_centred(whole, found.n, key), len(key))
        for key in whole
        if 1 < len(key) <= order
    }
    return Moments(found.n, mean, centred)


def _centred(whole: dict[Key, int], n: int, key: Key) -> int:
    """n^order times the mean of Π(xᵢ − x̄ᵢ), multiplied out over the factors whose mean is taken."""
    total = 0
    for taken in product((False, True), repeat=len(key)):
        means = math.prod(-whole[at,] for at, take in zip(key, taken, strict=True) if take)
        rest = tuple(at for at, take in zip(key, taken, strict=True) if not take)
        sums = whole[rest] * n ** (len(rest) - 1) if rest else 1
        total += means * sums
    return total
