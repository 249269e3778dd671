"""What each row adds to a metric, known from the statistics of all rows: for a second pass.

The influences are those of `influence` (Hampel 1974); of scores they are those of the steps that
were counted, whose bound is part of the interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import get_args

import numpy as np

from mlops_ci.config.model import Average, Policy
from mlops_ci.verdict.aggregates.grouped import Adds, Asked
from mlops_ci.verdict.aggregates.joint import Joint, Steps
from mlops_ci.verdict.aggregates.losses import key_of
from mlops_ci.verdict.aggregates.sufficient import Sufficient
from mlops_ci.verdict.aggregates.weighed import Weighed
from mlops_ci.verdict.assessing import impossible
from mlops_ci.verdict.by_weights import Slopes, known_of
from mlops_ci.verdict.confusion import linearise
from mlops_ci.verdict.losses import columns_of, is_of_losses, loss_of
from mlops_ci.verdict.margins import Gradient, margins_of
from mlops_ci.verdict.merged import MergedPart, wanted_of
from mlops_ci.verdict.names import Metric, known_metric, metric_of
from mlops_ci.verdict.precision import average_precision
from mlops_ci.verdict.rows import Floats, View
from mlops_ci.verdict.summed import SummedMeans

SLACK = 1 + 1e-9  # what a bound may be passed by, by rounding


@dataclass(frozen=True)
class OfCells:
    """`sides`: by label and prediction, of `classes`."""

    sides: tuple[Gradient, ...]
    classes: int

    @cached_property
    def most(self) -> float:
        ends = [one.ends(np.arange(self.classes)) for one in self.sides]
        return float(max(max(-low.min(), high.max()) for low, high in ends))

    def of(self, view: View) -> list[Floats]:
        found = []
        for one, side in zip(self.sides, view.sides, strict=True):
            if side.prediction is None:
                raise ValueError("no prediction")
            found.append(one.at(view.label, side.prediction))
        return found


@dataclass(frozen=True)
class OfSteps:
    """`tables` [sides, 2 · steps]: by the step of the score, its negative rows before its positive
    ones."""

    scale: Steps
    tables: Floats

    @cached_property
    def most(self) -> float:
        return float(np.abs(self.tables).max())

    def of(self, view: View) -> list[Floats]:
        found = []
        for table, side in zip(self.tables, view.sides, strict=True):
            if side.score is None:
                raise ValueError("no score")
            place = self.scale.step_of(side.score)
            place *= 2
            place += view.actual
            found.append(table.take(place))
        return found


@dataclass(frozen=True)
class OfLosses:
    """`weights` [sides, columns] of the distances of `columns_of` a loss from their `means`."""

    metric: Metric
    centre: float
    weights: Floats
    means: Floats
    most: float

    def of(self, view: View) -> list[Floats]:
        columns = columns_of(loss_of(self.metric), view, self.centre)[: len(self.means)]
        centred = [column - mean for column, mean in zip(columns, self.means, strict=True)]
        return [
            sum((w * one for w, one in zip(weights, centred, strict=True) if w), np.zeros(view.n))
            for weights in self.weights
        ]


@dataclass(frozen=True)
class OfMeans:
    """`sides`: of a smooth function of weighted means."""

    metric: Metric
    sides: tuple[Slopes, ...]
    most: float

    def of(self, view: View) -> list[Floats]:
        pairs = zip(self.sides, view.sides, strict=True)
        return [one.of(self.metric, view, side) for one, side in pairs]


def asked_of(found: Sufficient, metrics: Iterable[str], crowd: int) -> dict[str | None, Asked]:
    """Of all rows (None) and of each slice. `metrics`: those asked for beside the usual ones; names
    of others are passed over. `crowd`: rows that no group has more of."""
    own = {value.name for value in found.question.values}
    names = [name for name in metrics if name in own or known_metric(name) is not None]
    parts: dict[str | None, Sufficient] = {None: found}
    parts.update(found.slices)
    return {name: _asked(part, name, names, crowd) for name, part in parts.items()}


def _asked(found: Sufficient, slice_name: str | None, names: Sequence[str], crowd: int) -> Asked:
    averages: tuple[Average, ...] = get_args(Average)
    adds: dict[str, Adds] = {}
    for average in averages if found.question.task == "multiclass" else averages[:1]:
        part = MergedPart(found, Policy(average=average), slice_name)
        for name in wanted_of(found.question, names):
            metric = metric_of(name, part.view.values)
            if part.key_of(metric) in adds or impossible(part, metric) is not None:
                continue
            one = _adds(part, metric)
            if one is not None:
                adds[part.key_of(metric)] = one
    weighed = found.unequal
    if weighed is None:
        return Asked(adds, found.gaps is not None, crowd)
    gaps = found.gaps is not None and not weighed.by_rows
    return Asked(adds, gaps, crowd, weighed.scale, weighed.most)


def _adds(part: MergedPart, metric: Metric) -> Adds | None:
    if metric.needs == "group" or metric.name == "ece":
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        if part.weights is not None:
            return _weighted(part, part.weights, metric)
        if is_of_losses(metric):
            return _of_losses(part, metric)
        if metric.needs == "score":
            kind = _SCORES.get(metric.name)
            return None if kind is None or part.view.task != "binary" else kind(part)
        return _of_cells(part, metric)


def _weighted(part: MergedPart, weighed: Weighed, metric: Metric) -> Adds | None:
    """What rows add before they are multiplied by their weights."""
    if metric.name == "roc_auc" and part.view.task != "binary":
        return None
    found = [known_of(part, weighed, side, metric) for side in range(part.sides)]
    adds = [one.adds for one in found if one is not None]
    if len(adds) < part.sides:
        return None
    cells = tuple(one for one in adds if isinstance(one, Gradient))
    if cells:
        return OfCells(cells, len(part.view.classes))
    slopes = tuple(one for one in adds if isinstance(one, Slopes))
    if slopes:
        most = sum(_farthest(part, metric, one) for one in slopes) * SLACK
        return OfMeans(metric, slopes, most) if np.isfinite(most) else None
    tables = [one for one in adds if isinstance(one, np.ndarray)]
    return OfSteps(part.joint.scale, np.stack(tables))


def _farthest(part: MergedPart, metric: Metric, slopes: Slopes) -> float:
    """No row of either side adds more."""
    extent, sides = part.found.losses[key_of(metric)].extent, part.sides
    far = [max(abs(low), abs(high)) for low, high in zip(extent.low, extent.high, strict=True)]
    scheme, reach = part.scheme_of(metric), [max(far[0], far[-1] if sides > 1 else 0.0)]
    if loss_of(metric).signed:
        reach = [reach[0] + abs(scheme.centre)]
    if len(slopes.means) > 1:
        label = far[sides] + abs(slopes.label - scheme.centre)
        reach += [label, label**2]
    ends = np.array(reach) + np.abs(slopes.means)
    return float((np.abs(slopes.slopes) * ends).sum())


def _of_cells(part: MergedPart, metric: Metric) -> Adds | None:
    sides = []
    for side in range(part.sides):
        linear = linearise(margins_of(part.cells, side), part.question(metric))
        if linear is None:
            return None
        sides.append(linear[1])
    return OfCells(tuple(sides), len(part.view.classes))


def _of_area(part: MergedPart) -> Adds:
    tables = []
    for side, placed in enumerate(part.placements):
        positives, negatives = (
            int(one.sum()) for one in (placed.ranking.positives, placed.ranking.negatives)
        )
        n = positives + negatives
        of_positive = (placed.positive - placed.area) * (n / positives)
        of_negative = (placed.negative - placed.area) * (n / negatives)
        tables.append(_of_held(part.joint, side, of_negative, of_positive))
    return OfSteps(part.joint.scale, np.stack(tables))


def _of_precision(part: MergedPart) -> Adds:
    found = [average_precision(one) for one in part.rankings]
    tables = [
        _of_held(part.joint, side, one.of_negative, one.of_positive)
        for side, one in enumerate(found)
    ]
    return OfSteps(part.joint.scale, np.stack(tables))


def _of_held(joint: Joint, side: int, of_negative: Floats, of_positive: Floats) -> Floats:
    table = np.zeros((joint.scale.steps, 2))
    held = joint.held(side)
    table[held, 0], table[held, 1] = of_negative, of_positive
    # A step without rows of a class has none to add anything.
    table[joint.counts[side] == 0] = 0.0
    return table.ravel()


_SCORES: Mapping[str, Callable[[MergedPart], Adds]] = {
    "roc_auc": _of_area,
    "average_precision": _of_precision,
}


def _of_losses(part: MergedPart, metric: Metric) -> Adds | None:
    means = part.means(metric)
    if not isinstance(means, SummedMeans) or means.moments is None:
        return None
    found = [means.weights(side) for side in range(part.sides)]
    most = max(means.farthest(one) for one in found) * SLACK
    if not np.isfinite(most):
        return None
    scheme = part.scheme_of(metric)
    # Values are summed around their centre, and told as they are.
    centre = 0.0 if loss_of(metric).signed else scheme.centre
    return OfLosses(metric, centre, np.stack(found), means.moments.mean, most)
