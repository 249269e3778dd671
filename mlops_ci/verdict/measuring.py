"""One metric on one part of the rows: values, their own intervals, the interval of the change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from mlops_ci.verdict import confusion, precision
from mlops_ci.verdict.assessing import impossible, ranks, too_few
from mlops_ci.verdict.influence import by_groups
from mlops_ci.verdict.intervals import EXACTLY_ZERO, Interval, wilson
from mlops_ci.verdict.losses import LOSSES
from mlops_ci.verdict.margins import margins_of
from mlops_ci.verdict.measured import Measured
from mlops_ci.verdict.names import Metric, metric_of
from mlops_ci.verdict.part import Part
from mlops_ci.verdict.remarks import FEW_CARRIERS, carried_by, counted
from mlops_ci.verdict.weights import measure_weighted

FEW_A_CLASS = (
    "not assessed: over so many classes with so few rows each, luck moves an average by more than "
    "its error"
)
# Of intervals: a part of the metric's unit that is no width.
ROUNDING = 1e-12


def measure(part: Part, name: str) -> Measured:
    """`name`: one of ours, or of a column of values. What cannot be assessed comes back with a
    note, never as a number.
    """
    metric = metric_of(name, part.view.values)
    nothing: tuple[float | None, ...] = (None,) * part.sides
    why = impossible(part, metric)
    if why is not None:
        return Measured(nothing, note=why, average=part.average(metric))
    with np.errstate(over="ignore", invalid="ignore"):
        found = _measured(part, metric)
        found = _unranked(part, metric, found)
    return _sound(_exact(_guarded(part, metric, found), part), _scale_of(metric, found))


def _measured(part: Part, metric: Metric) -> Measured:
    if part.view.weight is not None:
        return part.weighed(metric) or measure_weighted(part, metric)
    found = _family(metric)(part, metric)
    if part.clusters is None or metric.needs == "group" or metric.name == "ece":
        return found
    return by_groups(part, metric, found)


def _unranked(part: Part, metric: Metric, found: Measured) -> Measured:
    """One side's equal scores have a value, and no rows that could tell how sure it is."""
    if not ranks(metric) or not any(part.constant):
        return found
    own = tuple(
        None if constant else one
        for one, constant in zip(found.own[: part.sides], part.constant, strict=True)
    )
    side = "head" if part.constant[-1] else "base"
    return replace(found, own=own, note=found.note or f"all scores of {side} are equal")


def _guarded(part: Part, metric: Metric, found: Measured) -> Measured:
    """The same without intervals where there are too few rows to trust one."""
    why = too_few(part, metric)
    if why is None:
        return found
    return Measured(found.values, note=f"not assessed: {why}", average=found.average)


def _exact(found: Measured, part: Part) -> Measured:
    """Of identical models nothing changed, however few the rows."""
    if not part.view.identical or None in found.values:
        return found
    return Measured(found.values, found.own, EXACTLY_ZERO, found.note, found.average)


def _sound(found: Measured, scale: float) -> Measured:
    """No number that is not finite leaves this room, and no interval without a width but that of
    identical models: where nothing varies, nothing is known of what may.
    """
    values = tuple(v if v is not None and np.isfinite(v) else None for v in found.values)
    own = tuple(i if _is_finite(i) and _has_width(i, scale) else None for i in found.own)
    change = found.change if _is_finite(found.change) else None
    if change is not EXACTLY_ZERO and not _has_width(change, scale):
        change = None
    note = found.note
    if note is None and None in values:
        note = "the metric has no finite value on these rows"
    elif note is None and (None in own[: len(values)] or (len(values) > 1 and change is None)):
        note = "not assessed: nothing bounds its variance on these rows"
    elif note is None and change is not None and change.carriers < FEW_CARRIERS:
        note = carried_by(change.carriers)
    return Measured(values, own, change if None not in values else None, note, found.average)


def _is_finite(interval: Interval | None) -> bool:
    if interval is None:
        return False
    return bool(np.isfinite([interval.low, interval.high, interval.se]).all())


def _has_width(interval: Interval | None, scale: float) -> bool:
    """More than what rounding leaves."""
    return interval is not None and interval.high - interval.low > ROUNDING * scale


def _scale_of(metric: Metric, found: Measured) -> float:
    """What rounding is measured by: a share of 0 is no smaller unit than a share of 1, but an error
    may be in billionths.
    """
    if metric.needs != "value" and metric.tasks != ("regression",):
        return 1.0
    return max((abs(value) for value in found.values if value is not None), default=0.0)


