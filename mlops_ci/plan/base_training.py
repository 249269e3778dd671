"""Base, trained again in a worktree of its own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from mlops_ci.baseline.worktree import Linked, checked_out, link_data, share_cache, undeclared
from mlops_ci.engines import Echo, Ended, Job, engine_of
from mlops_ci.engines.owner import give_all, user_for
from mlops_ci.errors import DOCS, BaselineError, CommandError
from mlops_ci.plan.base_side import BaseSettings, BaseSide
from mlops_ci.plan.rescoring import ask_in
from mlops_ci.project import Project, is_within
from mlops_ci.records import Artifact, Evaluation, Folder, Training
from mlops_ci.steps.command import dvc_argv
from mlops_ci.steps.exhibit_files import FOLDER as EXHIBITS
from mlops_ci.steps.requests import EvaluateRequest, TrainRequest
from mlops_ci.steps.seeds import evaluate_all, train_all
from mlops_ci.steps.training_keys import place_of


@dataclass(frozen=True)
class Retraining:
    """One request to train base: `project` is head's. `rows`: the digest of head's evaluation rows;
    where base's are others, its model answers these too. `seeds`: as in `TrainRequest`."""

    project: Project
    name: str
    settings: BaseSettings
    timeout: float | None = None
    echo: Echo | None = None
    engine: str = "local"
    rows: str | None = None
    seeds: int | None = None

    @property
    def commit(self) -> str:
        return self.settings.base.commit


class UndeclaredError(BaselineError):
    """`missing`: a path in head's checkout, which base's worktree does not have."""

    missing = ""


def train_base(request: Retraining) -> BaseSide:
    """What base needs, and only head declares as `data:`, is added where base cannot be trained
    without it: no pull request could mend it otherwise, and none can bring about that base fails.

    Raises CommandError when base's own command fails, BaselineError when it lacks a file.
    """
    added: tuple[str, ...] = ()
    while True:
        try:
            side = _train(request, added)
        except UndeclaredError as error:
            found = _declared_by_head(request, error.missing)
            if found is None or found in added:
                raise
            added = (*added, found)
            continue
        notes = (f"base reads {entry}, which only head declares as `data:`" for entry in added)
        return replace(side, notes=(*side.notes, *notes))


def _declared_by_head(request: Retraining, path: str) -> str | None:
    head = request.project.config.models.get(request.name)
    entries = head.data if head is not None else ()
    return next((entry for entry in entries if is_within(path, entry)), None)


def _train(request: Retraining, added: tuple[str, ...]) -> BaseSide:
    project = request.project
    user = user_for(project.git.root, project.world.environ)
    owner = project.git.root.stat().st_uid
    checkout_user = user if user is not None and user[0] == owner else None
    with checked_out(project, request.commit, checkout_user) as top:
        tree = _project_at(request, top)
        _bring_dvc(request, tree, top)
        data = (*request.settings.model.data, *added)
        linked = link_data(project.root, tree.root, data)
        give_all(tree.root, checkout_user)
        try:
            training, evaluation = _run(request, tree, top)
            _refuse_changed(linked)
            side = _bring_back(request, tree, training, evaluation)
            return ask_in(tree, request, side, checkout_user)
        except CommandError as error:
            raise _explain(request, top, error) from error
        finally:
            _keep_logs(request, tree)


def _project_at(request: Retraining, top: Path) -> Project:
    project = request.project
    root = top / project.prefix
    if not root.is_dir():
        raise BaselineError(
            f"base {request.commit[:12]} has no folder {project.prefix}", where=request.commit
        )
    git = replace(project.git, root=top)
    return Project(root, request.settings.config, git, Folder(root), project.world.within(root))


def _run(request: Retraining, tree: Project, top: Path) -> tuple[Training, Evaluation]:
    common = _asked(request, top)
    wanted = TrainRequest(**common, reuse=False, track=False, seeds=request.seeds)
    training = train_all(tree, request.name, wanted)
    # The key of base's commit, as the store and the next run will look for it.
    training = msgspec.structs.replace(training, key=request.settings.key or training.key)
    tree.records.write("train", training)
    return training, evaluate_all(tree, request.name, EvaluateRequest(**common))


def _asked(request: Retraining, top: Path) -> dict[str, Any]:
    return {
        "timeout": request.timeout,
        "echo": request.echo,
        "engine": request.engine,
        "workspace": top,
        "commit": request.commit,
    }


