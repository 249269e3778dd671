"""The size of the image, judged between build and push: before a merge no image is built."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from mlops_ci.baseline.anchor import recent
from mlops_ci.baseline.commit import Asked, find_base
from mlops_ci.baseline.resources import MEGABYTE
from mlops_ci.baseline.store import Header, Store
from mlops_ci.config import Gate, expand_gates
from mlops_ci.config.model import FLOORS
from mlops_ci.errors import MlopsCiError
from mlops_ci.plan.anchors import least_of
from mlops_ci.plan.base_search import Search
from mlops_ci.plan.measure import measure_of
from mlops_ci.plan.outcome import ModelOutcome
from mlops_ci.project import Project
from mlops_ci.records import Build, Comparison, GateResult, MetricResult
from mlops_ci.records.findings import ContractResult, RobustnessResult
from mlops_ci.verdict import Promise, judge, verdict_of, waive
from mlops_ci.verdict.contract import join_verdict
from mlops_ci.verdict.gates import gate_of
from mlops_ci.verdict.history import IMAGE, Past, compare_resource

WORST = ("fail", "inconclusive", "pass", "ungated")
LATER = f"`{IMAGE}` is judged on the merge, between build and push: no image is built before."


def gates_apart(
    gates: Sequence[Gate | Promise],
) -> tuple[list[Gate | Promise], list[Gate | Promise]]:
    """Those that can be judged before an image is built, and those that cannot."""
    ours = [gate for gate in gates if gate_of(gate).metric == IMAGE]
    return [gate for gate in gates if gate not in ours], ours


def judge_image(
    project: Project, outcome: ModelOutcome, search: Search | None, store: Store | None
) -> bool:
    """Whether the image that was built must not be pushed; the comparison's record says why."""
    comparison, built = outcome.comparison, outcome.shipped.get("build")
    if comparison is None or not isinstance(built, Build):
        return False
    judged = _with(comparison, _judge(project, built, search, store))
    outcome.compared = msgspec.structs.replace(outcome.compared, comparison=judged)
    project.records.write("compare", judged)
    return judged.blocks


def judge_build(
    project: Project, built: Build, asked: Asked, store: Store | None
) -> tuple[GateResult, ...]:
    """The gates on an image that `build` alone has made, base's beside head's; the record of its
    comparison, where there is one, says them, too.

    Raises BaselineError where base should exist, does not, and the image has a gate.
    """
    model = project.model(built.model)
    gated = any(gate.metric == IMAGE for gate in expand_gates(model.gates))
    try:
        base = find_base(project, asked)
        search = Search(project, built.model, base, store) if base is not None else None
    except MlopsCiError:
        if gated:
            raise
        return ()
    if not gates_apart(measure_of(project, built.model, search).gates)[1]:
        return ()
    ruling = _judge(project, built, search, store)
    if project.records.file(built.model, built.commit, "compare").is_file():
        comparison = project.records.read(built.model, built.commit, Comparison)
        project.records.write("compare", _with(comparison, ruling))
    return ruling.gates


def told(gate: GateResult) -> str:
    what = f"`{gate.metric}`, {gate.kind} {gate.limit:g}"
    return f"{what}: {gate.verdict}: {gate.reason}" + (", it blocks" if gate.blocks else "")


@dataclass(frozen=True)
class _Ruling:
    result: MetricResult
    gates: tuple[GateResult, ...]
    notes: tuple[str, ...]


def _judge(project: Project, built: Build, search: Search | None, store: Store | None) -> _Ruling:
    measure = measure_of(project, built.model, search)
    headers = _headers(built.model, store)
    past = None if headers is None else _past(headers)
    size = built.size_bytes / MEGABYTE if built.size_bytes else None
    level = measure.policy.level
    result = compare_resource(IMAGE, size, Past(past or []), level)
    known = past is None or past  # what cannot be read is not a past that is empty
    gates = [g for g in gates_apart(measure.gates)[1] if known or gate_of(g).kind in FLOORS]
    now = project.world.now()
    least = least_of(recent(headers or (), now), IMAGE)
    best = None if least is None else compare_resource(IMAGE, size, Past((), least), level)
    waived = waive(
        judge([result], gates, measure.policy, anchor=None if best is None else [best]).gates,
        measure.waivers,
        now.date(),
    )
    return _Ruling(result, tuple(waived.gates), tuple(waived.notes))


def _with(comparison: Comparison, ruling: _Ruling) -> Comparison:
    """Judged once more, it counts once."""
    told = bool(ruling.gates or ruling.result.difference)
    gates = [gate for gate in comparison.gates if gate.metric != IMAGE]
    resources = [one for one in comparison.resources if one.metric != IMAGE]
    before = len(comparison.gates) - len(gates)
    verdict, blocks = comparison.verdict, comparison.blocks
    if before:
        promises: list[ContractResult | RobustnessResult] = []
        promises += [*comparison.contract, *comparison.robustness]
        verdict = join_verdict(verdict_of(gates), promises) if promises else verdict_of(gates)
        blocks = any(one.blocks for one in gates) or any(one.blocks for one in promises)
    verdicts = {verdict, verdict_of(ruling.gates)}
    return msgspec.structs.replace(
        comparison,
        gates=(*gates, *ruling.gates),
        resources=(*resources, ruling.result) if told else tuple(resources),
        verdict=next(one for one in WORST if one in verdicts),
        blocks=blocks or any(gate.blocks for gate in ruling.gates),
        waiting=max(0, comparison.waiting - _promised(ruling.gates) + _promised(comparison.gates)),
        notes=(
            *(note for note in comparison.notes if note != LATER and note not in ruling.notes),
            *ruling.notes,
        ),
    )


def _promised(gates: Iterable[GateResult]) -> int:
    """Gates on the image, each once: not those that bound many small steps as well."""
    return sum(one.metric == IMAGE and one.against == "base" for one in gates)


def weighed(header: Header, outcome: ModelOutcome) -> Header:
    """With the image's size, for those who compare with it later."""
    built = outcome.shipped.get("build")
    if not isinstance(built, Build) or not built.size_bytes:
        return header
    resources = {**header.resources, IMAGE: built.size_bytes / MEGABYTE}
    return msgspec.structs.replace(header, resources=resources)


def _headers(name: str, store: Store | None) -> tuple[Header, ...] | None:
    """None where the store is away: a drop is not assessed then, floors and ceilings are."""
    try:
        return store.list(name) if store is not None else ()
    except MlopsCiError:
        return None


def _past(headers: Sequence[Header]) -> list[float]:
    ordered = sorted(headers, key=lambda one: one.stored)
    return [one.resources[IMAGE] for one in ordered if IMAGE in one.resources]
