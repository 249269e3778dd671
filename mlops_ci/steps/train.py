"""`train`: the user's command in its own environment, or `dvc repro`; leaves a Training record."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mlops_ci.config import Model
from mlops_ci.engines import Ended, Job, engine_of
from mlops_ci.engines.links import refuse_links
from mlops_ci.engines.owner import make_folder, user_for
from mlops_ci.engines.python import Request, platform_name, python_version, ready_python
from mlops_ci.errors import CommandError, MlopsCiError, RecordError
from mlops_ci.project import DIRTY, Project, outputs_of
from mlops_ci.records import Environment, Training
from mlops_ci.steps.command import SEED, Outputs, argv_of, dvc_argv, refuse_failure, run_job
from mlops_ci.steps.key import Ingredients, training_key
from mlops_ci.steps.requests import TrainRequest
from mlops_ci.steps.tree import WorkTree, content_digest
from mlops_ci.trackers import Result, RunInfo, Started, tracker_of


def train(project: Project, name: str, request: TrainRequest) -> Training:
    """Train, or take the outputs of an equal training that are still there.

    Raises CommandError when the command fails, runs out of time, or does not write its outputs;
    the record is written all the same. Without `train:` and `dvc:` nothing runs: the outputs that
    are there are recorded as they are.
    """
    commit = request.commit or project.commit
    model = project.model(name)
    ingredients = training_key(project, name, WorkTree(project))
    if not ingredients.command:
        return _keep(project, _record_of(project, name, commit, _Run("", 0.0), ingredients, None))
    earlier = find_equal(project, name, ingredients.key) if request.reuse else None
    if earlier is not None:
        run = _Run(earlier.run_id, 0.0)
        record = _record_of(project, name, commit, run, ingredients, earlier)
        return _keep(project, record)
    return _Trainer(project, name, model, request, ingredients, commit).train()


def train_seed(project: Project, name: str, request: TrainRequest, seed: int) -> float:
    """The command once more, with another MLOPS_CI_SEED; in seconds. Its outputs lie where the
    configuration says, nothing is recorded.

    Raises CommandError as `train` does.
    """
    model, commit = project.model(name), request.commit or project.commit
    ingredients = training_key(project, name, WorkTree(project))
    return _Trainer(project, name, model, request, ingredients, commit, seed).repeat()


@dataclass(frozen=True)
class _Run:
    run_id: str
    seconds: float
    ended: Ended | None = None
    started: str = ""
    log: str | None = None
    refused: bool = False


@dataclass(frozen=True)
class _Trainer:
    project: Project
    name: str
    model: Model
    request: TrainRequest
    ingredients: Ingredients
    commit: str
    seed: int = 0

    def repeat(self) -> float:
        run_id = f"seed-{self.seed}-{secrets.token_hex(4)}"
        log = self.project.records.of(self.name, self.commit) / f"train.seed-{self.seed}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        what = f"{self.name}: training with seed {self.seed}"
        job = self._job(run_id, log)
        engine = engine_of(self.request.engine, self.project.world)
        with self._outputs(run_id).renewed(what):
            ended = run_job(engine, job, what, self.request.echo)
            refuse_links(self.project, outputs_of(self.model), self.request.workspace)
        return ended.seconds

    def train(self) -> Training:
        project = self.project
        started = project.world.now()
        run_id = f"{started:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        log = project.records.of(self.name, self.commit) / "train.log"
        project.records.ignore()
        log.parent.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        job = self._job(run_id, log)
        outputs = self._outputs(run_id)
        tracking = self._start_tracking(run_id)
        engine = engine_of(self.request.engine, project.world)
        what = f"{self.name}: training"
        ended: Ended | None = None
        try:
            with outputs.renewed(what):
                ended = engine.run(job, self.request.echo)
                refuse_failure(job, ended, what)
                refuse_links(project, outputs_of(self.model), self.request.workspace)
        except BaseException as error:
            record = self._record(
                run_id, started.isoformat(), ended or Ended(None, "", 0.0), log, refused=True
            )
            record = self._finish_tracking(tracking, record, "FAILED")
            if isinstance(error, CommandError) and ended is not None:
                _keep(project, record)
            raise
        record = self._record(run_id, started.isoformat(), ended, log)
        return _keep(project, self._finish_tracking(tracking, record, "FINISHED"))

    def _start_tracking(self, run_id: str) -> Started | None:
        tracker = tracker_of(self.project) if self.request.track else None
        if tracker is None:
            return None
        tags = {
            "mlops-ci.commit": self.commit,
            "mlops-ci.training-key": self.ingredients.key,
            "mlops-ci.run": run_id,
            "mlflow.source.git.commit": self.commit.removesuffix(DIRTY),
        }
        return tracker.start(
            RunInfo(
                model=self.name,
                name=f"{self.commit[:12]} {run_id}",
                tags=tags,
                parameters=self.ingredients.parameters,
            )
        )

    def _finish_tracking(self, tracking: Started | None, record: Training, status: str) -> Training:
        """A tracker that is away is a note: the model is trained all the same."""
        if tracking is None:
            return record
        metrics = {"training_seconds": record.duration_seconds} | self._numbers()
        tags = {f"mlops-ci.digest.{path}": digest for path, digest in record.outputs.items()}
        tracked = tracking.finish(Result(status=status, metrics=metrics, tags=tags))
        notes = [f"not logged to {tracked.uri}: {tracked.error}"] if tracked.error else []
        return msgspec.structs.replace(
            record, tracker=tracked.uri, tracker_run=tracked.run_id, notes=[*record.notes, *notes]
        )

    def _numbers(self) -> dict[str, float]:
        from mlops_ci.steps.evaluate import read_metrics

        try:
            return read_metrics(self.project.root, self.model).values
        except MlopsCiError:  # `evaluate` says what is wrong with them
            return {}

    def _record(
        self, run_id: str, started: str, ended: Ended, log: Path, *, refused: bool = False
    ) -> Training:
        """`refused`: its outputs are not read, not even for a digest: they may be somebody's."""
        shown = log.relative_to(self.project.root).as_posix()
        run = _Run(run_id, ended.seconds, ended, started, shown, refused)
        return _record_of(self.project, self.name, self.commit, run, self.ingredients, None)

    def _workspace(self) -> Path:
        return self.request.workspace or self.project.git.root

    def _job(self, run_id: str, log: Path) -> Job:
        model, project = self.model, self.project
        engine = engine_of(self.request.engine, project.world)
        request = Request(model, self.ingredients.lock, project.root, self._workspace(), log)
        bin_folder = ready_python(request, engine, project.world, self.request.echo)
        argv = (
            [*dvc_argv(), "repro", *model.dvc]
            if model.dvc is not None
            else argv_of(model.train or [])
        )
        return Job(
            run_id=run_id,
            argv=argv,
            folder=project.root,
            workspace=self._workspace(),
            log=log,
            variables=(
                ("MLOPS_CI_MODEL", self.name),
                ("MLOPS_CI_COMMIT", self.commit),
                (SEED, str(self.seed)),
            ),
            secrets=model.secrets,
            bin=bin_folder,
            timeout=self.request.timeout or model.timeout,
            outputs=trained_outputs(model),
        )

    def _outputs(self, run_id: str) -> Outputs:
        """DVC keeps its own account of what is fresh; every other command has to write anew."""
        project = self.project
        paths = trained_outputs(self.model)
        user = user_for(self._workspace(), project.world.environ)
        for path in paths:
            make_folder((project.root / path).parent, user)
        tracked = frozenset(
            path
            for path in paths
            if project.git.names("ls-files", "-z", "--", str(project.root / path))
        )
        aside = project.records.path / self.name / f"aside-{run_id}"
        if self.model.dvc is not None:
            return Outputs(project.root, (), frozenset(), aside)
        return Outputs(project.root, paths, tracked, aside)


