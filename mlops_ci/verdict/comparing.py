"""Rows or numbers in, one `MetricResult` for each metric and slice out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from mlops_ci.config.model import Policy
from mlops_ci.errors import ComparisonError
from mlops_ci.records.results import Evidence, MetricResult
from mlops_ci.verdict.intervals import mover
from mlops_ci.verdict.likeness import range_of
from mlops_ci.verdict.mcnemar import mcnemar_of
from mlops_ci.verdict.measured import Measured
from mlops_ci.verdict.measuring import measure
from mlops_ci.verdict.names import DEFAULT, canonical_metric, metric_of
from mlops_ci.verdict.part import Part
from mlops_ci.verdict.rows import PairedRows, SingleRows, view_of

Rows = PairedRows | SingleRows


def compare_paired(
    rows: PairedRows, policy: Policy, metrics: Sequence[str] | None = None
) -> tuple[MetricResult, ...]:
    """The same rows, answered by both. `metrics`: names to add to those of the task, or None.

    Raises ConfigError for a name that is not known.
    """
    names = wanted(rows, metrics)
    return tuple(
        result_of(name, part, measure(part, name), "paired")
        for part in parts_of(rows, policy)
        for name in names
    )


def compare_single(
    head: SingleRows, policy: Policy, metrics: Sequence[str] | None = None
) -> tuple[MetricResult, ...]:
    """A first run: the candidate's own intervals. Nothing is compared."""
    names = wanted(head, metrics)
    return tuple(
        result_of(name, part, measure(part, name), "unpaired")
        for part in parts_of(head, policy)
        for name in names
    )


def compare_unpaired(
    base: SingleRows, head: SingleRows, policy: Policy, metrics: Sequence[str] | None = None
) -> tuple[MetricResult, ...]:
    """Each side on rows of its own: at most inconclusive. Own intervals, joined by MOVER."""
    base, head = alike(base, head)
    names = wanted(head, metrics)
    pairs = zip(parts_of(base, policy), parts_of(head, policy), strict=True)
    return tuple(
        result_of(name, ours, joined(measure(theirs, name), measure(ours, name)), "unpaired")
        for theirs, ours in pairs
        for name in names
    )


def alike(base: SingleRows, head: SingleRows) -> tuple[SingleRows, SingleRows]:
    """With the same slices and values. Raises ComparisonError for answers to another question."""
    if base.task != head.task or base.classes != head.classes or base.positive != head.positive:
        raise ComparisonError("base and head do not answer the same question")
    values = {name: better for name, better in head.values.items() if name in base.values}
    base, head = replace(base, values=values), replace(head, values=values)
    slices = dict.fromkeys([*base.slices, *head.slices])
    return _with_slices(base, slices), _with_slices(head, slices)


def joined(base: Measured, head: Measured, correlation: float = 0.0) -> Measured:
    """Of two samples."""
    before, after = base.values[0], head.values[0]
    own_before, own_after = base.own[0], head.own[0]
    change = None
    if own_before and own_after and before is not None and after is not None:
        change = mover((before, own_before), (after, own_after), correlation)
    notes = [f"{n}: {m.note}" for n, m in (("base", base), ("head", head)) if m.note]
    return Measured(
        (before, after), (own_before, own_after), change, "; ".join(notes) or None, head.average
    )


def result_of(name: str, part: Part, found: Measured, evidence: Evidence) -> MetricResult:
    base, head = (None, *found.values)[-2:]
    own_base, own_head = (None, *found.own[: len(found.values)])[-2:]
    both = base is not None and head is not None
    shown = found.change or own_head
    low, high = _ends(name, found)
    reach = high - low
    return MetricResult(
        metric=name,
        slice=part.slice,
        base=base,
        head=head,
        difference=head - base if both else None,  # type: ignore[operator]
        low=max(found.change.low, -reach) if found.change else None,
        high=min(found.change.high, reach) if found.change else None,
        n=part.view.n,
        se=shown.se if shown else None,
        method=shown.method if shown else "",
        evidence=evidence,
        higher_is_better=metric_of(name, part.view.values).higher_is_better,
        base_low=max(own_base.low, low) if own_base else None,
        base_high=min(own_base.high, high) if own_base else None,
        head_low=max(own_head.low, low) if own_head else None,
        head_high=min(own_head.high, high) if own_head else None,
        average=found.average,
        note=found.note,
        mcnemar=_mcnemar(name, part) if found.change else None,
    )


def _ends(name: str, found: Measured) -> tuple[float, float]:
    """Beyond which no interval goes. A column or a function may bear the name of a metric."""
    low, high = range_of(name) or (-math.inf, math.inf)
    inside = all(low <= value <= high for value in found.values if value is not None)
    return (low, high) if inside else (-math.inf, math.inf)


def _mcnemar(name: str, part: Part) -> float | None:
    """Rows that belong together, or count more than others, are no tosses of a coin."""
    if name != "accuracy" or part.sides < 2 or part.clusters or part.view.weight is not None:
        return None
    return mcnemar_of(part.cells)


def wanted(rows: Rows, metrics: Sequence[str] | None) -> tuple[str, ...]:
    """The task's metrics that the columns allow, then those asked for."""
    sides = view_of(rows).sides
    default = [
        metric.name
        for metric in DEFAULT
        if rows.task in metric.tasks
        and (metric.needs == "prediction" or any(side.score is not None for side in sides))
    ]
    asked = [name if name in rows.values else canonical_metric(name) for name in metrics or ()]
    return tuple(dict.fromkeys([*default, *rows.values, *asked]))


def parts_of(rows: Rows, policy: Policy) -> Iterator[Part]:
    yield Part(view_of(rows), policy, None)
    for name in sorted(rows.slices):
        yield Part(view_of(rows, rows.slices[name]), policy, name)


def _with_slices(rows: SingleRows, names: Mapping[str, None]) -> SingleRows:
    """A slice that only the other side has is there, without a row."""
    empty = np.zeros(len(rows.label), dtype=np.bool_)
    return replace(rows, slices={name: rows.slices.get(name, empty) for name in sorted(names)})
