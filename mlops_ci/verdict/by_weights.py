"""Metrics of rows with weights that are not there any more: from their weighted sums.

Values and influences are those of `weights` (Hájek 1971; Deville 1999), of scores those of the
steps that were counted, whose bound is part of the interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.verdict import confusion
from mlops_ci.verdict.aggregates.losses import key_of
from mlops_ci.verdict.aggregates.weighed import Weighed
from mlops_ci.verdict.by_groups import gaps_by_groups, gaps_of_products, intervals_of, units_of
from mlops_ci.verdict.calibration import Sampled
from mlops_ci.verdict.clusters import ClusterGaps
from mlops_ci.verdict.intervals import Interval
from mlops_ci.verdict.losses import explained_of, is_of_losses, loss_of
from mlops_ci.verdict.margins import Gradient, Margins
from mlops_ci.verdict.measured import Measured
from mlops_ci.verdict.names import Metric
from mlops_ci.verdict.rows import Floats, Outputs, View
from mlops_ci.verdict.weighted_ranks import (
    blur_of_area,
    blur_of_precision,
    weighted_area,
    weighted_precision,
)
from mlops_ci.verdict.weights import NO_QUERIES, told, told_of_gaps

if TYPE_CHECKING:
    from mlops_ci.verdict.merged import MergedPart


@dataclass(frozen=True)
class Slopes:
    """Of a smooth function of means: of the loss, and for R² of the label's distance from its mean
    and of its square."""

    slopes: Floats
    means: Floats
    label: float

    def of(self, metric: Metric, view: View, side: Outputs) -> Floats:
        columns = [loss_of(metric).per_row(view, side)]
        if len(self.means) > 1:
            centred = view.label - self.label
            columns += [centred, centred**2]
        found = np.zeros(view.n)
        for slope, column, mean in zip(self.slopes, columns, self.means, strict=True):
            if slope:
                found += slope * (column - mean)
        return found


@dataclass(frozen=True)
class Known:
    """A side's value and what a row adds to it, by its cell, its step (in turns negative and
    positive rows) or its loss. `most`: no row could add more, as far as it is known."""

    value: float
    adds: Gradient | Floats | Slopes
    most: float
    blur: float = 0.0


def known_of(part: MergedPart, weighed: Weighed, side: int, metric: Metric) -> Known | None:
    """None where the metric has no value."""
    if is_of_losses(metric):
        return _of_loss(part, weighed, side, metric)
    if metric.needs == "score":
        return _of_scores(part, weighed, side, metric)
    return _of_cells(part, weighed, side, metric)


def _of_cells(part: MergedPart, weighed: Weighed, side: int, metric: Metric) -> Known | None:
    margins = Margins(weighed.total, *weighed.margins(side))
    found = confusion.influence_of(margins, part.question(metric))
    return None if found is None else Known(*found)


def _of_scores(part: MergedPart, weighed: Weighed, side: int, metric: Metric) -> Known:
    joint = part.joint
    held = joint.held(side)
    positive, negative = weighed.ranked(side, held)
    mixed = joint.mixed[side, held]
    if metric.name == "roc_auc":
        found, blur = weighted_area(positive, negative), blur_of_area(positive, negative, mixed)
    else:
        found = weighted_precision(positive, negative)
        blur = blur_of_precision(positive, negative, mixed, weighed.least)
    table = np.zeros((joint.scale.steps, 2))
    table[held, 0], table[held, 1] = found.of_negative, found.of_positive
    # A step without rows of a class has none to add anything.
    table[joint.counts[side] == 0] = 0.0
    return Known(found.value, table.ravel(), found.most, blur)


def _of_loss(part: MergedPart, weighed: Weighed, side: int, metric: Metric) -> Known | None:
    loss, means = loss_of(metric), weighed.means(key_of(metric))
    mean, label = float(means[side]), 0.0
    known = np.array([mean])
    if loss.smooth is explained_of:
        first, second = means[part.sides :]
        label = part.scheme_of(metric).centre + float(first)
        known = np.array([mean, 0.0, second - first**2])
    value, gradient = loss.smooth(known, 0)
    if not math.isfinite(value):
        return None
    low, high = _ends(part, side, metric)
    most = abs(float(gradient[0])) * max(mean - low, high - mean)
    return Known(value, Slopes(gradient, known, label), most)


def _ends(part: MergedPart, side: int, metric: Metric) -> tuple[float, float]:
    """Between which a side's loss lies: of the rows at hand, and a loss is at least 0."""
    extent, at = part.found.losses[key_of(metric)].extent, -1 if side else 0
    centre = part.scheme_of(metric).centre if loss_of(metric).signed else 0.0
    low = extent.low[at] + centre if loss_of(metric).signed else 0.0
    return low, extent.high[at] + centre


def measure_weighed(part: MergedPart, weighed: Weighed, metric: Metric) -> Measured:
    """As `measure_weighted`."""
    if metric.needs == "group":
        return Measured((None,) * part.sides, note=NO_QUERIES)
    if metric.name == "ece":
        return _measure_calibration(part, weighed)
    found = [known_of(part, weighed, side, metric) for side in range(part.sides)]
    values = tuple(None if one is None else one.value for one in found)
    known = [one for one in found if one is not None]
    return told(part, metric, values, lambda: _intervals(part, weighed, metric, known))


def _intervals(
    part: MergedPart, weighed: Weighed, metric: Metric, known: list[Known]
) -> list[Interval | None]:
    """Around 0."""
    grouped = weighed.grouped
    sums = None if grouped is None else grouped.sums.get(part.key_of(metric))
    if grouped is None or sums is None:
        return [None] * (2 * part.sides - 1)
    heaviest = weighed.most * weighed.scale
    pairs = zip(known, sums.reach, strict=True)
    reach = [max(one.most, seen) * heaviest for one, seen in pairs]
    blurs = [one.blur for one in known]
    found = intervals_of(sums, units_of(grouped), reach, part.level)
    by = "weighted" if weighed.by_rows else "groups, weighted"
    return [
        one and replace(one.widened(blur), method=f"{one.method}, {by}")
        for one, blur in zip(found, [*blurs, sum(blurs)], strict=False)
    ]


def _measure_calibration(part: MergedPart, weighed: Weighed) -> Measured:
    if part.view.n < 2:
        return Measured((None,) * part.sides, note="one row has no calibration")
    gaps, heaviest, units = _gaps_of(part, weighed)
    return told_of_gaps(part, gaps, Sampled(units, heaviest * units / weighed.total))


def _gaps_of(part: MergedPart, weighed: Weighed) -> tuple[ClusterGaps, float, int]:
    """With the weight of the heaviest unit, and how many there are."""
    mean, grouped = weighed.gaps, weighed.grouped
    if weighed.by_rows:
        products = float(weighed.of_classes[1].sum()), *weighed.products
        return gaps_of_products(products, mean, (weighed.n, weighed.total)), weighed.most, weighed.n
    if grouped is None or grouped.gaps is None:
        raise ValueError("no gaps were counted")
    heaviest = math.sqrt(grouped.gaps.extent.high[0])
    return gaps_by_groups(grouped, mean, part.sides, weighed.total), heaviest, grouped.groups
