"""Which metrics these rows can tell at all, and of which there are enough to trust an interval."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.verdict.aggregates.cells import MOST_IN_TABLE
from mlops_ci.verdict.names import Metric, metric_of
from mlops_ci.verdict.part import Part
from mlops_ci.verdict.remarks import NO_QUERIES
from mlops_ci.verdict.rows import View

# The rarer class needs as many rows as a mean does.
RARE = 30


def impossible(part: Part, metric: Metric) -> str | None:
    """Why the metric has no value on these rows, or None."""
    view = part.view
    if view.task not in metric.tasks:
        return f"not defined for a {view.task} task"
    if view.n == 0:
        return "no row is left"
    needs = metric.needs
    if needs == "group":
        if not part.has_queries:
            return NO_QUERIES
        needs = "score" if view.task == "binary" else "prediction"
    if needs in part.faults:
        return part.faults[needs]
    if metric.needs == "value" and f"value {metric.name}" in part.faults:
        return part.faults[f"value {metric.name}"]
    if metric.name in ("log_loss", "brier", "ece") and "probability" in part.faults:
        return part.faults["probability"]
    return _undefined(part, metric) or part.beyond(metric)


def _undefined(part: Part, metric: Metric) -> str | None:
    view = part.view
    if metric.label is not None and metric.label not in view.classes:
        return f"there is no class {metric.label!r}"
    if metric.label is not None and not part.rarest_of(metric):
        return f"no row is of the class {metric.label!r}"
    if _asks_classes(part, metric) and (part.class_counts > 0).sum() < 2:
        return "only one class occurs among the labels"
    if ranks(metric) and part.constant and all(part.constant):
        return "all scores are equal: they rank nothing"
    if metric.needs == "prediction" and metric.by_class and _are_too_many(view):
        return f"more than {MOST_IN_TABLE:,} classes: a gate can ask for one, as `recall@CLASS`"
    if metric.name == "mape" and part.zero_label:
        return "a label is 0, and a percentage of it means nothing"
    if metric.name == "r2" and part.one_label:
        return "all labels are equal"
    return None


def _are_too_many(view: View) -> bool:
    return len(view.classes) > MOST_IN_TABLE


def narrowed(part: Part, metric: Metric) -> tuple[Part, Metric]:
    """One class among very many is a question of two: it, or any other."""
    view = part.view
    kept = len(view.label) == view.n  # else the rows are gone, and their counts are all there is
    if metric.label not in view.classes or not kept or "prediction" in part.faults:
        return part, metric
    if not _are_too_many(view):
        return part, metric
    name = metric.name.partition("@")[0]
    return against_the_rest(part, metric.label), metric_of(name, view.values)


def against_the_rest(part: Part, label: str) -> Part:
    """The same rows, whose classes are `label` and any other."""
    view, code = part.view, part.view.classes.index(label)
    return Part(
        replace(
            view,
            task="binary",
            classes=("another", label),
            label=_is(view.label, code),
            sides=tuple(
                replace(one, prediction=_is(one.prediction, code), score=None) for one in view.sides
            ),
            positive=1,
        ),
        part.policy,
        part.slice,
    )


def _is(codes: NDArray[Any] | None, code: int) -> NDArray[Any]:
    if codes is None:
        raise ValueError("no classes")
    return np.asarray(codes == code, dtype=np.int64)


def ranks(metric: Metric) -> bool:
    """Whether it looks at nothing but the order of the scores."""
    return metric.name.partition("@")[0] in ("roc_auc", "average_precision")


def _asks_classes(part: Part, metric: Metric) -> bool:
    """A slice may be of one class where a metric does not weigh classes; a test set may not."""
    whole = part.slice is None and metric.needs in ("prediction", "score")
    return metric.by_class or (whole and part.view.task != "regression")


def too_few(part: Part, metric: Metric) -> str | None:
    """Why there are too few rows to trust an interval, or None."""
    if part.view.n < part.policy.min_rows:
        return f"{part.view.n} rows, fewer than min-rows ({part.policy.min_rows})"
    if part.effective < part.policy.min_rows:
        return (
            f"{part.view.n} rows, worth {part.effective:.0f} of equal weight, fewer than min-rows "
            f"({part.policy.min_rows})"
        )
    if part.clusters is not None and part.clusters.groups < part.policy.min_rows:
        return f"{part.clusters.groups} groups, fewer than min-rows ({part.policy.min_rows})"
    if _needs_every_class(part, metric) and part.rarest_of(metric) < RARE:
        what = "the rarer class" if metric.label is None else metric.label
        return f"{part.rarest_of(metric)} rows of {what}{_by_weight(part)}, fewer than {RARE}"
    return None


def _by_weight(part: Part) -> str:
    return "" if part.view.weight is None else " (of equal weight)"


def _needs_every_class(part: Part, metric: Metric) -> bool:
    return metric.by_class or (part.slice is not None and part.view.task == "binary")
