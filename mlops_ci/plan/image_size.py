"""The size of the image, judged between build and push: before a merge no image is built."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from mlops_ci.baseline.resources import MEGABYTE
from mlops_ci.baseline.store import Header, Store
from mlops_ci.config import Gate
from mlops_ci.config.model import FLOORS
from mlops_ci.errors import MlopsCiError
from mlops_ci.plan.base_search import Search
from mlops_ci.plan.measure import measure_of
from mlops_ci.plan.outcome import ModelOutcome
from mlops_ci.project import Project
from mlops_ci.records import Build, Comparison
from mlops_ci.verdict import Promise, judge, verdict_of, waive
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
    measure = measure_of(project, outcome.name, search)
    past = _past(outcome.name, store)
    size = built.size_bytes / MEGABYTE if built.size_bytes else None
    result = compare_resource(IMAGE, size, Past(past or []), measure.policy.level)
    known = past is None or past  # what cannot be read is not a past that is empty
    gates = [g for g in gates_apart(measure.gates)[1] if known or gate_of(g).kind in FLOORS]
    waived = waive(
        judge([result], gates, measure.policy).gates,
        measure.waivers,
        project.world.now().date(),
    )
    told = bool(waived.gates or result.difference)
    verdicts = {comparison.verdict, verdict_of(waived.gates)}
    judged: Comparison = msgspec.structs.replace(
        comparison,
        gates=(*comparison.gates, *waived.gates),
        resources=(*comparison.resources, result) if told else comparison.resources,
        verdict=next(one for one in WORST if one in verdicts),
        blocks=comparison.blocks or any(gate.blocks for gate in waived.gates),
        waiting=max(0, comparison.waiting - len(gates)),
        notes=(*(note for note in comparison.notes if note != LATER), *waived.notes),
    )
    outcome.compared = msgspec.structs.replace(outcome.compared, comparison=judged)
    project.records.write("compare", judged)
    return judged.blocks


def weighed(header: Header, outcome: ModelOutcome) -> Header:
    """With the image's size, for those who compare with it later."""
    built = outcome.shipped.get("build")
    if not isinstance(built, Build) or not built.size_bytes:
        return header
    resources = {**header.resources, IMAGE: built.size_bytes / MEGABYTE}
    return msgspec.structs.replace(header, resources=resources)


def _past(name: str, store: Store | None) -> list[float] | None:
    """None where the store is away: a drop is not assessed then, floors and ceilings are."""
    try:
        headers = store.list(name) if store is not None else ()
    except MlopsCiError:
        return None
    ordered = sorted(headers, key=lambda one: one.stored)
    return [one.resources[IMAGE] for one in ordered if IMAGE in one.resources]
