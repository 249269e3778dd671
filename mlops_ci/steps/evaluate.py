"""`evaluate`: what the model does on the evaluation rows; leaves an Evaluation record."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.config import Model, expand_contract
from mlops_ci.engines import Job, engine_of
from mlops_ci.engines.links import refuse_links
from mlops_ci.engines.owner import make_folder, user_for
from mlops_ci.engines.python import Request, find_lock, ready_python
from mlops_ci.errors import RecordError, UsageError
from mlops_ci.project import Project, outputs_of
from mlops_ci.records import Artifact, Evaluation, Training
from mlops_ci.steps.command import SEED, Outputs, argv_of, run_job
from mlops_ci.steps.exhibits import keep_exhibits
from mlops_ci.steps.requests import EvaluateRequest
from mlops_ci.steps.tree import WorkTree, content_digest

if TYPE_CHECKING:
    from mlops_ci.data import ColumnsRequest, Numbers, Predictions


def evaluate(project: Project, name: str, request: EvaluateRequest) -> Evaluation:
    """Run `predict:` where there is one, then read predictions and metrics files.

    Raises CommandError when `predict` fails, UsageError when a file that must be there is missing,
    ComparisonError when a file cannot be read as what it should be.
    """
    model = project.model(name)
    commit = request.commit or project.commit
    seconds = None
    if model.predict is not None:
        seconds = round(predict(project, name, commit, request), 3)
    record = evaluation_of(project, name, commit, _key_of(project, name, commit))
    record = msgspec.structs.replace(record, predict_seconds=seconds)
    project.records.write("evaluate", record)
    with suppress(OSError):
        keep_exhibits(project, name, commit)
    return record


def evaluation_of(project: Project, name: str, commit: str, key: str | None) -> Evaluation:
    """The files as they are, evaluated; nothing runs and nothing is written."""
    model = project.model(name)
    refuse_links(project, outputs_of(model))
    numbers = read_metrics(project.root, model)
    if model.predictions is None:
        return _record(project, name, commit, key, numbers)
    predictions = open_predictions(_present(project, model.predictions), model)
    return _with_rows(_record(project, name, commit, key, numbers), predictions, project, name)


def _key_of(project: Project, name: str, commit: str) -> str | None:
    try:
        return project.records.read(name, commit, Training).key
    except RecordError:
        return None


def predict(
    project: Project, name: str, commit: str, request: EvaluateRequest, seed: int = 0
) -> float:
    """Run the model's `predict:`; how many seconds it took. `seed` is that of the model at hand."""
    model = project.model(name)
    number = f".seed-{seed}" if seed else ""
    workspace = request.workspace or project.git.root
    engine = engine_of(request.engine, project.world)
    log = project.records.of(name, commit) / f"predict{number}.log"
    project.records.ignore()
    lock = find_lock(model, WorkTree(project).read)
    python = ready_python(
        Request(model, lock, project.root, workspace, log), engine, project.world, request.echo
    )
    paths = tuple(path for path in (model.predictions,) if path is not None)
    for path in paths:
        make_folder((project.root / path).parent, user_for(workspace, project.world.environ))
    job = Job(
        run_id=f"predict-{commit[:12]}{number}",
        argv=argv_of(model.predict or []),
        folder=project.root,
        workspace=workspace,
        log=log,
        variables=(("MLOPS_CI_MODEL", name), ("MLOPS_CI_COMMIT", commit), (SEED, str(seed))),
        secrets=model.secrets,
        bin=python,
        timeout=request.timeout or model.timeout,
        outputs=paths,
    )
    aside = project.records.path / name / f"aside-predict-{commit[:12]}"
    tracked = frozenset(
        path
        for path in paths
        if project.git.names("ls-files", "-z", "--", str(project.root / path))
    )
    log.parent.mkdir(parents=True, exist_ok=True)
    with Outputs(project.root, paths, tracked, aside).renewed(f"{name}: predict"):
        ended = run_job(engine, job, f"{name}: predict", request.echo)
        refuse_links(project, paths, request.workspace)
    return ended.seconds


