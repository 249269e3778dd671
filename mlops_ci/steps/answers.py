"""A model asked about the rows of a features file, in a process of the user's.

`predict:` answers the file that MLOPS_CI_FEATURES names and writes the one that
MLOPS_CI_PREDICTIONS names; without it the model's folder is loaded by MLflow, in the model's own
environment.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlops_ci.config import Model
from mlops_ci.data import Predictions, pair
from mlops_ci.data.cells import CLOSE
from mlops_ci.data.perturbed import Probe, ending_of
from mlops_ci.data.predictions import at_places
from mlops_ci.engines import Echo, Job, engine_of
from mlops_ci.engines.links import refuse_links
from mlops_ci.engines.owner import give, make_folder, user_for
from mlops_ci.engines.python import Request, find_lock, ready_python
from mlops_ci.errors import CommandError, ComparisonError, MlopsCiError, UsageError
from mlops_ci.project import Project
from mlops_ci.records.files import write_atomically
from mlops_ci.steps import model_child
from mlops_ci.steps.command import argv_of, changed_at, run_job
from mlops_ci.steps.evaluate import open_predictions
from mlops_ci.steps.tree import WorkTree
from mlops_ci.verdict.rows import PairedRows

MARK = "MLmodel"  # the file that makes a folder one of MLflow's format


@dataclass(frozen=True)
class Way:
    """How the process runs. `commit`: whose model it is; None: the project's. `timeout` in seconds
    goes before the model's."""

    commit: str | None = None
    timeout: float | None = None
    echo: Echo | None = None
    engine: str = "local"


@dataclass(frozen=True)
class Asking:
    """`project`: where command and model lie. `used`: predictions of the same model; the answers
    have the columns that these have. `what` names the folder, the log and the run."""

    project: Project
    name: str
    model: Model
    used: Predictions
    what: str
    way: Way

    @property
    def commit(self) -> str:
        return self.way.commit or self.project.commit

    @property
    def folder(self) -> Path:
        return self.project.records.of(self.name, self.commit) / self.what

    @property
    def written(self) -> Path:
        return self.folder / f"answers{ending_of(Path(self.model.predictions or ''))}"

    @property
    def user(self) -> tuple[int, int] | None:
        return user_for(self.project.git.root, self.project.world.environ)

    def make_folder(self) -> None:
        self.project.records.ignore()
        make_folder(self.folder, self.user)

    def answers(self, features: Path) -> Predictions:
        """Of all rows of this file; they stay in `written` until the next ones.

        Raises CommandError when the process fails or leaves a link that it could not read itself,
        ComparisonError when there are no answers."""
        model = self.model
        self.written.unlink(missing_ok=True)
        real = self.project.root / (model.predictions or "")
        before = changed_at(real)
        self._run(features)
        if not self.written.is_file():
            wrote = real.is_file() and changed_at(real) != before
            instead = f" but {model.predictions}" if wrote else ""
            raise ComparisonError(
                f"`predict` did not write the file that MLOPS_CI_PREDICTIONS names{instead}"
            )
        refuse_links(self.project, [self._inside])
        return open_predictions(self.written, model)

    @property
    def _inside(self) -> str:
        return self.written.relative_to(self.project.root).as_posix()

    def _run(self, features: Path) -> None:
        project, model, way = self.project, self.model, self.way
        root = project.git.root
        log = project.records.of(self.name, self.commit) / f"{self.what}.log"
        engine = engine_of(way.engine, project.world)
        argv = self._argv(features)
        lock = find_lock(model, WorkTree(project).read)
        request = Request(model, lock, project.root, root, log)
        job = Job(
            run_id=f"{self.what}-{self.commit[:12]}",
            argv=argv,
            folder=project.root,
            workspace=root,
            log=log,
            variables=(
                ("MLOPS_CI_MODEL", self.name),
                ("MLOPS_CI_COMMIT", self.commit),
                ("MLOPS_CI_FEATURES", str(features)),
                ("MLOPS_CI_PREDICTIONS", str(self.written)),
            ),
            secrets=model.secrets,
            bin=ready_python(request, engine, project.world, way.echo),
            timeout=way.timeout or model.timeout,
            outputs=(self._inside,),
        )
        run_job(engine, job, "predict" if model.predict is not None else "model", way.echo)

    def _argv(self, features: Path) -> list[str]:
        model = self.model
        if model.predict is not None:
            return argv_of(model.predict)
        if model.model is None or not (self.project.root / model.model).is_dir():
            raise UsageError("there is neither `predict` nor a `model` folder to ask")
        if not (self.project.root / model.model / MARK).is_file():
            raise UsageError(f"{model.model} is no folder in MLflow's format: it has no {MARK}")
        child = self.folder / "ask_model.py"
        write_atomically(child, Path(model_child.__file__).read_bytes())
        give(child, self.user)
        place = str(self.project.root / model.model)
        return ["python", str(child), place, str(features), str(self.written), self._columns()]

    def _columns(self) -> str:
        used = self.used
        roles = ("id", "label", "slice", "group", "weight", "prediction", "score")
        named = {role: used.resolution.columns.get(role, []) for role in roles}
        return json.dumps({**named, "classes": len(used.classes), "positive": used.positive})


