"""The steps one at a time, each from the records of the ones before it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mlops_ci.baseline.commit import Asked, Base, find_base
from mlops_ci.baseline.store import Store
from mlops_ci.engines.owner import return_to_owner
from mlops_ci.errors import BaselineError, ConfigError, MlopsCiError
from mlops_ci.plan.base_search import Retry, Search
from mlops_ci.plan.choice import gone_models
from mlops_ci.plan.execution import gone
from mlops_ci.plan.outcome import ModelOutcome, Progress
from mlops_ci.plan.sides import compare_with_base
from mlops_ci.project import Project
from mlops_ci.records import Evaluation, Training
from mlops_ci.steps.requests import EvaluateRequest, TrainRequest
from mlops_ci.steps.seeds import evaluate_all, train_all


def train_sides(
    project: Project, name: str, ref: str | None, *, timeout: float | None, progress: Progress
) -> tuple[Training, ...]:
    """Head's training, and with `ref` base's."""
    with _given_back(project), progress.step(name, "train", project.commit[:12]) as echo:
        head = train_all(project, name, TrainRequest(timeout, echo))
    if ref is None:
        return (head,)
    outcome = ModelOutcome(name, ("train",), "asked for", training=head)
    search = _search(project, outcome, Asked(ref=ref), Retry(timeout), progress)
    training = search.side.training if search is not None and search.side is not None else None
    if training is None:
        raise BaselineError(f"{name}: base {ref} was not trained", where=project.commit)
    return (head, training)


def evaluate_sides(
    project: Project, name: str, ref: str | None, *, timeout: float | None, progress: Progress
) -> tuple[Evaluation, ...]:
    """Head's evaluation, and with `ref` base's."""
    with _given_back(project), progress.step(name, "evaluate", project.commit[:12]) as echo:
        head = evaluate_all(project, name, EvaluateRequest(timeout, echo))
    if ref is None:
        return (head,)
    outcome = ModelOutcome(name, ("evaluate",), "asked for", evaluation=head)
    search = _search(project, outcome, Asked(ref=ref), Retry(timeout), progress)
    if search is None or search.side is None:
        raise BaselineError(f"{name}: base {ref} has no evaluation", where=project.commit)
    return (head, search.side.evaluation)


def compare_recorded(
    project: Project, name: str, asked: Asked, store: Store | None, progress: Progress
) -> ModelOutcome:
    """Head's evaluation record against base, which is found or trained.

    Raises RecordError before `evaluate` has run on this commit.
    """
    evaluation = project.records.read(name, project.commit, Evaluation)
    outcome = ModelOutcome(name, ("compare",), "asked for", evaluation=evaluation)
    outcome.training = _training_of(project, name)
    search = _search(project, outcome, asked, Retry(), progress, store)
    if search is not None:
        outcome.notes.extend(search.notes)
        if search.side is not None:
            outcome.base_training = search.side.training
            outcome.base_evaluation = search.side.evaluation
    with _given_back(project):
        outcome.compared = compare_with_base(project, outcome, search, store)
    outcome.state = "compared" if search is not None and search.side is not None else "first"
    return outcome


def lost_models(project: Project, asked: Asked) -> list[ModelOutcome]:
    """A failed outcome for each model that base has gates for and head does not have."""
    base = find_base(project, asked)
    if base is None:
        return []
    try:
        before = project.config_at(base.commit)
    except ConfigError:
        return []
    return [failed_comparison(name, gone(name)) for name in gone_models(project.config, before)]


def failed_comparison(name: str, error: MlopsCiError) -> ModelOutcome:
    failed = ModelOutcome(name, ("compare",), "asked for", state="failed", error=error)
    failed.failed_step = "compare"
    return failed


def _search(  # noqa: PLR0913, PLR0917 - two doors, one search
    project: Project,
    outcome: ModelOutcome,
    asked: Asked,
    retry: Retry,
    progress: Progress,
    store: Store | None = None,
) -> Search | None:
    base: Base | None = find_base(project, asked)
    if base is None:
        return None
    search = Search(project, outcome.name, base, store)
    with _given_back(project):
        search.look()
        if outcome.evaluation is not None and outcome.training is not None:
            search.take_heads(outcome.evaluation, outcome.training)
        if search.must_train:
            detail = f"base {base.commit[:12]} ({base.name}), in a worktree"
            with progress.step(outcome.name, "train", detail) as echo:
                search.train(Retry(retry.timeout, echo, retry.engine), outcome.evaluation)
        elif outcome.evaluation is not None and search.must_ask(outcome.evaluation):
            detail = f"base {base.commit[:12]} again: its model has to answer head's rows"
            with progress.step(outcome.name, "train", detail) as echo:
                search.ask(Retry(retry.timeout, echo, retry.engine), outcome.evaluation)
    return search


@contextmanager
def _given_back(project: Project) -> Iterator[None]:
    """The records belong to the workspace's owner, also when we run as root."""
    try:
        yield
    finally:
        return_to_owner(project.records.path, project.git.root)


def _training_of(project: Project, name: str) -> Any:
    path = project.records.file(name, project.commit, "train")
    return project.records.read(name, project.commit, Training) if path.is_file() else None
