"""What a model loses on changed rows, and whether it may.

The same rows, as they are and changed, are answered by one model: a paired difference like any
other, with `base` the clean answers and `head` those on the changed rows. A shifted prior needs no
new answers: rows of a class count more, and the difference is that of two weightings of the same
rows, linearised as in Deville 1999 (Survey Methodology 25, 193–203: see `weights`); classes are
post-strata, whose shares are given and not estimated (Holt & Smith 1979, "Post stratification",
JRSS A 142, 33–46, doi:10.2307/2344652).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.config.model import Gate, Policy, Waiver
from mlops_ci.config.robustness import Perturbation
from mlops_ci.records.findings import RobustnessResult
from mlops_ci.records.results import MetricResult
from mlops_ci.verdict.assessing import too_few
from mlops_ci.verdict.comparing import compare_paired, result_of
from mlops_ci.verdict.gates import Circumstances, Promise, Source, judge_gate
from mlops_ci.verdict.intervals import EXACTLY_ZERO
from mlops_ci.verdict.measured import Measured
from mlops_ci.verdict.measuring import measure
from mlops_ci.verdict.moments import mean_interval
from mlops_ci.verdict.names import canonical_metric, metric_of
from mlops_ci.verdict.part import Part
from mlops_ci.verdict.rows import Floats, PairedRows, SingleRows, View, view_of
from mlops_ci.verdict.structs import replaced
from mlops_ci.verdict.waivers import over_said, told, used
from mlops_ci.verdict.weights import linear_of

ROUNDING = 1e-12
SAME = 1e-9
# Within the classes alone: what is left of their change is rounding.
PRIOR_FREE = ("roc_auc", "recall", "specificity", "balanced_accuracy", "recall_macro")


@dataclass(frozen=True)
class Wanted:
    """A perturbation, whose file asks for it, and the metric that tells its drop."""

    one: Perturbation
    source: Source
    metric: str


@dataclass(frozen=True)
class MainsDrop:
    """What main's model lost by the same change of the same rows; its bounds, where it has some."""

    difference: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Seen:
    """The drop as measured; None: why it could not be."""

    result: MetricResult | None
    note: str | None = None


def measure_changed(rows: PairedRows, policy: Policy, metric: str) -> MetricResult | None:
    """`rows`: base's answers are the clean ones, head's those on the changed rows."""
    plain = replace(rows, slices={})
    if _same_answers(plain):
        # Of rounding, but not of chance: other rows might have been answered otherwise.
        plain = replace(plain, head=plain.base)
    found = {one.metric: one for one in compare_paired(plain, policy, (metric,))}
    return found.get(canonical_metric(metric))


def _same_answers(rows: PairedRows) -> bool:
    """But for the last digits, in which two runs of one model may differ. What both tell counts."""
    told = [
        (one, other)
        for one, other in (
            (rows.base.score, rows.head.score),
            (rows.base.prediction, rows.head.prediction),
        )
        if one is not None and other is not None
    ]
    return bool(told) and all(_as_good_as(one, other) for one, other in told)