def are_alike(rows: PairedRows) -> bool:
    """Whether both sides give each row the same answer."""
    one, other = rows.base, rows.head
    same = []
    if one.score is not None and other.score is not None:
        same.append(np.allclose(one.score, other.score, rtol=0, atol=CLOSE))
    if one.prediction is not None and other.prediction is not None:
        near = CLOSE if rows.task == "regression" else 0.0
        same.append(np.allclose(one.prediction, other.prediction, rtol=near, atol=near))
    return bool(same) and all(same)


def check_probe(known: Predictions, half: Predictions, asked: Probe) -> None:
    """Raises ComparisonError unless `half` answers the rows that were asked about as the
    predictions do, and no others. Where these have no ids a row is its place in the file."""
    if half.rows >= known.rows:
        raise ComparisonError(
            "`predict` answered all rows when it was asked about half of them: let it read the "
            "file that MLOPS_CI_FEATURES names"
        )
    by_place = known.keys is None
    rows = pair(half, _at_the_places(known, half, asked) if by_place else known).rows
    if not isinstance(rows, PairedRows):
        why = "their labels are not those of these rows" if by_place else "it gives other ids"
        raise ComparisonError(f"`predict` answers rows that it was not asked about: {why}")
    if not are_alike(rows):
        raise ComparisonError(
            "`predict` answers rows that are not changed in another way than the predictions do"
        )


def _at_the_places(known: Predictions, half: Predictions, asked: Probe) -> Predictions:
    if asked.rows != known.rows:
        raise ComparisonError(
            f"the features have {asked.rows:,} rows and the predictions {known.rows:,}: without an "
            "id nobody can tell which answer is whose"
        )
    if half.rows != len(asked.places):
        raise ComparisonError(f"of {len(asked.places):,} rows {half.rows:,} were answered")
    return at_places(known, asked.places)


def pair_all(known: Predictions, answers: Predictions) -> PairedRows:
    """Raises ComparisonError unless the answers have each row, and no other one."""
    pairing = pair(known, answers)
    answered = pairing.counts.paired or 0
    by_place = (known.keys is None or answers.keys is None) and known.rows == answers.rows
    if isinstance(pairing.rows, tuple) and by_place:
        raise ComparisonError(
            "there is no id, and the labels of the answers do not agree with those of the "
            "predictions row by row"
        )
    if isinstance(pairing.rows, tuple) or not answered == known.rows == answers.rows:
        raise ComparisonError(f"of {known.rows:,} rows {answered:,} were answered")
    return pairing.rows


def told(error: MlopsCiError) -> str:
    """A command's own last line says more than that it failed."""
    last = error.tail.strip().splitlines()[-1:] if isinstance(error, CommandError) else []
    what = error.what.split(": ")[0] if last else error.what
    return f"{what} ({last[0]})" if last else what
