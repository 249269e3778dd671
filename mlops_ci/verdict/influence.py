"""What each row adds to a metric, and the metric's intervals by groups of rows from that.

Hampel 1974, "The influence curve and its role in robust estimation" (JASA 69, 383–393,
doi:10.1080/01621459.1974.10482962); groups as in Miller 2024 and Obuchowski 1997 (`clusters`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mlops_ci.verdict.clusters import Clusters
from mlops_ci.verdict.confusion import linearise
from mlops_ci.verdict.intervals import Interval
from mlops_ci.verdict.losses import LOSSES, loss_of
from mlops_ci.verdict.margins import margins_of
from mlops_ci.verdict.means import Means
from mlops_ci.verdict.measured import Measured
from mlops_ci.verdict.multiclass import areas
from mlops_ci.verdict.names import Metric
from mlops_ci.verdict.part import Part
from mlops_ci.verdict.precision import average_precision
from mlops_ci.verdict.ranking import Placements, placements
from mlops_ci.verdict.rows import Floats

NOT_SUMMED = (
    "not assessed: rows belong together, and what they add to it was not summed over their groups"
)


def by_groups(part: Part, metric: Metric, found: Measured) -> Measured:
    """The same values with intervals that count groups."""
    clusters = part.clusters
    if clusters is None or clusters.groups < 2 or None in found.values:
        return found
    intervals = part.by_groups(metric) or _of_rows(part, metric, clusters)
    if intervals is None:
        note = found.note or (None if clusters.rows else NOT_SUMMED)
        return replace(found, own=(None,) * part.sides, change=None, note=note)
    own = tuple(
        within_range(value, one, metric)
        for value, one in zip(found.values, intervals, strict=False)
    )
    change = None
    if part.sides > 1 and intervals[2] is not None:
        moved = float(found.values[1] or 0) - float(found.values[0] or 0)
        change = intervals[2].shifted(moved)
    return replace(found, own=own, change=change)


def _of_rows(part: Part, metric: Metric, clusters: Clusters) -> list[Interval | None] | None:
    """Around 0: of each side, and of two the change."""
    influences = None if not clusters.rows else influences_of(part, metric)
    if influences is None:
        return None
    reaches = [float(np.abs(one).max()) for one in influences]
    pairs = zip(influences, reaches, strict=True)
    found = [clusters.interval(one, reach, part.level) for one, reach in pairs]
    if part.sides > 1:
        change = influences[1] - influences[0]
        found.append(clusters.interval(change, sum(reaches), part.level))
    return found


def within_range(value: float | None, interval: Interval | None, metric: Metric) -> Interval | None:
    """A share stays a share."""
    if interval is None or value is None:
        return None
    found = interval.shifted(value)
    if metric.name in LOSSES or metric.needs == "value" or metric.name.startswith("pinball"):
        return found
    lowest = -1.0 if metric.name == "mcc" else 0.0
    return replace(found, low=max(found.low, lowest), high=min(found.high, 1.0))


def influences_of(part: Part, metric: Metric) -> list[Floats] | None:
    """Of every row on each side's value, [n] each with mean 0; None where there is none."""
    if metric.needs == "value" or metric.name in LOSSES or metric.name.startswith("pinball_loss"):
        means = Means(loss_of(metric), part.view)
        found = [means.influence(side) for side in range(part.sides)]
        return None if any(one is None for one in found) else [f for f in found if f is not None]
    if metric.name == "average_precision":
        rows, precisions = slice(0, part.view.n), map(average_precision, part.rankings)
        return [one.influence(part.view.actual, rows) for one in precisions]
    if metric.name == "roc_auc" and part.view.task == "multiclass":
        return [areas(part.view, side).influence for side in part.view.sides]
    if metric.name == "roc_auc":
        return [_of_area(part, placements(one)) for one in part.rankings]
    return _of_cells(part, metric)


def _of_area(part: Part, placed: Placements) -> Floats:
    actual, n = part.view.actual, part.view.n
    group = placed.ranking.group_of(slice(0, n))
    positives = int(actual.sum())
    of_positive = (placed.positive[group] - placed.area) * (n / positives)
    of_negative = (placed.negative[group] - placed.area) * (n / (n - positives))
    return np.asarray(np.where(actual, of_positive, of_negative))


def _of_cells(part: Part, metric: Metric) -> list[Floats] | None:
    found = []
    for side in range(part.sides):
        said = part.view.sides[side].prediction
        if metric.name == "accuracy":
            right = np.asarray(said == part.view.label, dtype=np.float64)
            found.append(right - np.count_nonzero(right) / part.view.n)
            continue
        linear = linearise(margins_of(part.cells, side), part.question(metric))
        if linear is None or said is None:
            return None
        found.append(linear[1].at(part.view.label, said))
    return found
