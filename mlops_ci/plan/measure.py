"""What both sides are measured and judged by: base's promises beside head's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import msgspec

from mlops_ci.config import Gate, Model, Policy, Waiver, expand_gates
from mlops_ci.plan.base_search import Search
from mlops_ci.project import Project
from mlops_ci.verdict import Promise, Yardstick, merge_yardsticks, slice_changes
from mlops_ci.verdict.names import higher_is_better
from mlops_ci.verdict.yardstick import path_changes


@dataclass(frozen=True)
class Measure:
    """What both sides are measured by. `model` is head's, with base's slices too. `turned`: columns
    of values, and whether more is better, where base's file says so and head's does not.
    `training_rows`: the files that both name, base's first."""

    gates: Sequence[Gate | Promise]
    policy: Policy
    model: Model
    changes: tuple[str, ...] = ()
    waivers: Sequence[Waiver] = ()
    turned: Mapping[str, bool] = field(default_factory=dict)
    training_rows: tuple[str, ...] = ()

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
        files = _once([model.training_rows])
        return Measure(gates, ours[1], model, waivers=model.waivers, training_rows=files)
    settings = search.settings
    theirs = expand_gates(settings.model.gates), settings.config.policy(name)
    merged: Yardstick = merge_yardsticks(theirs, ours)
    turned = _turned(settings.model, model)
    changes = (
        *merged.changes,
        *slice_changes(settings.model.slices, model.slices),
        *_waiver_changes(settings.model.waivers, model.waivers),
        *_seed_changes(settings.model.seeds, model.seeds),
        *path_changes("training-rows", *_named(settings.model, model), "the rows of both count"),
        *(f"what is better of {one} is turned; it counts from the merge on" for one in turned),
    )
    slices = list(dict.fromkeys((*settings.model.slices, *model.slices)))
    fairness = list(dict.fromkeys((*settings.model.fairness, *model.fairness)))
    functions = {**model.functions, **settings.model.functions}
    widened = msgspec.structs.replace(model, slices=slices, fairness=fairness, functions=functions)
    files = _once(_named(settings.model, model))
    waivers = settings.model.waivers
    return Measure(merged.gates, merged.policy, widened, changes, waivers, turned, files)


def _named(base: Model, head: Model) -> tuple[str | None, str | None]:
    """The files with the training rows, the same written in two ways being one."""
    base_named, head_named = (
        PurePosixPath(one.training_rows).as_posix() if one.training_rows is not None else None
        for one in (base, head)
    )
    return base_named, head_named


def _once(paths: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(path for path in paths if path is not None))


def _turned(base: Model, head: Model) -> dict[str, bool]:
    """Columns of values of which head's file says otherwise what is better: what base's says."""
    theirs, ours = base.columns.directions, head.columns.directions
    said = {name: _better(name, up) for name, up in theirs.items() if name in ours}
    return {
        name: up for name, up in said.items() if up is not None and up != _better(name, ours[name])
    }


def _better(name: str, told: bool | None) -> bool | None:  # noqa: FBT001 - the direction
    return told if told is not None else higher_is_better(name)


def _waiver_changes(base: Sequence[Waiver], head: Sequence[Waiver]) -> list[str]:
    """What head adds or takes away; base's hold until it is merged."""
    added = [f"a waiver for {one.metric} is added ({one.owner})" for one in head if one not in base]
    gone = [f"the waiver for {one.metric} is removed" for one in base if one not in head]
    return [f"{change}; it counts from the merge on" for change in added + gone]


def _seed_changes(base: int, head: int) -> list[str]:
    return [] if head == base else [f"seeds: {base} → {head}; it counts from the merge on"]
