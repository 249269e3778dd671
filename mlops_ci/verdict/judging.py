"""From gates to the model's verdict.

All must pass, so their number needs no correction (Berger 1982,
doi:10.1080/00401706.1982.10487790); any of several metrics may be called better, so that number
does: Holm 1979, "A simple sequentially rejective multiple test procedure" (Scand. J. Statistics 6,
65–70, https://www.jstor.org/stable/4615733).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mlops_ci.config.model import LEAKAGE, Gate, Policy
from mlops_ci.records.results import GateResult, MetricResult, Verdict
from mlops_ci.value import Value
from mlops_ci.verdict.creep import Compared, judge_creep
from mlops_ci.verdict.gates import (
    Circumstances,
    Promise,
    Reason,
    expand_slices,
    judge_gate,
)
from mlops_ci.verdict.history import RESOURCES
from mlops_ci.verdict.lookup import Results
from mlops_ci.verdict.remarks import CARRIED
from mlops_ci.verdict.seeds import p_of_change
from mlops_ci.verdict.structs import replaced
from mlops_ci.verdict.uncommon import ALL_COMMON, Uncommon


class Judgement(Value, frozen=True):
    """`metrics` are those given, with `better` set where the data allow the word. `primary`: the
    metric that the sentence may be about; None when there is neither a setting nor a gate.
    """

    gates: tuple[GateResult, ...]
    verdict: Verdict
    blocks: bool
    metrics: tuple[MetricResult, ...]
    primary: str | None = None
    notes: tuple[str, ...] = ()


def judge(
    metrics: Iterable[MetricResult],
    gates: Sequence[Gate | Promise],
    policy: Policy,
    *,
    uncommon: Uncommon = ALL_COMMON,
    anchor: Iterable[MetricResult | Compared] | None = None,
) -> Judgement:
    """`anchor`: the candidate compared with older models; bounds the sum of many small losses.

    Raises ConfigError for a gate on a metric that nobody knows, or without a known direction.
    """
    metrics = tuple(metrics)
    promises = [gate if isinstance(gate, Promise) else Promise(gate) for gate in gates]
    results = Results(metrics)
    at = Circumstances(policy, uncommon)
    judged = [one for promise in promises for one in _judge_promise(promise, results, at)]
    notes = _carried(judged, results)
    if anchor is not None:
        records = [one if isinstance(one, Compared) else Compared(one) for one in anchor]
        judged += judge_creep(promises, results, records, policy, notes)
    primary = _primary(promises, policy, results, notes)
    return Judgement(
        gates=tuple(judged),
        verdict=verdict_of(judged),
        blocks=any(gate.blocks for gate in judged),
        metrics=mark_better(metrics, primary, 1 - policy.level if uncommon.nothing else 0.0),
        primary=primary,
        notes=tuple(notes),
    )


def _carried(gates: Sequence[GateResult], results: Results) -> list[str]:
    """Of gated metrics, whose change few rows carry."""
    notes = []
    for gate in gates:
        found = results.find(gate.metric, gate.slice)
        if found is not None and (found.note or "").endswith(CARRIED):
            where = f" for {gate.slice}" if gate.slice else ""
            notes.append(f"{gate.metric}{where}: {found.note}")
    return list(dict.fromkeys(notes))


def verdict_of(gates: Iterable[GateResult]) -> Verdict:
    """The worst of the required gates; `ungated` without any."""
    verdicts = {gate.verdict for gate in gates if gate.required}
    if not verdicts:
        return "ungated"
    if "fail" in verdicts:
        return "fail"
    return "pass" if verdicts == {"pass"} else "inconclusive"


def _judge_promise(promise: Promise, results: Results, at: Circumstances) -> Iterator[GateResult]:
    gate = results.resolve(promise.gate)
    for single in expand_slices(gate, results.slices):
        result = results.find(single.metric, single.slice)
        missing: Reason = "missing-slice" if single.metric in results.names else "missing-metric"
        yield judge_gate(Promise(single, promise.source), result, at, missing)


def _primary(
    promises: Sequence[Promise], policy: Policy, results: Results, notes: list[str]
) -> str | None:
    if policy.primary is not None:
        named = Gate(metric=policy.primary, kind="max-drop", limit=0.0)
        found = results.resolve(named).metric
        if found in results.names:
            return found
        notes.append(f"`primary: {policy.primary}` was not measured: nothing is said of it")
    apart = (*RESOURCES, LEAKAGE)
    first = next((one.gate for one in promises if one.gate.metric not in apart), None)
    return results.resolve(first).metric if first is not None else None


def mark_better(
    metrics: Sequence[MetricResult], primary: str | None, alpha: float
) -> tuple[MetricResult, ...]:
    """The primary metric on all rows is better when its interval lies above 0; of the others, those
    that Holm's procedure (1979) leaves at `alpha`, two-sided.
    """
    candidates = [i for i, one in enumerate(metrics) if _improves(one)]
    family = [i for i, one in enumerate(metrics) if _tested(one) and not _is_primary(one, primary)]
    kept = {i for i in candidates if alpha and _is_primary(metrics[i], primary)}
    kept |= _holm(metrics, family, alpha) & set(candidates)
    return tuple(replaced(one, better=True) if i in kept else one for i, one in enumerate(metrics))


def _holm(metrics: Sequence[MetricResult], family: Sequence[int], alpha: float) -> set[int]:
    ranked = sorted((p_of_change(metrics[i]), i) for i in family)
    kept: set[int] = set()
    for place, (p, i) in enumerate(ranked):
        if p > alpha / (len(ranked) - place) or not alpha:
            break
        kept.add(i)
    return kept


def _tested(one: MetricResult) -> bool:
    return one.evidence == "paired" and one.low is not None and one.higher_is_better is not None


def _improves(one: MetricResult) -> bool:
    if not _tested(one) or one.low is None or one.high is None:
        return False
    return one.low > 0 if one.higher_is_better else one.high < 0


def _is_primary(one: MetricResult, primary: str | None) -> bool:
    return one.metric == primary and one.slice is None
