"""ROC AUC of many classes: one class against the rest, averaged over the classes that occur."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlops_ci.verdict.intervals import Interval, logit_interval, normal_interval, wilson
from mlops_ci.verdict.moments import FEW_CHANGES
from mlops_ci.verdict.ranking import bounded_mean, combine, influence_se, placements
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
        placed = placements(side.score[:, k], actual)
        share = float(counts[k]) / view.n
        value += placed.area / len(present)
        influence[actual] += (placed.positive - placed.area) / share / len(present)
        influence[~actual] += (placed.negative - placed.area) / (1 - share) / len(present)
        own[actual] = placed.positive
    return Areas(value, influence, own, int(counts[present].min()))


def areas_interval(found: Areas, level: float) -> Interval:
    se = influence_se(found.influence)
    if int((found.placed != 1).sum()) < FEW_CHANGES or se == 0:
        return wilson(found.value * found.rarest, found.rarest, level)
    return logit_interval(found.value, se, level, "DeLong, one against the rest, logit")


def areas_change_interval(base: Areas, head: Areas, level: float) -> Interval:
    moved = head.influence - base.influence
    change = head.value - base.value
    if int((moved != 0).sum()) < FEW_CHANGES:
        # As if all changes fell on the rarest class, of which a row weighs most.
        few = np.zeros(head.rarest)
        return combine(change, [bounded_mean(few, level).shifted(change)], "score")
    return normal_interval(change, influence_se(moved), level, "DeLong, one against the rest")
