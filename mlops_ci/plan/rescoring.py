"""Base's model on head's evaluation rows: asked in base's worktree, kept for the next run."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from mlops_ci.baseline.worktree import Linked, swap_data
from mlops_ci.engines.owner import give_all
from mlops_ci.errors import BaselineError, MlopsCiError, RecordError
from mlops_ci.plan.base_side import BaseSettings, BaseSide, Rescored
from mlops_ci.project import Project
from mlops_ci.records import Artifact, Evaluation, Folder, Training, read_record, write_record
from mlops_ci.steps.answers import Way, told
from mlops_ci.steps.requests import EvaluateRequest
from mlops_ci.steps.rescore import ask_folder, changed_data, why_not
from mlops_ci.steps.seeds import evaluate_all
from mlops_ci.steps.tree import content_digest

if TYPE_CHECKING:
    from mlops_ci.plan.base_training import Retraining

STEP = "rescore"
ANSWERED = "its model has answered head's rows"
ANOTHER = (
    "Main's model was trained again to answer head's rows, and is another one than the recorded: "
    "its training does not repeat bit for bit."
)


class Kept(Struct, frozen=True, kw_only=True):
    """What base's model said, and to which data: entry of `data:` → digest of head's version."""

    schema: str = "mlops-ci/rescore/1"
    data: dict[str, str | None]
    evaluation: Evaluation


def differ(one: Evaluation | None, other: Evaluation | None) -> bool:
    """Whether the two were measured on rows that are known not to be the same."""
    digests = [side.rows_digest if side is not None else None for side in (one, other)]
    return None not in digests and digests[0] != digests[1]


def data_of_head(
    project: Project, name: str, settings: BaseSettings
) -> tuple[dict[str, str | None], str | None]:
    """What differs under `data:`, and why base's model cannot be asked about it (None: it can)."""
    base = project.with_config(settings.config)
    changed = changed_data(project, base, name, settings.base.commit)
    return changed, why_not(settings.model, changed)


def ask_in(
    tree: Project, request: Retraining, side: BaseSide, user: tuple[int, int] | None
) -> BaseSide:
    """The side with its model's answers to head's rows; with a note where they cannot be had.
    `tree`: base's worktree, with base's model in it."""
    if request.rows is None or side.evaluation.rows_digest in {None, request.rows}:
        return side
    changed, refusal = data_of_head(request.project, request.name, request.settings)
    if refusal is not None:
        return replace(side, notes=(*side.notes, refusal))
    try:
        found = _ask(tree, request, changed, user)
    except MlopsCiError as error:
        why = error.what if request.settings.model.predict is not None else told(error)
        note = f"Main's model could not be asked about head's evaluation rows: {why}."
        return replace(side, notes=(*side.notes, note))
    if not differ(found.evaluation, side.evaluation):
        note = "Main's model answers the rows that it did before, whatever lies under `data:`."
        return replace(side, notes=(*side.notes, note))
    return replace(side, rescored=found)


def _ask(
    tree: Project,
    request: Retraining,
    changed: dict[str, str | None],
    user: tuple[int, int] | None,
) -> Rescored:
    linked = Linked({})

    def bring() -> None:
        nonlocal linked
        linked = swap_data(request.project.root, tree.root, tuple(changed))
        for entry in changed:
            give_all(tree.root / entry, user)

    evaluation = _answered(tree, request, bring)
    written = linked.changed()
    if written:
        raise BaselineError(
            f"base's model, when asked, wrote into {written[0].name}, which head uses too",
            where=str(written[0]),
        )
    return _keep(tree, request, Kept(data=changed, evaluation=evaluation))


def _answered(tree: Project, request: Retraining, bring: Callable[[], None]) -> Evaluation:
    if tree.model(request.name).predict is None:
        way = Way(request.commit, request.timeout, request.echo, request.engine)
        key = tree.records.read(request.name, request.commit, Training).key
        found = ask_folder(tree, request.name, way, bring)
        return msgspec.structs.replace(found, key=key)
    bring()
    asked = EvaluateRequest(
        request.timeout, request.echo, request.engine, tree.git.root, request.commit
    )
    return evaluate_all(tree, request.name, asked)


def _keep(tree: Project, request: Retraining, kept: Kept) -> Rescored:
    """The answers move to head's records: the worktree goes."""
    artifact = kept.evaluation.predictions
    if artifact is None:
        raise BaselineError("base's `predict:` leaves no predictions", where=request.commit)
    project = request.project
    folder = project.records.of(request.name, request.commit)
    place = folder / f"rescored{''.join(Path(artifact.path).suffixes[-2:])}"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(tree.root / artifact.path, place)
    inside = place.relative_to(project.root).as_posix()
    moved = Artifact(path=inside, digest=artifact.digest, bytes=artifact.bytes)
    evaluation = msgspec.structs.replace(kept.evaluation, predictions=moved)
    path = project.records.file(request.name, request.commit, STEP)
    write_record(path, msgspec.structs.replace(kept, evaluation=evaluation))
    return Rescored(evaluation, place, ANSWERED)


def find_kept(
    project: Project, name: str, settings: BaseSettings, rows: str | None
) -> Rescored | None:
    """What an earlier run asked the model of this commit about the same rows of the same data."""
    for records in (project.records, apart(project).records):
        try:
            kept = read_record(records.file(name, settings.base.commit, STEP), Kept)
        except RecordError:
            continue
        found = _still_fits(project, kept, data_of_head(project, name, settings)[0], rows)
        if found is not None and kept.evaluation.key == settings.key:
            return found
    return None


def apart(project: Project) -> Project:
    """Where a training that only answers head's rows leaves its records: base's own stay."""
    return replace(project, records=Folder(project.records.path / STEP))


def _still_fits(
    project: Project, kept: Kept, changed: dict[str, str | None], rows: str | None
) -> Rescored | None:
    evaluation, artifact = kept.evaluation, kept.evaluation.predictions
    fits = (evaluation.rows_digest, kept.data) == (rows, changed)
    if not fits or artifact is None:
        return None
    place = project.root / artifact.path
    intact = place.is_file() and content_digest(place, artifact.path) == artifact.digest
    return Rescored(evaluation, place, ANSWERED) if intact else None


def joined(before: BaseSide, again: BaseSide, head: Evaluation) -> BaseSide:
    """`before`: main's record on rows of its own. `again`: the same commit, trained once more."""
    if again.rescored is not None:
        recorded, now = before.evaluation, again.evaluation
        same = differ(recorded, now) or recorded.metrics == now.metrics
        return replace(again, notes=again.notes if same else (*again.notes, ANOTHER))
    if not differ(again.evaluation, head) and again.predictions is not None:
        source = "trained again on today's data: what it was trained on is neither in Git nor DVC"
        return replace(before, rescored=Rescored(again.evaluation, again.predictions, source))
    return replace(before, notes=(*before.notes, *again.notes))