def _measure_confusion(part: Part, metric: Metric) -> Measured:
    question = part.question(metric)
    sides = range(part.sides)
    found = [confusion.linearise(margins_of(part.cells, one), question) for one in sides]
    values = tuple(None if linear is None else linear[0] for linear in found)
    own = tuple(confusion.own_interval(part.cells, one, question, part.level) for one in sides)
    change = None
    if part.sides > 1 and None not in values:
        change = confusion.change_interval(part.cells, question, part.level)
    note = None if None not in values else _never_said(metric)
    unsure = None in own or (part.sides > 1 and change is None)
    if note is None and unsure and question.average is not None:
        note = FEW_A_CLASS
    return Measured(values, own, change, note, question.average)


def _never_said(metric: Metric) -> str:
    return f"no row was predicted to be {metric.label or 'positive'}"


def _measure_accuracy(part: Part, metric: Metric) -> Measured:
    cells = part.cells
    hits = [int((cells.correct(side) * cells.counts).sum()) for side in range(part.sides)]
    own = tuple(wilson(count, cells.n, part.level) for count in hits)
    change = confusion.paired_proportions(cells, part.level) if part.sides > 1 else None
    values = tuple(count / cells.n for count in hits)
    return Measured(values, own, change, average=part.average(metric))


def _measure_loss(part: Part, metric: Metric) -> Measured:
    means = part.means(metric)
    sides = range(part.sides)
    values = tuple(means.value(side) for side in sides)
    if part.view.n < 2:
        return Measured(values)
    own = tuple(means.own(side, part.level) for side in sides)
    return Measured(values, own, means.change(part.level) if part.sides > 1 else None)


def _measure_area(part: Part, metric: Metric) -> Measured:
    if part.view.task == "multiclass":
        return _measure_areas(part, metric)
    placed = part.placements
    values = tuple(one.area for one in placed)
    if part.rarest < 2:
        return Measured(values)
    area = part.area
    own = tuple(area.own(side, part.level) for side in range(part.sides))
    return Measured(values, own, area.change(part.level) if part.sides > 1 else None)


def _measure_areas(part: Part, metric: Metric) -> Measured:
    found = part.areas
    own = tuple(found.own(side, part.level) for side in range(part.sides))
    change = found.change(part.level) if part.sides > 1 else None
    return Measured(found.values, own, change, average=part.average(metric))


def _measure_precision(part: Part, _: Metric) -> Measured:
    found = [precision.average_precision(one) for one in part.groups]
    own = tuple(precision.precision_interval(one, part.level) for one in found)
    change = None
    if part.sides > 1:
        change = part.precision_change(found)
    return Measured(tuple(one.value for one in found), own, change)


def _measure_calibration(part: Part, _: Metric) -> Measured:
    if part.view.n < 2:
        return Measured((None,) * part.sides, note="one row has no calibration")
    seen, intervals = part.calibration
    change = intervals[-1] if part.sides > 1 else None
    return Measured(tuple(seen), tuple(intervals[: part.sides]), change)


def _measure_queries(part: Part, metric: Metric) -> Measured:
    found = part.queried(metric)
    if found is None or not found.count:
        return Measured((None,) * part.sides, note="no group has a relevant row")
    if found.count < part.policy.min_rows:
        why = f"{counted(found.count, 'group')}, fewer than min-rows ({part.policy.min_rows})"
        return Measured(found.values, note=f"not assessed: {why}")
    own = tuple(found.own(side, part.level) for side in range(part.sides))
    return Measured(found.values, own, found.change(part.level) if part.sides > 1 else None)


def _family(metric: Metric) -> Callable[[Part, Metric], Measured]:
    if metric.needs == "group":
        return _measure_queries
    if metric.needs == "value" or metric.name.startswith("pinball_loss"):
        return _measure_loss
    return _FAMILIES.get(metric.name, _measure_confusion)


_FAMILIES: dict[str, Callable[[Part, Metric], Measured]] = {
    **dict.fromkeys(("accuracy", "precision_micro", "recall_micro", "f1_micro"), _measure_accuracy),
    "roc_auc": _measure_area,
    "average_precision": _measure_precision,
    "ece": _measure_calibration,
    **dict.fromkeys(LOSSES, _measure_loss),
}
