"""What both sides are measured and judged by: base's promises beside head's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from mlops_ci.config import Gate, Model, Policy, Waiver, expand_gates
from mlops_ci.plan.base_search import Search
from mlops_ci.project import Project
from mlops_ci.verdict import Promise, Yardstick, merge_yardsticks, slice_changes


@dataclass(frozen=True)
class Measure:
    """What both sides are measured by. `model` is head's, with base's slices too."""

    gates: Sequence[Gate | Promise]
    policy: Policy
    model: Model
    changes: tuple[str, ...] = ()
    waivers: Sequence[Waiver] = ()

    @property
    def functions(self) -> frozenset[str]:
        """Names of the user's own metrics, which main's older models were not asked about."""
        return frozenset(self.model.functions)


def measure_of(project: Project, name: str, search: Search | None) -> Measure:
    """Base's gates, slices and policy, beside head's; head's alone where base has none."""
    model = project.model(name)
    ours = expand_gates(model.gates), project.config.policy(name)
    if search is None or search.settings.adopted:
        gates = [Promise(gate, "head") for gate in ours[0]]
        return Measure(gates, ours[1], model, waivers=model.waivers)
    settings = search.settings
    theirs = expand_gates(settings.model.gates), settings.config.policy(name)
    merged: Yardstick = merge_yardsticks(theirs, ours)
    changes = (
        *merged.changes,
        *slice_changes(settings.model.slices, model.slices),
        *_waiver_changes(settings.model.waivers, model.waivers),
        *_seed_changes(settings.model.seeds, model.seeds),
    )
    slices = list(dict.fromkeys((*settings.model.slices, *model.slices)))
    fairness = list(dict.fromkeys((*settings.model.fairness, *model.fairness)))
    functions = {**model.functions, **settings.model.functions}
    rows = model.training_rows or settings.model.training_rows
    widened = msgspec.structs.replace(
        model, slices=slices, fairness=fairness, functions=functions, training_rows=rows
    )
    return Measure(merged.gates, merged.policy, widened, changes, settings.model.waivers)


def _waiver_changes(base: Sequence[Waiver], head: Sequence[Waiver]) -> list[str]:
    """What head adds or takes away; base's hold until it is merged."""
    added = [f"a waiver for {one.metric} is added ({one.owner})" for one in head if one not in base]
    gone = [f"the waiver for {one.metric} is removed" for one in base if one not in head]
    return [f"{change}; it counts from the merge on" for change in added + gone]


def _seed_changes(base: int, head: int) -> list[str]:
    return [] if head == base else [f"seeds: {base} → {head}; it counts from the merge on"]
