"""ROC AUC of many classes: one class against the rest, averaged over the classes that occur.

Provost & Domingos 2003, "Tree induction for probability-based ranking" (Machine Learning 52,
199–215, doi:10.1023/A:1024099825458). There a class weighs as much as it has rows; here, as in
scikit-learn's `multi_class="ovr", average="macro"`, each weighs the same. The influence is the mean
of the classes' placements (DeLong, DeLong & Clarke-Pearson 1988, doi:10.2307/2531595).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from mlops_ci.verdict.aggregates.crowds import CountedAreas
from mlops_ci.verdict.aggregates.order import rank
from mlops_ci.verdict.aggregates.sums import order_for
from mlops_ci.verdict.intervals import (
    Atoms,
    Interval,
    logit_interval,
    score_interval,
    skewed_interval,
    student_quantile,
    wilson,
)
from mlops_ci.verdict.moments import FEW_CHANGES, Moments, moments_of_column
from mlops_ci.verdict.ranking import ALONE, combine, placements
from mlops_ci.verdict.rows import Floats, Outputs, View
from mlops_ci.verdict.summed import moments_of_totals


@dataclass(frozen=True)
class Areas:
    """`influence` [n] of the macro average, the mean over classes of DeLong's components.

    `placed` [n]: each row's mean placement in its own class's AUC. `rarest`: rows of that class.
    """

    value: float
    influence: Floats
    placed: Floats
    rarest: int


def areas(view: View, side: Outputs) -> Areas:
    if side.score is None:
        raise ValueError("no score")
    counts = view.class_counts
    present = np.flatnonzero(counts)
    value, influence, own = 0.0, np.zeros(view.n), np.zeros(view.n)
    for k in present:
        actual = np.asarray(view.label == k)
        placed = placements(rank(np.ascontiguousarray(side.score[:, k]), actual))
        group = placed.ranking.group_of(slice(0, view.n))
        share = float(counts[k]) / view.n
        area, positive = placed.area, placed.positive[group[actual]]
        value += area / len(present)
        influence[actual] += (positive - area) / share / len(present)
        influence[~actual] += (placed.negative[group[~actual]] - area) / (1 - share) / len(present)
        own[actual] = positive
    return Areas(value, influence, own, int(counts[present].min()))


class ManyAreas(Protocol):
    """What a report needs of the mean over classes, by side."""

    @property
    def values(self) -> tuple[float, ...]: ...

    def own(self, side: int, level: float) -> Interval: ...

    def change(self, level: float) -> Interval | None: ...


@dataclass(frozen=True)
class RowAreas:
    """Of rows that are there."""

    sides: tuple[Areas, ...]

    @property
    def values(self) -> tuple[float, ...]:
        return tuple(one.value for one in self.sides)

    def own(self, side: int, level: float) -> Interval:
        found = self.sides[side]
        se = moments_of_column(found.influence).spread(ALONE).se
        return _own(found.value, se, (int((found.placed != 1).sum()), found.rarest), level)

    def change(self, level: float) -> Interval:
        base, head = self.sides
        moved = head.influence - base.influence
        change, few = head.value - base.value, int((moved != 0).sum()) < FEW_CHANGES
        if few:
            return _of_few(change, head.rarest, level)
        return _change(change, (moments_of_column(moved), ALONE), head.rarest, level)


@dataclass(frozen=True)
class SummedAreas:
    """Of rows that were counted as they were read. How far the values may lie from those of the
    unrounded scores is added to the intervals."""

    found: CountedAreas

    @property
    def values(self) -> tuple[float, ...]:
        return self.found.values

    def own(self, side: int, level: float) -> Interval:
        found = self.found
        weights = np.array([1.0, float(side)][: len(found.values)])
        counts = found.placed[side], found.rarest
        own = _own(found.values[side], self._moments.spread(weights).se, counts, level)
        return own.widened(found.blur[side])

    def change(self, level: float) -> Interval:
        base, head = self.found.values
        if self.found.moved < FEW_CHANGES:
            own = _of_few(head - base, self.found.rarest, level)
        else:
            moments = self._moments, np.array([0.0, 1.0])
            own = _change(head - base, moments, self.found.rarest, level)
        return own.widened(sum(self.found.blur))

    @cached_property
    def _moments(self) -> Moments:
        return moments_of_totals(self.found.totals, order_for(self.found.totals.n))


def _own(value: float, se: float, rows: tuple[int, int], level: float) -> Interval:
    """`rows`: that are not placed above every row of another class, and of the rarest class."""
    placed, rarest = rows
    if placed < FEW_CHANGES or se == 0 or not 0 < value < 1:
        return wilson(value * rarest, rarest, level)
    quantile = student_quantile(level, rarest - 1)
    return logit_interval(value, se, quantile, "DeLong, one against the rest, logit")


def _of_few(change: float, rarest: int, level: float) -> Interval:
    """As if all changes fell on the rarest class, of which a row weighs most."""
    atoms = Atoms(np.zeros(1), np.array([float(rarest)]), -1.0, 1.0)
    return combine(change, [score_interval(atoms, level, "score").shifted(change)], "score")


def _change(change: float, moved: tuple[Moments, Floats], rarest: int, level: float) -> Interval:
    moments, weights = moved
    spread = moments.spread(weights)
    quantile = student_quantile(level, min(rarest - 1, moments.freedom(weights)))
    found = skewed_interval(spread.se, spread.skew, quantile, "DeLong, one against the rest")
    return found.shifted(change)
