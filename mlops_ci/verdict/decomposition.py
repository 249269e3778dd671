"""What the rows did to a metric, and what the model did.

Main's model on its own rows → the same model on head's rows → head's model on these. The first step
is the data's, the second the model's, and they add up to what a reader sees on two dashboards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from mlops_ci.config.model import Policy
from mlops_ci.records.findings import Decomposition, LeftOut
from mlops_ci.records.results import MetricResult
from mlops_ci.verdict.aggregates.sufficient import Sufficient
from mlops_ci.verdict.comparing import compare_single, compare_unpaired
from mlops_ci.verdict.merged import compare_merged
from mlops_ci.verdict.names import askable
from mlops_ci.verdict.rows import SingleRows


def decompose(
    before: SingleRows, now: SingleRows, metrics: Iterable[MetricResult], policy: Policy
) -> tuple[Decomposition, ...]:
    """`before`, `now`: one model on its own rows and on head's. `metrics`: of base and head on the
    latter, as they were judged. One entry for each that has a value on all rows.

    Two samples that share rows of one model vary less than the intervals joined here say (MOVER):
    where rows are kept, the data's interval is too wide, never too narrow.
    """
    judged = {one.metric: one for one in metrics if one.slice is None}
    asked = askable(judged, grouped=before.group is not None and now.group is not None)
    sides = replace(before, slices={}), replace(now, slices={})
    moved = compare_unpaired(*sides, policy, asked)
    return tuple(
        _join(one, judged[one.metric])
        for one in moved
        if one.metric in judged and one.difference is not None
    )


def _join(data: MetricResult, model: MetricResult) -> Decomposition:
    return Decomposition(
        metric=data.metric,
        base_before=data.base,
        base_now=data.head,
        head=model.head,
        data_effect=data.difference,
        data_low=data.low,
        data_high=data.high,
        model_effect=model.difference,
        model_low=model.low,
        model_high=model.high,
    )


def measure_left_out(
    left_out: SingleRows | Sufficient,
    kept: Sequence[MetricResult] | SingleRows,
    policy: Policy,
) -> LeftOut:
    """`kept`: base's answers on the other rows, or its metrics there."""
    if isinstance(kept, SingleRows):
        others = {one.metric: one.head for one in _whole(kept, policy)}
    else:
        others = {one.metric: one.base for one in kept if one.slice is None}
    values = {one.metric: one.head for one in _whole(left_out, policy)}
    return LeftOut(
        rows=left_out.n if isinstance(left_out, Sufficient) else len(left_out.label),
        metrics={name: value for name, value in values.items() if value is not None},
        kept={name: value for name in values if (value := others.get(name)) is not None},
    )


def _whole(rows: SingleRows | Sufficient, policy: Policy) -> tuple[MetricResult, ...]:
    if isinstance(rows, Sufficient):
        return compare_merged(rows, policy)
    return compare_single(replace(rows, slices={}), policy)
