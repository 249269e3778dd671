"""A commit, trained again, against what was recorded of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from mlops_ci.baseline.commit import Base
from mlops_ci.baseline.store import Store, Wanted
from mlops_ci.engines import Echo
from mlops_ci.errors import UsageError
from mlops_ci.plan.base_side import settings_of
from mlops_ci.plan.base_training import Retraining, train_base
from mlops_ci.plan.likeness import (
    Again,
    Reproduction,
    judged,
    noise_of_main,
    reasons_between,
    seed_noise,
)
from mlops_ci.project import Project
from mlops_ci.records import Evaluation, Folder, Training, read_record

AGAIN = "reproduce"


@dataclass(frozen=True)
class Source:
    """Where what was recorded is looked up; `record` is a file that goes before the others."""

    store: Store | None = None
    record: Path | None = None


def reproduce(
    project: Project, name: str, ref: str, source: Source, echo: Echo | None = None
) -> Reproduction:
    """Raises UsageError for an unknown commit or a record of another one."""
    commit = project.git.commit_of(ref)
    if commit is None:
        raise UsageError(f"there is no commit {ref!r} here", where=str(project.git.root))
    training, evaluation = _recorded(project, name, commit, source)
    settings = settings_of(project, name, Base(commit, ref))
    if settings.adopted:
        raise UsageError(
            f"{name} is not in the configuration of {commit[:12]}",
            where=commit,
            fix="name a commit that has the model, or another model: --model NAME",
        )
    apart = replace(project, records=Folder(project.records.path / AGAIN))
    apart.records.ignore()
    known = seed_noise(evaluation)
    request = Retraining(apart, name, settings, echo=echo, seeds=1 if known else None)
    side = train_base(request)
    noise = noise_of_main(name, side.evaluation, source.store)
    noise |= known or seed_noise(side.evaluation)
    if evaluation is not None and evaluation.rows_digest != side.evaluation.rows_digest:
        noise = {}  # on other rows a number moves for another reason
    found = _compare(evaluation, side.evaluation, reasons_between(training, side.training))
    return judged(found, noise, settings.config.level)


def _recorded(
    project: Project, name: str, commit: str, source: Source
) -> tuple[Training | None, Evaluation | None]:
    if source.record is not None:
        evaluation = _given(source.record, name, commit)
        beside = source.record.with_name("train.json")
        return (read_record(beside, Training) if beside.is_file() else None), evaluation
    if project.records.file(name, commit, "evaluate").is_file():
        evaluation = project.records.read(name, commit, Evaluation)
        path = project.records.file(name, commit, "train")
        training = project.records.read(name, commit, Training) if path.is_file() else None
        return training, evaluation
    found = source.store.get(Wanted(name, commit)) if source.store is not None else None
    return (found.entry.training, found.entry.evaluation) if found is not None else (None, None)


def _given(path: Path, name: str, commit: str) -> Evaluation:
    if not path.is_file():
        raise UsageError(
            "there is no such record",
            where=str(path),
            fix="it is the `evaluate.json` of `.mlops-ci/<model>/<commit>/` in the job's workspace",
        )
    evaluation = read_record(path, Evaluation)
    if (evaluation.model, evaluation.commit) != (name, commit):
        raise UsageError(
            f"the record is of {evaluation.model} at {evaluation.commit[:12]}, not of {name} at "
            f"{commit[:12]}",
            where=str(path),
            fix=f"mlops-ci reproduce {evaluation.commit[:12]} --model {evaluation.model} "
            f"--record {path}",
        )
    return evaluation


def _compare(then: Evaluation | None, now: Evaluation, reasons: list[str]) -> Reproduction:
    before, after = _numbers(then) if then is not None else {}, _numbers(now)
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
    if then is None:
        return Reproduction(
            model=now.model,
            commit=now.commit,
            same=None,
            predictions_same=None,
            metrics=metrics,
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