def _as_good_as(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """To a part of the largest: a model may answer in billionths of its unit."""
    largest = float(np.abs(one).max()) if one.size else 0.0
    return bool(np.allclose(one, other, rtol=0.0, atol=ROUNDING * min(1.0, largest)))


def measure_prior(rows: SingleRows, policy: Policy, metric: str, positive: float) -> Seen:
    """The metric as if `positive` of the rows were of the positive class, against as they are."""
    if rows.task != "binary":
        return Seen(None, "a shifted prior is that of two classes")
    view = view_of(replace(rows, slices={}))
    weight = np.ones(view.n) if view.weight is None else view.weight
    actual = view.actual
    share = float(weight[actual].sum() / weight.sum()) if view.n else 0.0
    if not 0 < share < 1:
        return Seen(None, "there is only one class")
    factor = np.where(actual, positive / share, (1 - positive) / (1 - share))
    views = replace(view, weight=weight), replace(view, weight=weight * factor)
    return _weighted_apart(views, policy, metric)


def _weighted_apart(views: tuple[View, View], policy: Policy, metric: str) -> Seen:
    parts = [Part(view, policy, None) for view in views]
    known = metric_of(canonical_metric(metric), views[0].values)
    if known.name == "ece" or known.needs == "group":
        return Seen(None, f"{metric} has no shifted prior")
    probed = [measure(part, canonical_metric(metric)) for part in parts]
    bad = next((one.note for one in probed if one.values[0] is None), None)
    if bad is not None or any(one.values[0] is None for one in probed):
        return Seen(None, bad or "the metric has no value")
    few = next((why for part in parts if (why := too_few(part, known)) is not None), None)
    if few is not None:
        return Seen(None, f"not assessed: {few}")
    found = [linear_of(part, 0, known) for part in parts]
    if found[0] is None or found[1] is None:
        return Seen(None, "the metric has no value")
    clean, changed = found[0], found[1]
    scales = [_scale(view) for view in views]
    moved = scales[1] * _within_classes(changed.influence, views[1]) - scales[0] * clean.influence
    most = changed.most * float(scales[1].max()) * 2 + clean.most * float(scales[0].max())
    free = known.name.partition("@")[0] in PRIOR_FREE
    if free and abs(changed.value - clean.value) <= SAME and float(np.abs(moved).max()) <= SAME:
        same = Measured((clean.value, clean.value), (None, None), EXACTLY_ZERO)
        return Seen(result_of(canonical_metric(metric), parts[0], same, "paired"))
    clusters = parts[0].clusters
    interval = (
        clusters.interval(moved, most, policy.level)
        if clusters is not None
        else mean_interval(moved - moved.mean(), (-most, most), policy.level)
    )
    change = None
    if interval is not None:
        change = replace(
            interval.shifted(changed.value - clean.value), method="two weightings of the same rows"
        )
    measured = Measured((clean.value, changed.value), (None, None), change)
    return Seen(result_of(canonical_metric(metric), parts[0], measured, "paired"))


def _scale(view: View) -> Floats:
    weight = np.ones(view.n) if view.weight is None else view.weight
    return np.asarray(weight * (len(weight) / weight.sum()))


def _within_classes(influence: Floats, view: View) -> Floats:
    """The classes' shares are given: only what differs within a class is chance."""
    weight = np.ones(view.n) if view.weight is None else view.weight
    centred = influence.copy()
    for mask in (view.actual, ~view.actual):
        centred[mask] -= np.average(influence[mask], weights=weight[mask])
    return centred


def judge_drop(
    wanted: Wanted, seen: Seen, policy: Policy, base: MainsDrop | None
) -> RobustnessResult:
    """Without a limit it is told and judges nothing. What was not assessed never passes a gate."""
    one, result = wanted.one, seen.result
    told_: dict[str, Any] = {
        "kind": one.kind,
        "amount": one.amount,
        "columns": one.columns,
        "metric": wanted.metric if result is None else result.metric,
        "limit": one.max_drop,
        "required": one.required,
        "source": wanted.source,
        "note": seen.note or (result.note if result is not None else None),
    }
    if base is not None:
        told_ |= {
            "base_difference": base.difference, "base_low": base.low, "base_high": base.high
        }  # fmt: skip
    if result is not None:
        told_ |= {
            "clean": result.base, "changed": result.head, "difference": result.difference,
            "low": result.low, "high": result.high, "n": result.n, "method": result.method,
            "higher_is_better": result.higher_is_better,
        }  # fmt: skip
    if one.max_drop is None:
        return RobustnessResult(verdict="ungated", blocks=False, **told_)
    gate = Gate(metric=told_["metric"], kind="max-drop", limit=one.max_drop, required=one.required)
    judged = judge_gate(Promise(gate, wanted.source), result, Circumstances(policy), "not-assessed")
    return RobustnessResult(
        verdict=judged.verdict, blocks=judged.blocks, reason=judged.reason, **told_
    )


def merge_perturbations(
    base: Sequence[Perturbation], head: Sequence[Perturbation]
) -> tuple[tuple[tuple[Perturbation, Source], ...], tuple[str, ...]]:
    """Both are measured and judged; and what head changes, in words."""
    every: list[tuple[Perturbation, Source]] = [
        (one, "both" if one in head else "base") for one in base
    ]
    every += [(one, "head") for one in head if one not in base]
    gone = [
        f"robustness, {named(one)} is removed; it holds until this is merged"
        for one in base
        if one not in head
    ]
    new = [f"robustness, {named(one)} is new and already holds" for one in head if one not in base]
    return tuple(every), (*gone, *new)


def named(one: Perturbation) -> str:
    where = f" of {', '.join(one.columns)}" if one.columns else ""
    limit = "" if one.max_drop is None else f": max-drop {one.max_drop:g}"
    advisory = "" if one.required else ", advisory"
    metric = f", by {one.metric}" if one.metric else ""
    return f"{one.kind} {one.amount:g}{where}{limit}{advisory}{metric}"


def place_of(one: Perturbation | RobustnessResult) -> tuple[Any, ...]:
    """By what main's measurement and head's are told to be of the same change."""
    return one.kind, one.amount, one.columns


def drops_of(results: Iterable[RobustnessResult]) -> Mapping[tuple[Any, ...], MainsDrop]:
    """(kind, amount, columns, metric) → what was lost."""
    return {
        (*place_of(one), one.metric): MainsDrop(one.difference, one.low, one.high)
        for one in results
        if one.difference is not None
    }


def waive_drops(
    results: Sequence[RobustnessResult], waivers: Sequence[Waiver], today: Any
) -> tuple[tuple[RobustnessResult, ...], tuple[str, ...]]:
    """`metric: robustness` covers all, `robustness:noise` one kind."""
    judged: list[RobustnessResult] = []
    notes: list[str] = []
    for result in results:
        names = {"robustness", f"robustness:{result.kind}"}
        found = [waiver for waiver in waivers if waiver.metric in names]
        if result.limit is not None and result.required and result.verdict != "pass" and found:
            valid = next((waiver for waiver in found if waiver.until >= today), None)
            notes += [over_said(waiver.metric, waiver) for waiver in found if waiver.until < today]
            if valid is not None:
                notes.append(used(valid.metric, valid))
                result = replaced(result, required=False, blocks=False, waived=told(valid))  # noqa: PLW2901
        judged.append(result)
    return tuple(judged), tuple(dict.fromkeys(notes))
