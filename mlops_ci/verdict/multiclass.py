"""ROC AUC of many classes: one class against the rest, averaged over the classes that occur.

Provost & Domingos 2003, "Tree induction for probability-based ranking" (Machine Learning 52,
199–215, doi:10.1023/A:1024099825458). There a class weighs as much as it has rows; here, as in
scikit-learn's `multi_class="ovr", average="macro"`, each weighs the same. The influence is the mean
of the classes' placements (DeLong, DeLong & Clarke-Pearson 1988, doi:10.2307/2531595).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlops_ci.verdict.aggregates.order import rank
from mlops_ci.verdict.intervals import (
    Interval,
    logit_interval,
    skewed_interval,
    student_quantile,
    wilson,
)
from mlops_ci.verdict.moments import FEW_CHANGES, bounded_interval, moments_of_column
from mlops_ci.verdict.ranking import combine, placements
from mlops_ci.verdict.rows import Floats, Outputs, View


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


def areas_interval(found: Areas, level: float) -> Interval:
    se = moments_of_column(found.influence).spread(np.ones(1)).se
    few = int((found.placed != 1).sum()) < FEW_CHANGES
    if few or se == 0 or not 0 < found.value < 1:
        return wilson(found.value * found.rarest, found.rarest, level)
    quantile = student_quantile(level, found.rarest - 1)
    return logit_interval(found.value, se, quantile, "DeLong, one against the rest, logit")


def areas_change_interval(base: Areas, head: Areas, level: float) -> Interval:
    moved = head.influence - base.influence
    change = head.value - base.value
    if int((moved != 0).sum()) < FEW_CHANGES:
        # As if all changes fell on the rarest class, of which a row weighs most.
        few = np.zeros(head.rarest)
        bound = bounded_interval(few, (-1.0, 1.0), level)
        return combine(change, [bound.shifted(change)] if bound else [], "score")
    moments, alone = moments_of_column(moved), np.ones(1)
    spread = moments.spread(alone)
    quantile = student_quantile(level, min(head.rarest - 1, moments.freedom(alone)))
    found = skewed_interval(spread.se, spread.skew, quantile, "DeLong, one against the rest")
    return found.shifted(change)
