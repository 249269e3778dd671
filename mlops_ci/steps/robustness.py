"""`robustness:` measured: head's model on its evaluation rows, changed.

A command that reads other rows than it is given (`answers`) would lose nothing on any, so about
half of the rows are asked first: their answers must be those of the predictions, and of no other
row.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_ci.config import Model, Perturbation, Policy
from mlops_ci.data import Predictions, single_rows
from mlops_ci.data.perturbed import Features, ending_of, write_perturbed, write_probe
from mlops_ci.engines import Echo
from mlops_ci.engines.owner import give
from mlops_ci.errors import ComparisonError, MlopsCiError, UsageError
from mlops_ci.project import Project
from mlops_ci.records.findings import RobustnessResult
from mlops_ci.records.results import MetricResult
from mlops_ci.steps.answers import Asking, Way, check_probe, pair_all, told
from mlops_ci.steps.command import changed_at
from mlops_ci.verdict.perturbation import (
    MainsDrop,
    Seen,
    Wanted,
    judge_drop,
    measure_changed,
    measure_prior,
    place_of,
)
from mlops_ci.verdict.rows import PairedRows


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
    base_drops: Mapping[tuple[Any, ...], MainsDrop] = field(default_factory=dict)
    echo: Echo | None = None
    engine: str = "local"


def check_robustness(
    project: Project, name: str, request: RobustnessRequest
) -> tuple[RobustnessResult, ...]:
    """One result a perturbation. Nothing is raised for what cannot be made or answered."""
    way = Way(echo=request.echo, engine=request.engine)
    asking = _Asking(Asking(project, name, request.model, request.head, "robustness", way), request)
    with asking.kept():
        seen = {wanted.one: asking.look(wanted) for wanted in request.wanted}
    return tuple(
        judge_drop(wanted, seen[wanted.one], request.policy, _of_base(wanted, request))
        for wanted in request.wanted
    )


def _of_base(wanted: Wanted, request: RobustnessRequest) -> MainsDrop | None:
    if wanted.one.kind == "prior" and request.base is not None:
        rows = single_rows(request.base)
        found = measure_prior(rows, request.policy, wanted.metric, wanted.one.amount).result
        if found is None or found.difference is None:
            return None
        return MainsDrop(found.difference, found.low, found.high)
    return request.base_drops.get((*place_of(wanted.one), wanted.metric))


@dataclass
class _Asking:
    asked: Asking
    request: RobustnessRequest
    refused: str | None = None
    probed: bool = False

    @contextmanager
    def kept(self) -> Iterator[None]:
        """The predictions are what was evaluated, whatever the command does."""
        asked = self.asked
        place = asked.project.root / (asked.model.predictions or "")
        shutil.rmtree(asked.folder, ignore_errors=True)
        asked.make_folder()
        aside = asked.folder.parent / f"robustness-{place.name}"
        shutil.copy2(place, aside)
        before = changed_at(place)
        try:
            yield
        finally:
            if not place.is_file() or changed_at(place) != before:
                place.unlink(missing_ok=True)
                shutil.copy2(aside, place)
                give(place, asked.user)
            aside.unlink()
            shutil.rmtree(asked.folder, ignore_errors=True)

    def look(self, wanted: Wanted) -> Seen:
        try:
            if wanted.one.kind == "prior":
                rows = single_rows(self.request.head)
                return measure_prior(rows, self.request.policy, wanted.metric, wanted.one.amount)
            return Seen(self._measured(wanted))
        except MlopsCiError as error:
            return Seen(None, told(error))

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
                self.refused = told(error)
        if self.refused is not None:
            raise ComparisonError(self.refused)

    def _ask_half(self) -> None:
        features = self._features()
        place = self._place("probe", features)
        asked = write_probe(features, place)
        check_probe(self.request.head, self._answers(place), asked)

    def _answered_rows(self, one: Perturbation) -> PairedRows:
        features = self._features()
        place = self._place(one.kind, features)
        write_perturbed(features, one, place)
        return pair_all(self.request.head, self._answers(place))

    def _place(self, name: str, features: Features) -> Path:
        """Nothing is written through what a command may have left there."""
        place = self.asked.folder / f"{name}{ending_of(features.path)}"
        place.unlink(missing_ok=True)
        return place

    def _answers(self, features: Path) -> Predictions:
        give(features, self.asked.user)
        return self.asked.answers(features)

    def _features(self) -> Features:
        path = self.request.model.features
        if path is None:
            raise UsageError("`features` does not name the file with the rows to change")
        root = self.asked.project.root
        if not (root / path).is_file():
            raise UsageError(f"there is no {path}")
        used = self.request.head.resolution.columns
        return Features(root / path, tuple(used.get("id", [])), tuple(used.get("label", [])))