def _bring_dvc(request: Retraining, tree: Project, top: Path) -> None:
    """Base's own versions of what DVC tracks, out of the shared cache."""
    model = request.settings.model
    pointers = [f"{entry.rstrip('/')}.dvc" for entry in model.data]
    pointers = [path for path in pointers if (tree.root / path).is_file()]
    if not share_cache(request.project, top, _cache_of(request)):
        return
    if model.dvc is not None:
        _dvc(request, tree, top, "checkout", "--force", "--quiet")
    elif pointers and _dvc(request, tree, top, "checkout", "--force", *pointers).code != 0:
        ended = _dvc(request, tree, top, "pull", "--force", *pointers)
        if ended.code != 0:
            raise BaselineError(
                f"base's data cannot be brought by DVC: {ended.tail.strip()[-400:]}",
                where=", ".join(pointers),
                fix="let the job fetch base's data too, before this step: "
                "`dvc fetch --all-commits`, or give DVC its remote and keys (`secrets:`)",
            )


def _cache_of(request: Retraining) -> str | None:
    """A cache folder that the settings place elsewhere; None: `.dvc/cache`."""
    ended = _dvc(request, request.project, request.project.git.root, "cache", "dir")
    words = ended.tail.strip().splitlines()
    return words[-1] if ended.code == 0 and words and Path(words[-1]).is_absolute() else None


def _dvc(request: Retraining, tree: Project, workspace: Path, *arguments: str) -> Ended:
    if not (workspace / ".dvc").is_dir() and not (tree.root / ".dvc").is_dir():
        return Ended(1, "", 0.0)
    job = Job(
        run_id=f"dvc-{request.commit[:12]}",
        argv=[*dvc_argv(), *arguments],
        folder=tree.root,
        workspace=workspace,
        log=request.project.records.of(request.name, request.commit) / "dvc.log",
        secrets=request.settings.model.secrets,
    )
    return engine_of(request.engine, request.project.world).run(job)


def _explain(request: Retraining, top: Path, error: CommandError) -> CommandError | BaselineError:
    missing = undeclared(request.project, top, error.tail)
    if missing is None:
        said = error.what.removeprefix(f"{request.name}: ")
        error.what = f"{request.name}: base {request.commit[:12]}: {said}"
        error.seen_from(top)  # the worktree goes, the log is kept at the same place in head's
        return error
    folder = missing.partition("/")[0] + "/" if "/" in missing else missing
    refusal = UndeclaredError(
        f"base's training needs {missing}, which is not in Git: its worktree does not have it",
        where=f"base {request.commit[:12]}",
        fix="declare it, and base gets the same files:\n"
        f"models:\n  {request.name}:\n    data: [{folder}]",
        link=f"{DOCS}/config.md",
    )
    refusal.missing = missing
    return refusal


def _refuse_changed(linked: Linked) -> None:
    changed = linked.changed()
    if changed:
        raise BaselineError(
            f"base's training wrote into {changed[0].name}, which head uses too",
            where=str(changed[0]),
            fix="let training leave its inputs alone; remove what is an output from `data:`",
        )


def _bring_back(
    request: Retraining, tree: Project, training: Training, evaluation: Evaluation
) -> BaseSide:
    """Records and predictions move to head's records; the worktree goes."""
    project, artifact = request.project, evaluation.predictions
    folder = project.records.of(request.name, request.commit)
    folder.mkdir(parents=True, exist_ok=True)
    place = None
    if artifact is not None:
        place = folder / f"predictions{''.join(Path(artifact.path).suffixes[-2:])}"
        shutil.copyfile(tree.root / artifact.path, place)
        artifact = Artifact(
            path=place.relative_to(project.root).as_posix(),
            digest=artifact.digest,
            bytes=artifact.bytes,
        )
        evaluation = msgspec.structs.replace(evaluation, predictions=artifact)
    log = (folder / "train.log").relative_to(project.root).as_posix()
    training = msgspec.structs.replace(training, log=log)
    kept = tree.records.of(request.name, request.commit) / EXHIBITS
    if kept.is_dir():
        shutil.copytree(kept, folder / EXHIBITS, symlinks=True, dirs_exist_ok=True)
    trained = place_of(tree, request.name, request.commit)
    if trained.is_file():
        shutil.copyfile(trained, folder / trained.name)
    project.records.write("train", training)
    project.records.write("evaluate", evaluation)
    return BaseSide(evaluation, training, place, "trained here, in a worktree")


def _keep_logs(request: Retraining, tree: Project) -> None:
    for name in ("train.log", "predict.log"):
        source = tree.records.of(request.name, request.commit) / name
        if source.is_file():
            target = request.project.records.of(request.name, request.commit) / name
            request.project.records.ignore()
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
