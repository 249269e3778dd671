"""A commit, trained again, against what was recorded of it."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from msgspec import Struct

from mlops_ci.baseline.commit import Base
from mlops_ci.baseline.store import Store, Wanted
from mlops_ci.engines import Echo
from mlops_ci.errors import BaselineError, UsageError
from mlops_ci.plan.base_side import settings_of
from mlops_ci.plan.base_training import Retraining, train_base
from mlops_ci.project import Project
from mlops_ci.records import Evaluation, Folder, Training

AGAIN = "reproduce"


class Again(Struct, frozen=True, kw_only=True):
    """One number then and now; `same` means bit-equal."""

    metric: str
    slice: str | None
    recorded: float | None
    again: float | None
    same: bool


class Reproduction(Struct, frozen=True, kw_only=True):
    """`same`: predictions and every number are bit-equal. `reasons` name what else differs."""

    schema: str = "mlops-ci/reproduce/1"
    model: str
    commit: str
    same: bool
    predictions_same: bool | None
    metrics: tuple[Again, ...]
    reasons: tuple[str, ...] = ()


def reproduce(
    project: Project, name: str, ref: str, store: Store | None, echo: Echo | None = None
) -> Reproduction:
    """Raises UsageError for an unknown commit, BaselineError when nothing was recorded of it."""
    commit = project.git.commit_of(ref)
    if commit is None:
        raise UsageError(f"there is no commit {ref!r} here", where=str(project.git.root))
    training, evaluation = _recorded(project, name, commit, store)
    settings = settings_of(project, name, Base(commit, ref))
    apart = replace(project, records=Folder(project.records.path / AGAIN))
    apart.records.ignore()
    side = train_base(Retraining(apart, name, settings, echo=echo))
    return _compare(evaluation, side.evaluation, _reasons(training, side.training))


def _recorded(
    project: Project, name: str, commit: str, store: Store | None
) -> tuple[Training | None, Evaluation]:
    if project.records.file(name, commit, "evaluate").is_file():
        evaluation = project.records.read(name, commit, Evaluation)
        path = project.records.file(name, commit, "train")
        training = project.records.read(name, commit, Training) if path.is_file() else None
        return training, evaluation
    found = store.get(Wanted(name, commit)) if store is not None else None
    if found is None:
        raise BaselineError(
            f"{name}: nothing was recorded of {commit[:12]}: not in this clone, not in the store",
            where=commit,
            fix="name a commit that `mlops-ci run` or the merge workflow has run on",
        )
    return found.entry.training, found.entry.evaluation


def _compare(then: Evaluation, now: Evaluation, reasons: list[str]) -> Reproduction:
    before, after = _numbers(then), _numbers(now)
    names = list(dict.fromkeys((*before, *after)))
    metrics = tuple(
        Again(
            metric=metric,
            slice=part,
            recorded=before.get((metric, part)),
            again=after.get((metric, part)),
            same=before.get((metric, part)) == after.get((metric, part)),
        )
        for metric, part in names
    )
    predictions = None
    if then.predictions is not None and now.predictions is not None:
        predictions = then.predictions.digest == now.predictions.digest
    if then.rows_digest != now.rows_digest:
        reasons.append("the evaluation rows differ")
    return Reproduction(
        model=then.model,
        commit=then.commit,
        same=all(one.same for one in metrics) and predictions is not False,
        predictions_same=predictions,
        metrics=metrics,
        reasons=tuple(reasons),
    )


def _numbers(evaluation: Evaluation) -> dict[tuple[str, str | None], float]:
    found: dict[tuple[str, str | None], float] = {
        (name, None): value for name, value in evaluation.numbers.items()
    }
    for result in evaluation.metrics:
        if result.head is not None:
            found[(result.metric, result.slice)] = result.head
    return found


def _reasons(then: Training | None, now: Training | None) -> list[str]:
    """What the two trainings were made of, where it is not the same."""
    if then is None or now is None:
        return []
    reasons = [
        f"data {path} differs" for path in then.data if now.data.get(path) != then.data[path]
    ]
    if then.environment is not None and now.environment is not None:
        for field in msgspec.structs.fields(then.environment):
            old, new = (getattr(one.environment, field.name) for one in (then, now))
            if old != new:
                reasons.append(f"{field.name}: {old} then, {new} now")
    if then.parameters != now.parameters:
        reasons.append("parameters differ")
    return reasons
