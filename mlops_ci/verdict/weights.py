"""Rows that count more or less than one: weighted metrics, and intervals that know it.

A weighted metric is a function of the weighted distribution of the rows. Its change is, to first
order, the mean over rows of weight / mean weight times a row's influence there: the linearised
estimate of Hájek 1971 (in "Foundations of statistical inference", ed. Godambe & Sprott, 236) and
Woodruff 1971 (JASA 66, 411–414, doi:10.1080/01621459.1971.10482279), for functions as in Deville
1999 ("Variance estimation for complex statistics and estimators: linearization and residual
techniques", Survey Methodology 25, 193–203,
https://www150.statcan.gc.ca/n1/en/catalogue/12-001-X19990024882). Rows, each with its weight, are
what was sampled.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mlops_ci.verdict import confusion
from mlops_ci.verdict.aggregates.exact import sum_by, sum_of
from mlops_ci.verdict.aggregates.gaps import BINS, gap_of
from mlops_ci.verdict.aggregates.order import rank
from mlops_ci.verdict.calibration import (
    Sampled,
    calibration_error,
    calibration_intervals,
    sampled_of,
)
from mlops_ci.verdict.clusters import ClusterGaps
from mlops_ci.verdict.influence import within_range
from mlops_ci.verdict.intervals import Interval
from mlops_ci.verdict.losses import LOSSES, explained_of, loss_of
from mlops_ci.verdict.margins import Margins
from mlops_ci.verdict.measured import Measured
from mlops_ci.verdict.moments import mean_interval
from mlops_ci.verdict.names import Metric
from mlops_ci.verdict.part import Part
from mlops_ci.verdict.rows import Floats, Ints, Mask, Outputs, View
from mlops_ci.verdict.weighted_ranks import Placed, weighted_area, weighted_precision

NO_QUERIES = "not assessed: rows have weights, and a ranked group of rows has none of its own"


@dataclass(frozen=True)
class Linear:
    """A side's value and each row's influence on it [n], of weighted mean 0. `most`: how far the
    influence of any row could lie from 0.
    """

    value: float
    influence: Floats
    most: float


def measure_weighted(part: Part, metric: Metric) -> Measured:
    """As `measure`, of rows with weights; by groups where rows belong together."""
    nothing: tuple[float | None, ...] = (None,) * part.sides
    if metric.needs == "group":
        return Measured(nothing, note=NO_QUERIES)
    if metric.name == "ece":
        return _measure_calibration(part)
    found = [linear_of(part, side, metric) for side in range(part.sides)]

    def intervals() -> list[Interval | None]:
        known = [one for one in found if one is not None]
        around = [_interval(part, one.influence, one.most) for one in known]
        if len(known) > 1:
            base, head = known
            moved = head.influence - base.influence
            around.append(_interval(part, moved, base.most + head.most))
        return around

    values = tuple(None if one is None else one.value for one in found)
    return told(part, metric, values, intervals)


def told(
    part: Part,
    metric: Metric,
    values: tuple[float | None, ...],
    intervals: Callable[[], Sequence[Interval | None]],
) -> Measured:
    """`intervals`: around 0, of each side and, of two, of the change; asked for where all sides
    have a value."""
    average = part.average(metric)
    if None in values:
        what = metric.label or "positive"
        note = f"no row was predicted to be {what}" if metric.by_class else None
        return Measured(values, note=note, average=average)
    if part.view.n < 2:
        return Measured(values, average=average)
    found = intervals()
    own = tuple(within_range(value, one, metric) for value, one in zip(values, found, strict=False))
    if part.sides < 2 or found[2] is None:
        return Measured(values, own, average=average)
    moved = float(values[1] or 0) - float(values[0] or 0)
    return Measured(values, own, found[2].shifted(moved), average=average)


def _interval(part: Part, influence: Floats, most: float) -> Interval | None:
    """Around 0."""
    weight = _weight(part.view)
    scale = weight * (len(weight) / sum_of(weight))
    most *= float(scale.max())
    if part.clusters is not None:
        found = part.clusters.interval(scale * influence, most, part.level)
    else:
        found = mean_interval(scale * influence, (-most, most), part.level)
    return None if found is None else replace(found, method=f"{found.method}, weighted")


def _weight(view: View) -> Floats:
    if view.weight is None:
        raise ValueError("no weights")
    return view.weight


def linear_of(part: Part, side: int, metric: Metric) -> Linear | None:
    """None where the metric has no value."""
    view, outputs = part.view, part.view.sides[side]
    if metric.needs == "value" or metric.name in LOSSES or metric.name.startswith("pinball_loss"):
        return _of_loss(view, outputs, metric)
    if metric.name == "roc_auc" and view.task == "multiclass":
        return _of_areas(view, outputs)
    if metric.needs == "score":
        if outputs.score is None:
            raise ValueError("no score")
        place = weighted_area if metric.name == "roc_auc" else weighted_precision
        return _of_scores(place, outputs.score, view.actual, _weight(view))
    if metric.name == "accuracy" or metric.average == "micro":
        right = np.asarray(outputs.prediction == view.label, dtype=np.float64)
        return _of_mean(right, _weight(view), (0.0, 1.0))
    return _of_table(part, outputs, metric)


def _of_mean(column: Floats, weight: Floats, reach: tuple[float, float]) -> Linear:
    mean = sum_of(weight * column) / sum_of(weight)
    return Linear(mean, column - mean, max(mean - reach[0], reach[1] - mean))


def _of_loss(view: View, outputs: Outputs, metric: Metric) -> Linear | None:
    """A smooth function of weighted means (delta method)."""
    loss, weight = loss_of(metric), _weight(view)
    columns = [loss.per_row(view, outputs)]
    low = float(columns[0].min()) if loss.signed else 0.0
    high = float(columns[0].max())
    if not np.isfinite(columns[0]).all():
        return None
    if loss.smooth is explained_of:
        centred = view.label - _of_mean(view.label, weight, (0.0, 0.0)).value
        columns += [centred, centred**2]
    means = [_of_mean(column, weight, (low, high)) for column in columns]
    value, gradient = loss.smooth(np.array([one.value for one in means]), 0)
    if not math.isfinite(value):
        return None
    influence = np.zeros(view.n)
    for slope, one in zip(gradient, means, strict=True):
        influence += slope * one.influence
    most = max(abs(float(gradient[0])) * means[0].most, float(np.abs(influence).max()))
    return Linear(value, influence, most)


def _of_table(part: Part, outputs: Outputs, metric: Metric) -> Linear | None:
    view, k = part.view, len(part.view.classes)
    if outputs.prediction is None:
        raise ValueError("no prediction")
    weight, said = _weight(view), outputs.prediction
    total, right = sum_of(weight), said == view.label
    margins = Margins(
        total,
        sum_by(view.label, weight, k) / total,
        sum_by(said, weight, k) / total,
        sum_by(view.label[right], weight[right], k) / total,
    )
    found = confusion.influence_of(margins, part.question(metric))
    if found is None:
        return None
    value, influence, most = found
    return Linear(value, influence.at(view.label, said), most)


def _of_scores(
    place: Callable[[Floats, Floats], Placed], score: Floats, actual: Mask, weight: Floats
) -> Linear:
    """`place`: of the weight of each score's positive rows and of its negative ones."""
    ranking = rank(score, actual)
    code, size = np.asarray(ranking.group_of(slice(0, len(score)))), len(ranking.positives)
    positive, negative = (
        sum_by(code[kind], weight[kind], size) for kind in (actual, np.logical_not(actual))
    )
    found = place(positive, negative)
    influence = np.where(actual, found.of_positive[code], found.of_negative[code])
    return Linear(found.value, influence, max(found.most, float(np.abs(influence).max())))


