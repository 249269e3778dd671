"""What the rows did to a metric, and what the model did.

Main's model on its own rows → the same model on head's rows → head's model on these. The first step
is the data's, the second the model's, and they add up to what a reader sees on two dashboards. The
data's interval joins two own ones (Zou & Donner 2008, doi:10.1002/sim.3095) with the correlation
(Zou 2007, doi:10.1037/1082-989X.12.4.399) that rows in both sets bring (`shared`: Hampel 1974,
doi:10.1080/01621459.1974.10482962).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mlops_ci.config.model import Policy
from mlops_ci.records.findings import Decomposition, LeftOut
from mlops_ci.records.results import MetricResult
from mlops_ci.verdict.aggregates.sufficient import Sufficient
from mlops_ci.verdict.comparing import (
    alike,
    compare_single,
    joined,
    parts_of,
    result_of,
    wanted,
)
from mlops_ci.verdict.measuring import measure
from mlops_ci.verdict.merged import compare_merged
from mlops_ci.verdict.names import askable, metric_of
from mlops_ci.verdict.rows import SingleRows
from mlops_ci.verdict.shared import Shared, correlation, rows_of


@dataclass(frozen=True)
class Answered:
    """One model on its own rows and on head's. `shared`: the rows that are in both; None where
    nobody can say, so that they are taken as two samples: too wide, never too narrow.
    """

    before: SingleRows
    now: SingleRows
    shared: Shared | None = None


def decompose(
    model: Answered, metrics: Iterable[MetricResult], policy: Policy
) -> tuple[Decomposition, ...]:
    """`metrics`: of base and head on head's rows, as they were judged. One entry for each that has
    a value on both sets of rows, all of them first, then slice by slice.
    """
    judged = {(one.metric, one.slice): one for one in metrics}
    before, now = alike(model.before, model.now)
    grouped = before.group is not None and now.group is not None
    names = wanted(now, askable({name for name, _ in judged}, grouped=grouped))
    moved = _data_effects(Answered(before, now, model.shared), names, policy)
    found = [
        _join(one, judged[one.metric, one.slice])
        for one in moved
        if (one.metric, one.slice) in judged and one.difference is not None
    ]
    return tuple(found)


def _data_effects(model: Answered, names: Sequence[str], policy: Policy) -> Iterator[MetricResult]:
    before, now = model.before, model.now
    for theirs, ours in zip(parts_of(before, policy), parts_of(now, policy), strict=True):
        shared = None
        if model.shared is not None:
            shared = model.shared.within(*(rows_of(one, ours.slice) for one in (before, now)))
        for name in names:
            known = [measure(part, name) for part in (theirs, ours)]
            together = 0.0
            if shared is not None and len(shared.now) and all(one.own[0] for one in known):
                together = correlation(theirs, ours, metric_of(name, now.values), shared)
            yield result_of(name, ours, joined(known[0], known[1], together), "unpaired")


def _join(data: MetricResult, model: MetricResult) -> Decomposition:
    return Decomposition(
        metric=data.metric,
        slice=data.slice,
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
    if isinstance(left_out, SingleRows) and values.get("accuracy", 0.0) is None:
        values["accuracy"] = _share_right(left_out)
    return LeftOut(
        rows=left_out.n if isinstance(left_out, Sufficient) else len(left_out.label),
        metrics={name: value for name, value in values.items() if value is not None},
        kept={name: value for name in values if (value := others.get(name)) is not None},
    )


def _share_right(rows: SingleRows) -> float | None:
    """Also of rows of one class alone, which tell nothing of a metric elsewhere: who takes rows
    away may take all of one."""
    if rows.task == "regression" or rows.outputs.prediction is None or not len(rows.label):
        return None
    right = (rows.label == rows.outputs.prediction).astype(np.float64)
    return float(np.average(right, weights=rows.weight))


def _whole(rows: SingleRows | Sufficient, policy: Policy) -> tuple[MetricResult, ...]:
    if isinstance(rows, Sufficient):
        return compare_merged(rows, policy)
    return compare_single(replace(rows, slices={}), policy)
