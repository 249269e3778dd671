"""One metric on one part of the rows: values, their own intervals, the interval of the change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from mlops_ci.config.model import Average, Policy
from mlops_ci.verdict import calibration, confusion, precision, ranking
from mlops_ci.verdict.aggregates.bins import bin_rank
from mlops_ci.verdict.aggregates.cells import MAX_CLASSES, Cells, count_cells
from mlops_ci.verdict.aggregates.chunks import together
from mlops_ci.verdict.aggregates.gaps import count_gaps
from mlops_ci.verdict.aggregates.order import Ranking, rank
from mlops_ci.verdict.intervals import EXACTLY_ZERO, Interval, wilson
from mlops_ci.verdict.losses import LOSSES, Means
from mlops_ci.verdict.multiclass import areas, areas_change_interval, areas_interval
from mlops_ci.verdict.names import METRICS, Metric
from mlops_ci.verdict.rows import Ints, View
from mlops_ci.verdict.soundness import faults_of

# From here on the AUC comes from bins; the bound of what they hide is part of the interval.
BINNED = 1 << 19
# The rarer class needs as many rows as a mean does.
RARE = 30


@dataclass(frozen=True)
class Measured:
    """Per side (base, head, or head alone): value and own interval; the change's interval.

    None: it has none, and `note` says why. `average` names how classes were averaged.
    """

    values: tuple[float | None, ...]
    own: tuple[Interval | None, ...] = (None, None)
    change: Interval | None = None
    note: str | None = None
    average: str | None = None


class Part:
    """All rows or a slice, with what several metrics share computed once."""

    def __init__(self, view: View, policy: Policy, slice_name: str | None) -> None:
        self.view = view
        self.policy = policy
        self.level = policy.level
        self.slice = slice_name

    @property
    def sides(self) -> int:
        return len(self.view.sides)

    @cached_property
    def cells(self) -> Cells:
        return count_cells(self.view)

    @cached_property
    def tables(self) -> tuple[Ints, ...]:
        return tuple(self.cells.table(side) for side in range(self.sides))

    @cached_property
    def rankings(self) -> tuple[Ranking, ...]:
        actual = self.view.actual
        works = [
            partial(rank, side.score, actual) for side in self.view.sides if side.score is not None
        ]
        return tuple(together(works, self.view.n))

    @cached_property
    def placements(self) -> tuple[ranking.Placements, ...]:
        """By bins where rows are many: a sort is then most of the work of all metrics."""
        if self.view.n < BINNED:
            return tuple(ranking.placements(one) for one in self.rankings)
        actual = self.view.actual
        binned = [
            bin_rank(side.score, actual) for side in self.view.sides if side.score is not None
        ]
        return tuple(ranking.placements(one, one.blur) for one in binned)

    @cached_property
    def calibration(self) -> tuple[list[float], list[Interval]]:
        gaps = count_gaps(self.view)
        seen = [calibration.calibration_error(gaps, side) for side in range(self.sides)]
        return seen, calibration.calibration_intervals(gaps, self.sides, self.level)

    @cached_property
    def class_counts(self) -> Ints:
        return self.view.class_counts

    @cached_property
    def faults(self) -> dict[str, str]:
        """Why an array of a side cannot be used (`prediction`, `score`), or its scores not as
        probabilities (`probability`); only what is wrong.
        """
        names = ("base", "head")[-self.sides :]
        found: dict[str, str] = {}
        for name, outputs in zip(names, self.view.sides, strict=True):
            for what, why in faults_of(outputs, self.view.task, name):
                found.setdefault(what, why)
        return found

    @cached_property
    def rarest(self) -> int:
        """Rows of the rarest class: of all classes, or in a slice of those that occur in it."""
        counts = self.class_counts
        if self.view.task == "multiclass":
            counts = counts[counts > 0]
        return int(counts.min()) if len(counts) else 0


def measure(part: Part, name: str) -> Measured:
    """`name`: one of ours. What cannot be assessed comes back with a note, never as a number."""
    metric = METRICS[name]
    nothing: tuple[float | None, ...] = (None,) * part.sides
    why = _impossible(part, metric)
    if why is not None:
        return Measured(nothing, note=why, average=_average(part, metric))
    with np.errstate(over="ignore", invalid="ignore"):
        found = _FAMILIES.get(name, _measure_confusion)(part, metric)
    return _sound(_exact(_guarded(part, metric, found), part))


def _impossible(part: Part, metric: Metric) -> str | None:
    view = part.view
    if view.task not in metric.tasks:
        return f"not defined for a {view.task} task"
    if view.n == 0:
        return "no row is left"
    if metric.needs in part.faults:
        return part.faults[metric.needs]
    if metric.name in ("log_loss", "brier", "ece") and "probability" in part.faults:
        return part.faults["probability"]
    return _undefined(part, metric)


def _undefined(part: Part, metric: Metric) -> str | None:
    view = part.view
    if metric.by_class and (part.class_counts > 0).sum() < 2:
        return "only one class occurs among the labels"
    if metric.needs == "prediction" and metric.by_class and len(view.classes) > MAX_CLASSES:
        return f"more than {MAX_CLASSES} classes"
    if metric.name == "mape" and (view.label == 0).any():
        return "a label is 0, and a percentage of it means nothing"
    if metric.name == "r2" and (view.label == view.label[0]).all():
        return "all labels are equal"
    return None


def _guarded(part: Part, metric: Metric, found: Measured) -> Measured:
    """The same without intervals where there are too few rows to trust one."""
    why = None
    if part.view.n < part.policy.min_rows:
        why = f"{part.view.n} rows, fewer than min-rows ({part.policy.min_rows})"
    elif _needs_every_class(part, metric) and part.rarest < RARE:
        why = f"{part.rarest} rows of the rarer class, fewer than {RARE}"
    if why is None:
        return found
    return Measured(found.values, note=f"not assessed: {why}", average=found.average)


def _needs_every_class(part: Part, metric: Metric) -> bool:
    return metric.by_class or (part.slice is not None and part.view.task == "binary")


def _exact(found: Measured, part: Part) -> Measured:
    """Of identical models nothing changed, however few the rows."""
    if not part.view.identical or None in found.values:
        return found
    return Measured(found.values, found.own, EXACTLY_ZERO, found.note, found.average)


def _sound(found: Measured) -> Measured:
    """No number that is not finite leaves this room."""
    values = tuple(v if v is not None and np.isfinite(v) else None for v in found.values)
    own = tuple(i if i is not None and _is_finite(i) else None for i in found.own)
    change = found.change if found.change is not None and _is_finite(found.change) else None
    note = found.note
    if note is None and None in values:
        note = "the metric has no finite value on these rows"
    elif note is None and (None in own[: len(values)] or (len(values) > 1 and change is None)):
        note = "not assessed: nothing bounds its variance on these rows"
    return Measured(values, own, change if None not in values else None, note, found.average)


def _is_finite(interval: Interval) -> bool:
    return bool(np.isfinite([interval.low, interval.high, interval.se]).all())


def _average(part: Part, metric: Metric) -> Average | str | None:
    if metric.average is not None:
        return metric.average
    if metric.name == "roc_auc" and part.view.task == "multiclass":
        return "macro"
    return part.policy.average if metric.averaged and part.view.task == "multiclass" else None


def _measure_confusion(part: Part, metric: Metric) -> Measured:
    average = _average(part, metric)
    positive = part.view.positive if part.view.task == "binary" else None
    name = metric.name.removesuffix(f"_{metric.average}") if metric.average else metric.name
    question = confusion.Question(name, positive, average)
    found = [confusion.linearise(table, question) for table in part.tables]
    values = tuple(None if linear is None else linear[0] for linear in found)
    own = tuple(confusion.own_interval(table, question, part.level) for table in part.tables)
    change = None
    if part.sides > 1 and None not in values:
        change = confusion.change_interval(part.cells, question, part.level)
    note = None if None not in values else "no row was predicted to be positive"
    return Measured(values, own, change, note, average)


def _measure_accuracy(part: Part, metric: Metric) -> Measured:
    cells = part.cells
    hits = [int((cells.correct(side) * cells.counts).sum()) for side in range(part.sides)]
    own = tuple(wilson(count, cells.n, part.level) for count in hits)
    change = confusion.paired_proportions(cells, part.level) if part.sides > 1 else None
    values = tuple(count / cells.n for count in hits)
    return Measured(values, own, change, average=_average(part, metric))


def _measure_loss(part: Part, metric: Metric) -> Measured:
    means = Means(metric.name, part.view)
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
    area = ranking.area_of(placed, part.view.actual)
    own = tuple(area.own(side, part.level) for side in range(part.sides))
    return Measured(values, own, area.change(part.level) if part.sides > 1 else None)


def _measure_areas(part: Part, metric: Metric) -> Measured:
    found = [areas(part.view, side) for side in part.view.sides]
    values = tuple(one.value for one in found)
    own = tuple(areas_interval(one, part.level) for one in found)
    change = areas_change_interval(found[0], found[1], part.level) if part.sides > 1 else None
    return Measured(values, own, change, average=_average(part, metric))


def _measure_precision(part: Part, _: Metric) -> Measured:
    actual = part.view.actual
    works = [partial(precision.average_precision, one, actual) for one in part.rankings]
    found = list(together(works, part.view.n))
    own = tuple(precision.precision_interval(one, part.level) for one in found)
    change = None
    if part.sides > 1:
        change = precision.precision_change_interval(found[0], found[1], part.level)
    return Measured(tuple(one.value for one in found), own, change)


def _measure_calibration(part: Part, _: Metric) -> Measured:
    if part.view.n < 2:
        return Measured((None,) * part.sides, note="one row has no calibration")
    seen, intervals = part.calibration
    change = intervals[-1] if part.sides > 1 else None
    return Measured(tuple(seen), tuple(intervals[: part.sides]), change)


_FAMILIES: dict[str, Callable[[Part, Metric], Measured]] = {
    **dict.fromkeys(("accuracy", "precision_micro", "recall_micro", "f1_micro"), _measure_accuracy),
    "roc_auc": _measure_area,
    "average_precision": _measure_precision,
    "ece": _measure_calibration,
    **dict.fromkeys(LOSSES, _measure_loss),
}
