"""`robustness:` measured: head's model on its evaluation rows, changed.

`predict:` answers the file that MLOPS_CI_FEATURES names and writes the one that
MLOPS_CI_PREDICTIONS names; without it the model's folder is asked, in its own environment. A
command that does not follow would lose nothing on any rows, so about half of the rows are asked
first: their answers must be those of the predictions, and of no other row.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mlops_ci.config import Model, Perturbation, Policy
from mlops_ci.data import Predictions, pair, single_rows
from mlops_ci.data.perturbed import Features, ending_of, write_perturbed, write_probe
from mlops_ci.engines import Echo, Job, engine_of
from mlops_ci.engines.owner import give, make_folder, user_for
from mlops_ci.engines.python import Request, find_lock, ready_python
from mlops_ci.errors import CommandError, ComparisonError, MlopsCiError, UsageError
from mlops_ci.project import Project
from mlops_ci.records.files import write_atomically
from mlops_ci.records.findings import RobustnessResult
from mlops_ci.records.results import MetricResult
from mlops_ci.steps import model_child
from mlops_ci.steps.command import argv_of, changed_at, run_job
from mlops_ci.steps.evaluate import open_predictions
from mlops_ci.steps.tree import WorkTree
from mlops_ci.verdict.perturbation import (
    Seen,
    Wanted,
    judge_drop,
    measure_changed,
    measure_prior,
    place_of,
)
from mlops_ci.verdict.rows import PairedRows

CLOSE = 1e-6  # of two scores of one model on one row


@dataclass(frozen=True)
class RobustnessRequest:
    """`wanted`: in the order of the report. `head`: the clean answers, `model` head's settings with
    base's slices. `base`: main's answers on its rows; `base_drops`: what main lost, see
    `drops_of`."""

    wanted: Sequence[Wanted]
    head: Predictions
    model: Model
    policy: Policy
    base: Predictions | None = None
    base_drops: Mapping[tuple[Any, ...], float] = field(default_factory=dict)
    echo: Echo | None = None
    engine: str = "local"


def check_robustness(
    project: Project, name: str, request: RobustnessRequest
) -> tuple[RobustnessResult, ...]:
    """One result a perturbation. Nothing is raised for what cannot be made or answered."""
    asking = _Asking(project, name, request)
    with asking.kept():
        seen = {wanted.one: asking.look(wanted) for wanted in request.wanted}
    return tuple(
        judge_drop(wanted, seen[wanted.one], request.policy, _of_base(wanted, request))
        for wanted in request.wanted
    )


def _of_base(wanted: Wanted, request: RobustnessRequest) -> float | None:
    if wanted.one.kind == "prior" and request.base is not None:
        rows = single_rows(request.base)
        found = measure_prior(rows, request.policy, wanted.metric, wanted.one.amount).result
        return found.difference if found is not None else None
    return request.base_drops.get((*place_of(wanted.one), wanted.metric))


@dataclass
class _Asking:
    project: Project
    name: str
    request: RobustnessRequest
    refused: str | None = None
    probed: bool = False

    @property
    def folder(self) -> Path:
        return self.project.records.of(self.name, self.project.commit) / "robustness"

    @contextmanager
    def kept(self) -> Iterator[None]:
        """The predictions are what was evaluated, whatever the command does."""
        project = self.project
        place = project.root / (self.request.model.predictions or "")
        project.records.ignore()
        shutil.rmtree(self.folder, ignore_errors=True)
        make_folder(self.folder, user_for(project.git.root, project.world.environ))
        aside = self.folder.parent / f"robustness-{place.name}"
        shutil.copy2(place, aside)
        before = changed_at(place)
        try:
            yield
        finally:
            if not place.is_file() or changed_at(place) != before:
                place.unlink(missing_ok=True)
                shutil.copy2(aside, place)
                give(place, user_for(project.git.root, project.world.environ))
            aside.unlink()
            shutil.rmtree(self.folder, ignore_errors=True)

    def look(self, wanted: Wanted) -> Seen:
        try:
            if wanted.one.kind == "prior":
                rows = single_rows(self.request.head)
                return measure_prior(rows, self.request.policy, wanted.metric, wanted.one.amount)
            return Seen(self._measured(wanted))
        except MlopsCiError as error:
            return Seen(None, _told(error))

    def _measured(self, wanted: Wanted) -> MetricResult:
        self._probe()
        rows = self._answered_rows(wanted.one)
        found = measure_changed(rows, self.request.policy, wanted.metric)
        if found is None:
            raise ComparisonError(f"these answers have no {wanted.metric}")
        return found

    def _probe(self) -> None:
        """Once; what it refuses, it refuses for all."""
        if not self.probed:
            self.probed = True
            try:
                self._ask_half()
            except MlopsCiError as error:
                self.refused = _told(error)
        if self.refused is not None:
            raise ComparisonError(self.refused)

    def _ask_half(self) -> None:
        features = self._features()
        place = self.folder / f"probe{ending_of(features.path)}"
        write_probe(features, place)
        half, head = self._answers(place), self.request.head
        if half.rows >= head.rows:
            raise ComparisonError(
                "`predict` answered all rows when it was asked about half of them: let it read the "
                "file that MLOPS_CI_FEATURES names"
            )
        rows = pair(half, head).rows
        if isinstance(rows, PairedRows) and not _alike(rows):
            raise ComparisonError(
                "`predict` answers rows that are not changed in another way than the predictions do"
            )

    def _answered_rows(self, one: Perturbation) -> PairedRows:
        features = self._features()
        place = self.folder / f"{one.kind}{ending_of(features.path)}"
        write_perturbed(features, one, place)
        changed, head = self._answers(place), self.request.head
        pairing = pair(head, changed)
        if isinstance(pairing.rows, tuple) or not (
            pairing.counts.paired == head.rows == changed.rows
        ):
            raise ComparisonError(
                f"of {head.rows:,} rows {pairing.counts.paired or 0:,} were answered when changed"
            )
        return pairing.rows

    def _features(self) -> Features:
        path = self.request.model.features
        if path is None:
            raise UsageError("`features` does not name the file with the rows to change")
        if not (self.project.root / path).is_file():
            raise UsageError(f"there is no {path}")
        used = self.request.head.resolution.columns
        keys = tuple(used.get("id", []))
        return Features(self.project.root / path, keys, tuple(used.get("label", [])))

    def _answers(self, features: Path) -> Predictions:
        project, model = self.project, self.request.model
        user = user_for(project.git.root, project.world.environ)
        give(features, user)
        written = self.folder / f"answers{ending_of(Path(model.predictions or ''))}"
        written.unlink(missing_ok=True)
        real = project.root / (model.predictions or "")
        before = changed_at(real)
        self._run(features, written)
        if not written.is_file():
            wrote = real.is_file() and changed_at(real) != before
            instead = f" but {model.predictions}" if wrote else ""
            raise ComparisonError(
                f"`predict` did not write the file that MLOPS_CI_PREDICTIONS names{instead}"
            )
        return open_predictions(written, model)

    def _run(self, features: Path, written: Path) -> None:
        project, model = self.project, self.request.model
        root, log = project.git.root, project.records.of(self.name, project.commit)
        engine = engine_of(self.request.engine, project.world)
        lock = find_lock(model, WorkTree(project).read)
        python = ready_python(
            Request(model, lock, project.root, root, log / "robustness.log"),
            engine,
            project.world,
            self.request.echo,
        )
        job = Job(
            run_id=f"robustness-{project.commit[:12]}",
            argv=self._argv(features, written),
            folder=project.root,
            workspace=root,
            log=log / "robustness.log",
            variables=(
                ("MLOPS_CI_MODEL", self.name),
                ("MLOPS_CI_COMMIT", project.commit),
                ("MLOPS_CI_FEATURES", str(features)),
                ("MLOPS_CI_PREDICTIONS", str(written)),
            ),
            secrets=model.secrets,
            bin=python,
            timeout=model.timeout,
            outputs=(written.relative_to(project.root).as_posix(),),
        )
        run_job(engine, job, "predict", self.request.echo)

    def _argv(self, features: Path, written: Path) -> list[str]:
        model, used = self.request.model, self.request.head
        if model.predict is not None:
            return argv_of(model.predict)
        if model.model is None or not (self.project.root / model.model).is_dir():
            raise UsageError("there is neither `predict` nor a `model` folder to ask")
        child = self.folder / "ask_model.py"
        write_atomically(child, Path(model_child.__file__).read_bytes())
        columns = used.resolution.columns
        roles = {"id": columns.get("id", []), "label": columns.get("label", [])}
        kept = json.dumps({**roles, "classes": len(used.classes)})
        place = str(self.project.root / model.model)
        return ["python", str(child), place, str(features), str(written), kept]


def _alike(rows: PairedRows) -> bool:
    one, other = rows.base, rows.head
    if one.score is not None and other.score is not None:
        return bool(np.allclose(one.score, other.score, rtol=0, atol=CLOSE))
    if one.prediction is None or other.prediction is None:
        return False
    if rows.task == "regression":
        return bool(np.allclose(one.prediction, other.prediction, rtol=CLOSE, atol=CLOSE))
    return bool((one.prediction == other.prediction).all())


def _told(error: MlopsCiError) -> str:
    """A command's own last line says more than that it failed."""
    last = error.tail.strip().splitlines()[-1:] if isinstance(error, CommandError) else []
    what = error.what.split(": ")[0] if last else error.what
    return f"{what} ({last[0]})" if last else what