def _present(project: Project, path: str) -> Path:
    place = project.root / path
    if not place.exists():
        raise UsageError(
            f"there is no {path}",
            where=str(place),
            fix="train first: give the model a `train:` command, or let an earlier step of the "
            "job write the file",
        )
    return place


def read_metrics(root: Path, model: Model) -> Numbers:
    """Values of all metrics files by nested name; with several, a clash is told apart by file.

    Raises UsageError for a missing file, ComparisonError for a broken one.
    """
    from mlops_ci.data import Numbers, read_numbers

    paths = [model.metrics] if isinstance(model.metrics, str) else model.metrics or []
    found = Numbers()
    for path in paths:
        if not (root / path).is_file():
            raise UsageError(
                f"there is no {path}",
                where=str(root / path),
                fix="let training write it, or correct `metrics:`",
            )
        _merge(found, read_numbers(root / path), PurePosixPath(path))
    return found


def _merge(found: Numbers, more: Numbers, path: PurePosixPath) -> None:
    taken = {*found.values, *found.refused}

    def free(name: str) -> str:
        names = (name, f"{path.stem}.{name}", f"{path}.{name}")
        return next((one for one in names if one not in taken), names[-1])

    found.values.update({free(name): value for name, value in more.values.items()})
    found.refused.update({free(name): why for name, why in more.refused.items()})
    found.written_by.extend(more.written_by)


def columns_of(model: Model) -> ColumnsRequest:
    """What the configuration says about the columns of its predictions file."""
    from mlops_ci.data import request_from_config

    positive = model.positive
    if isinstance(positive, bool):
        positive = "true" if positive else "false"
    request = request_from_config(
        model.columns,
        slices=tuple(model.slices),
        task=model.task,
        positive=str(positive) if positive is not None else None,
    )
    return msgspec.structs.replace(request, average=model.average)


def open_predictions(path: Path, model: Model) -> Predictions:
    from mlops_ci.data import read_predictions

    return read_predictions(path, columns_of(model))


def _record(
    project: Project, name: str, commit: str, key: str | None, numbers: Numbers
) -> Evaluation:
    model = project.model(name)
    return Evaluation(
        model=name,
        commit=commit,
        evaluated=project.world.now().isoformat(),
        key=key,
        artifact=_artifact(project.root, model.model) if model.model is not None else None,
        numbers=dict(sorted(numbers.values.items())),
        refused=dict(sorted(numbers.refused.items())),
        file_rows=_file_rows(project, model),
        notes=tuple(f"{file} was read as a {words}" for file, words in numbers.written_by),
    )


def _file_rows(project: Project, model: Model) -> dict[str, int]:
    """Of the files that the contract speaks of, for those who compare with them later."""
    files = {term.file for term in expand_contract(model.contract) if term.file is not None}
    if not files:
        return {}
    from mlops_ci.data.contents import count_rows

    counted = {path: count_rows(project.root / path) for path in sorted(files)}
    return {path: rows for path, rows in counted.items() if rows is not None}


def _artifact(root: Path, path: str) -> Artifact | None:
    place = root / path
    if not place.exists():
        return None
    files = [place] if place.is_file() else [found for found in place.rglob("*") if found.is_file()]
    size = sum(found.stat().st_size for found in files)
    return Artifact(path=path, digest=content_digest(place, path), bytes=size)


def _with_rows(
    record: Evaluation, predictions: Predictions, project: Project, name: str
) -> Evaluation:
    """The record with what the rows say: their identity, and the metrics with own intervals."""
    from mlops_ci.data import single_rows
    from mlops_ci.verdict import compare_single

    path = project.model(name).predictions or ""
    size = predictions.path.stat().st_size
    return msgspec.structs.replace(
        record,
        predictions=Artifact(path=path, digest=predictions.digest, bytes=size),
        rows=predictions.rows,
        rows_digest=predictions.rows_digest,
        resolution=predictions.resolution,
        group=_used(predictions, "group"),
        weight=_used(predictions, "weight"),
        metrics=compare_single(single_rows(predictions), project.config.policy(name)),
    )


def _used(predictions: Predictions, role: str) -> str | None:
    return next(iter(predictions.resolution.columns.get(role, ())), None)
