"""Robustness of a model: base's perturbations beside head's, and what main lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from mlops_ci.config import Gate, Perturbation, Policy, Waiver, expand_robustness
from mlops_ci.config.model import LEAKAGE
from mlops_ci.data import Predictions
from mlops_ci.plan.base_search import Search
from mlops_ci.plan.outcome import ModelOutcome
from mlops_ci.plan.rescoring import differ
from mlops_ci.project import Project
from mlops_ci.records.findings import RobustnessResult
from mlops_ci.steps.robustness import RobustnessRequest, check_robustness
from mlops_ci.verdict.gates import Promise, Source, gate_of
from mlops_ci.verdict.history import RESOURCES
from mlops_ci.verdict.perturbation import (
    MainsDrop,
    Seen,
    Wanted,
    drops_of,
    judge_drop,
    merge_perturbations,
    waive_drops,
)


@dataclass(frozen=True)
class Rows:
    """Both sides' answers."""

    head: Predictions | None
    base: Predictions | None


@dataclass(frozen=True)
class Ruling:
    """What the drops are judged by."""

    policy: Policy
    waivers: Sequence[Waiver]
    gates: Sequence[Gate | Promise]

    @property
    def primary(self) -> str | None:
        """The metric of rows that policy or gates speak of first."""
        metrics = (gate_of(gate).metric for gate in self.gates)
        of_rows = (name for name in metrics if name not in RESOURCES and name != LEAKAGE)
        return self.policy.primary or next(of_rows, None)


@dataclass(frozen=True)
class Checked:
    results: tuple[RobustnessResult, ...] = ()
    changes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def robustness_with_base(
    project: Project,
    outcome: ModelOutcome,
    search: Search | None,
    rows: Rows,
    ruling: Ruling,
) -> Checked:
    """What head loses is kept in its evaluation: once it is main's, it stands beside the next."""
    every, changes = _merged(project, outcome.name, search)
    head, policy = rows.head, ruling.policy
    if not every or head is None:
        unseen = Seen(None, "there are no rows to change")
        wanted = [Wanted(one, source, one.metric or ruling.primary or "") for one, source in every]
        return Checked(tuple(judge_drop(one, unseen, policy, None) for one in wanted), changes)
    request = RobustnessRequest(
        [Wanted(one, source, _metric(one, ruling.primary, head)) for one, source in every],
        head,
        project.model(outcome.name),
        policy,
        rows.base,
        _base_drops(outcome, search),
    )
    results = check_robustness(project, outcome.name, request)
    if outcome.evaluation is not None:
        outcome.evaluation = msgspec.structs.replace(outcome.evaluation, robustness=results)
        project.records.write("evaluate", outcome.evaluation)
    waived, notes = waive_drops(results, ruling.waivers, project.world.now().date())
    return Checked(waived, changes, notes)


def _base_drops(
    outcome: ModelOutcome, search: Search | None
) -> Mapping[tuple[Any, ...], MainsDrop]:
    """What main lost on these rows; what it lost on others stands beside nothing."""
    side = search.side if search is not None else None
    if side is None or differ(side.evaluation, outcome.evaluation):
        return {}
    return drops_of(side.evaluation.robustness)


def _merged(
    project: Project, name: str, search: Search | None
) -> tuple[tuple[tuple[Perturbation, Source], ...], tuple[str, ...]]:
    ours = expand_robustness(project.model(name).robustness)
    if search is None or search.settings.adopted:
        return tuple((one, "head") for one in ours), ()
    return merge_perturbations(expand_robustness(search.settings.model.robustness), ours)


def _metric(one: Perturbation, primary: str | None, head: Predictions) -> str:
    if one.metric or primary:
        return one.metric or primary or ""
    if head.task == "regression":
        return "rmse"
    return "roc_auc" if head.task == "binary" and head.score is not None else "accuracy"
