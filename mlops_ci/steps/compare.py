"""`compare`: two sides in, one verdict out; leaves a Comparison record where there is a project."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from mlops_ci.config.model import FLOORS, Gate, Policy
from mlops_ci.errors import DOCS, ComparisonError
from mlops_ci.records.comparison import Comparison, Resolution
from mlops_ci.records.results import MetricResult, RowCounts, Verdict
from mlops_ci.steps.creep import hold_to_bests, with_noise
from mlops_ci.steps.numbers import compare_known
from mlops_ci.steps.sides import Known, Measured, Moved, Outcome, Sides, Wanted
from mlops_ci.verdict import Promise, judge, verdict_of, waive
from mlops_ci.verdict.gates import gate_of
from mlops_ci.verdict.lookup import directed
from mlops_ci.verdict.remarks import NO_QUERIES

SHOWN = 3


def compare_sides(sides: Sides) -> Outcome:
    """Measure, then judge. Writes nothing."""
    head = sides.head
    wanted = Wanted(_asked(sides), sides.fairness, sides.functions)
    measured = measure_sides(sides.base, head, sides.policy, wanted)
    gates = sides.gates if sides.base else [g for g in sides.gates if _kind(g) in FLOORS]
    metrics, retraining = with_noise(measured.metrics, sides.base, sides)
    metrics = (*metrics, *sides.beside)
    if not (metrics or sides.gates or sides.resources or sides.promises):
        raise _nothing(head)
    moved = _explain(sides, measured)
    uncommon = measured.uncommon.joined(moved.uncommon)
    known = structs.replace(measured, uncommon=uncommon)
    held = hold_to_bests(sides, known, measure_sides)
    judged = judge(
        directed((*sides.resources, *metrics), _gates_of(sides)),
        gates,
        sides.policy,
        uncommon=uncommon,
        anchor=held.records,
    )
    waived = waive(judged.gates, sides.waivers, sides.today)
    comparison = Comparison(
        model=sides.model,
        base=sides.base.side if sides.base else None,
        head=head.side,
        rows=measured.rows,
        level=sides.policy.level,
        policy=sides.policy.on_inconclusive,
        verdict=_joined(verdict_of(waived.gates), sides),
        blocks=any(gate.blocks for gate in waived.gates)
        or any(one.blocks for one in sides.promises),
        metrics=judged.metrics[len(sides.resources) :],
        gates=waived.gates,
        primary=judged.primary,
        evidence=measured.evidence,
        resolution=_understood(head),
        changes=sides.changes,
        weak_slices=measured.weak,
        drift=(*moved.drift, *measured.drift),
        resources=sides.resources,
        decomposition=moved.decomposition,
        left_out=moved.left_out or measured.left_out,
        retraining=retraining,
        evaluations=sides.evaluations,
        contract=tuple(sides.contract),
        robustness=tuple(sides.robustness),
        waiting=len(sides.gates) - len(gates) + sides.waiting,
        notes=(
            *waived.notes,
            *moved.notes,
            *sides.notes,
            *measured.notes,
            *judged.notes,
            *held.notes,
        ),
    )
    return Outcome(comparison, sides.base.predictions if sides.base else None, head.predictions)


def _nothing(head: Known) -> ComparisonError:
    """A curve, or names and dates: without a gate nothing would say that nothing was compared."""
    said = [f"{name}: {why}" for name, why in head.refused.items()]
    return ComparisonError(
        "there is nothing to compare: neither predictions nor a number",
        where=head.side.name,
        fix="; ".join(said[:SHOWN]) or 'write a number into it, for example {"auc": 0.91}',
        link=f"{DOCS}/predictions.md",
    )


def _explain(sides: Sides, measured: Measured) -> Moved:
    if sides.before is None or sides.base is None:
        return Moved()
    from mlops_ci.steps.turnover import explain

    return explain((sides.before, sides.base), measured.metrics, sides.policy)


def _understood(head: Known) -> Resolution | None:
    read = head.predictions or head.counted
    return None if read is None else read.resolution


def _kind(gate: Gate | Promise) -> str:
    return gate_of(gate).kind


def _asked(sides: Sides) -> frozenset[str]:
    """The names that gates and policy speak of."""
    return frozenset({*(gate.metric for gate in _gates_of(sides)), sides.policy.primary or ""})


def _gates_of(sides: Sides) -> list[Gate]:
    """Base's before those that head alone has."""
    return [
        gate_of(one)
        for one in sorted(sides.gates, key=lambda one: getattr(one, "source", "") == "head")
    ]


def _joined(verdict: Verdict, sides: Sides) -> Verdict:
    if not sides.promises:
        return verdict
    from mlops_ci.verdict.contract import join_verdict

    return join_verdict(verdict, sides.promises)


def _of_rows(base: Known | None, head: Known, policy: Policy, wanted: Wanted) -> Measured:
    """Whoever compares numbers alone does not wait for the mathematics of rows."""
    if head.predictions is None and head.counted is None:
        return Measured((), RowCounts(), "point")
    from mlops_ci.steps.measure import measure_rows

    return measure_rows(base, head, policy, wanted)


def measure_sides(base: Known | None, head: Known, policy: Policy, wanted: Wanted) -> Measured:
    by_rows = _of_rows(base, head, policy, wanted)
    numbers = compare_known(base, head, wanted.names)
    kept = tuple(one for one in by_rows.metrics if not _is_told(one, numbers))
    measured = {metric.metric for metric in kept}
    others = tuple(one for one in numbers if one.metric not in measured)
    return structs.replace(by_rows, metrics=(*kept, *others))


def _is_told(one: MetricResult, numbers: Sequence[MetricResult]) -> bool:
    """A ranking that these rows do not have, and that a metrics file has a number of."""
    if one.note != NO_QUERIES:
        return False
    return any(f".{number.metric}".endswith(f".{one.metric}") for number in numbers)