def trained_outputs(model: Model) -> tuple[str, ...]:
    """What `train` itself has to write: with `predict`, the predictions and metrics come later."""
    if model.predict is not None:
        return (model.model,) if model.model is not None else ()
    return outputs_of(model)


def find_equal(project: Project, name: str, key: str) -> Training | None:
    """A successful training of the same key whose outputs are all still here, unchanged."""
    folder = project.records.path / name
    for path in sorted(folder.glob("*/train.json"), reverse=True):
        try:
            record = project.records.read(name, path.parent.name, Training)
        except RecordError:
            continue
        fits = record.key == key and record.exit_code == 0 and record.outputs
        if fits and digests_of(project, tuple(record.outputs)) == record.outputs:
            return record
    return None


def digests_of(project: Project, paths: tuple[str, ...]) -> dict[str, str]:
    """Digest of each output that is there."""
    found = {}
    for path in paths:
        if (project.root / path).exists():
            found[path] = content_digest(project.root / path, path)
    return found


def _record_of(  # noqa: PLR0913, PLR0917 - one record from its five sources
    project: Project,
    name: str,
    commit: str,
    run: _Run,
    ingredients: Ingredients,
    earlier: Training | None,
) -> Training:
    code = run.ended.code if run.ended else None
    model, lock = project.model(name), ingredients.lock
    whole = not run.refused and (not run.ended or code == 0)
    return Training(
        model=name,
        commit=commit,
        run_id=run.run_id,
        started=run.started or (earlier.started if earlier else project.world.now().isoformat()),
        duration_seconds=earlier.duration_seconds if earlier else round(run.seconds, 3),
        command=ingredients.command,
        key=ingredients.key if ingredients.command else None,
        exit_code=0 if earlier else (code if code is not None and code >= 0 else None),
        signal=-code if code is not None and code < 0 else None,
        parameters=ingredients.parameters,
        data=ingredients.data,
        outputs=digests_of(project, trained_outputs(model)) if whole else {},
        environment=Environment(
            python=python_version(model),
            platform=platform_name(),
            lock=lock.path if lock else None,
            lock_digest=lock.digest if lock else None,
        ),
        peak_memory_bytes=run.ended.peak_bytes if run.ended else None,
        reused=earlier.commit if earlier else None,
        log=run.log or (earlier.log if earlier else None),
        seeds=earlier.seeds if earlier else (),
    )


def _keep(project: Project, record: Training) -> Training:
    project.records.write("train", record)
    return record