def _of_areas(view: View, outputs: Outputs) -> Linear:
    """One class against the rest, averaged over the classes that occur."""
    if outputs.score is None:
        raise ValueError("no score")
    present = np.flatnonzero(view.class_counts)
    value, influence, most = 0.0, np.zeros(view.n), 0.0
    for k in present:
        score = np.ascontiguousarray(outputs.score[:, k])
        one = _of_scores(weighted_area, score, np.asarray(view.label == k), _weight(view))
        value += one.value / len(present)
        influence += one.influence / len(present)
        most += one.most / len(present)
    return Linear(value, influence, most)


def _measure_calibration(part: Part) -> Measured:
    if part.view.n < 2:
        return Measured((None,) * part.sides, note="one row has no calibration")
    return told_of_gaps(part, _gaps(part), sampled_of(part.view, part.clusters))


def told_of_gaps(part: Part, gaps: ClusterGaps, sampled: Sampled) -> Measured:
    seen = [calibration_error(gaps, side) for side in range(part.sides)]
    intervals = [
        replace(one, method=f"{one.method}, weighted")
        for one in calibration_intervals(gaps, part.sides, part.level, sampled)
    ]
    return Measured(
        tuple(seen), tuple(intervals[: part.sides]), intervals[-1] if part.sides > 1 else None
    )


def _gaps(part: Part) -> ClusterGaps:
    """The weighted mean gap of each bin of each side, and the covariance of these ratios."""
    view, weight = part.view, _weight(part.view)
    total, size = sum_of(weight), BINS * part.sides
    sides = [gap_of(view, side) for side in view.sides]
    places = [inside + BINS * at for at, (inside, _) in enumerate(sides)]
    moved = [weight * gap for _, gap in sides]
    sums = sum(sum_by(place, one, size) for place, one in zip(places, moved, strict=True))
    mean = np.asarray(sums / total, dtype=np.float64)
    if part.clusters is not None:
        return _gaps_by_groups(part, places, moved, mean)
    squares = np.zeros((size, size))
    lined = np.zeros(size)
    for one, first in zip(places, moved, strict=True):
        lined += sum_by(one, weight * first, size)
        for other, second in zip(places, moved, strict=True):
            squares += sum_by(one * size + other, first * second, size**2).reshape(size, size)
    scatter = squares - np.outer(lined, mean) - np.outer(mean, lined)
    scatter += np.outer(mean, mean) * sum_of(np.square(weight))
    return ClusterGaps(mean, scatter * (view.n / (view.n - 1) / total**2))


def _gaps_by_groups(
    part: Part, places: list[Ints], moved: list[Floats], mean: Floats
) -> ClusterGaps:
    clusters, weight, size = part.clusters, _weight(part.view), len(mean)
    if clusters is None:
        raise ValueError("no groups")
    table = np.zeros(clusters.groups * size)
    for place, one in zip(places, moved, strict=True):
        table += sum_by(clusters.codes * size + place, one, len(table))
    of_groups = sum_by(clusters.codes, weight, clusters.groups)
    centred = table.reshape(-1, size) - np.outer(of_groups, mean)
    centred = centred[np.lexsort(centred.T)]
    scatter = np.einsum("gi,gj->ij", centred, centred)
    g = clusters.groups
    return ClusterGaps(mean, scatter * (g / max(g - 1, 1) / sum_of(weight) ** 2))
