"""Do a plan: model by model, step by step. An error in one model does not hide the others."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mlops_ci.baseline.store import Entry, Store
from mlops_ci.engines.owner import return_to_owner
from mlops_ci.errors import CommandError, InternalError, MlopsCiError, UsageError
from mlops_ci.plan.base_side import (
    BaseSide,
    Yardstick,
    find_side,
    has_equal_key,
    same_as_head,
    yardstick_of,
)
from mlops_ci.plan.base_training import Retraining, train_base
from mlops_ci.plan.choice import ModelPlan, Plan
from mlops_ci.plan.outcome import ModelOutcome, Outcomes, Progress, Silent
from mlops_ci.plan.sides import compare_with_base, slim_predictions
from mlops_ci.project import Project
from mlops_ci.steps.evaluate import evaluate
from mlops_ci.steps.key import command_of
from mlops_ci.steps.requests import EvaluateRequest, TrainRequest
from mlops_ci.steps.train import train

# What a shipping step is asked for is made by the caller: it knows the options of its door.
Ship = Callable[[str, str], Any]


@dataclass(frozen=True)
class Context:
    """`project` is head's. `ship(step, model)` runs build, push or deploy and gives its record."""

    project: Project
    progress: Progress = field(default_factory=Silent)
    store: Store | None = None
    timeout: float | None = None
    engine: str = "local"
    ship: Ship | None = None


def execute(plan: Plan, context: Context) -> Outcomes:
    """Every model's outcome; errors are in it, none is raised but a stop by the user."""
    project = context.project
    outcomes = Outcomes(project.commit, plan.base)
    try:
        for model in plan.models:
            outcome = ModelOutcome(model.name, model.steps, model.why)
            outcomes.models.append(outcome)
            if model.steps:
                _Execution(context, plan, model, outcome).run()
    finally:
        return_to_owner(project.records.path, project.git.root)
    return outcomes


@dataclass
class _Execution:
    context: Context
    plan: Plan
    model: ModelPlan
    outcome: ModelOutcome
    at: str = "train"

    def run(self) -> None:
        try:
            self._judge()
            self._ship()
        except MlopsCiError as error:
            self._failed(error)
        except Exception as error:  # noqa: BLE001 - our bug in one model must not hide the others
            self._failed(
                InternalError(
                    f"a bug of mlops-ci in {self.at}: {type(error).__name__}: {error}",
                    where=traceback.format_exc()[-4000:],
                    fix="please report it with the text above",
                )
            )

    def _failed(self, error: MlopsCiError) -> None:
        self.outcome.state, self.outcome.error = "failed", error
        self.outcome.failed_step = self.at

    def _judge(self) -> None:
        project, name, base = self.context.project, self.model.name, self.plan.base
        yardstick = yardstick_of(project, name, base) if base is not None else None
        equal = yardstick is not None and has_equal_key(project, name, yardstick)
        side = None
        if yardstick is not None and not equal:
            side = find_side(project, name, yardstick, self.context.store)
        self._head()
        if yardstick is not None and side is None:
            side = self._base(yardstick, equal=equal)
        if side is not None:
            self.outcome.base_training = side.training
            self.outcome.base_evaluation = side.evaluation
        self.at = "compare"
        with self.context.progress.step(name, "compare", _against(yardstick, side)):
            self.outcome.compared = compare_with_base(
                project, self.outcome, yardstick, side, self.context.store
            )
        self.outcome.state = "compared" if side is not None else "first"
        project.records.write("compare", self.outcome.compared.comparison)
        project.records.point(name, "head", project.commit)
        if base is not None:
            project.records.point(name, "base", base.commit)

    def _head(self) -> None:
        project, name, context = self.context.project, self.model.name, self.context
        detail = " ".join(command_of(project.model(name))) or "files that are there"
        with context.progress.step(name, "train", detail) as echo:
            request = TrainRequest(context.timeout, echo, context.engine)
            self.outcome.training = train(project, name, request)
        self.at = "evaluate"
        with context.progress.step(name, "evaluate", project.commit[:12]) as echo:
            asked = EvaluateRequest(context.timeout, echo, context.engine)
            self.outcome.evaluation = evaluate(project, name, asked)

    def _base(self, yardstick: Yardstick, *, equal: bool) -> BaseSide | None:
        project = self.context.project
        evaluation, training = self.outcome.evaluation, self.outcome.training
        self.at = "base"
        if equal and evaluation is not None and training is not None:
            return same_as_head(evaluation, training, yardstick.base, project.root)
        if not command_of(yardstick.model) and yardstick.model.predict is None:
            return None
        return self._train_base(yardstick)

    def _train_base(self, yardstick: Yardstick) -> BaseSide | None:
        """None when head's settings, tried on a base that had none, do not work there."""
        context, name = self.context, self.model.name
        detail = f"base {yardstick.base.commit[:12]} ({yardstick.base.name}), in a worktree"
        with context.progress.step(name, "train", detail) as echo:
            request = Retraining(
                context.project, name, yardstick, context.timeout, echo, context.engine
            )
            try:
                return train_base(request)
            except (CommandError, UsageError) as error:
                if not yardstick.adopted:
                    raise
                self.outcome.notes.append(
                    f"base has no {name}, and head's settings do not run on it ({error.what}): "
                    "nothing to compare with"
                )
                return None

    def _ship(self) -> None:
        steps = [step for step in self.model.steps if step in ("store", "build", "push", "deploy")]
        comparison = self.outcome.comparison
        if not steps or comparison is None or comparison.blocks:
            return
        for step in steps:
            self.at = step
            with self.context.progress.step(self.model.name, step, ""):
                if step == "store":
                    self._keep()
                else:
                    self.outcome.shipped[step] = self._shipper()(step, self.model.name)

    def _shipper(self) -> Ship:
        return self.context.ship or (lambda step, name: ship(self.context.project, step, name))

    def _keep(self) -> None:
        store, outcome = self.context.store, self.outcome
        if store is None:
            raise UsageError(
                "there is no store to keep main's model: this repository has no `origin`",
                where="mlops-ci.yaml, store",
                fix="store: {backend: folder, path: /mnt/team/mlops-ci}",
            )
        if outcome.training is None or outcome.evaluation is None:
            raise InternalError("a store entry without records")
        predictions = slim_predictions(self.context.project, outcome)
        header = store.put(Entry(outcome.training, outcome.evaluation, predictions))
        if header.too_large is not None:
            outcome.notes.append(
                f"the predictions ({header.too_large / 1e6:.0f} MB) are too large for the store: "
                "base is trained again each time"
            )


def ship(project: Project, step: str, name: str) -> Any:
    """A shipping step with nothing asked beyond the configuration."""
    module = importlib.import_module(f"mlops_ci.steps.{step}")
    return getattr(module, step)(project, name)


def _against(yardstick: Yardstick | None, side: BaseSide | None) -> str:
    if yardstick is None or side is None:
        return "a first run: nothing to compare with"
    return f"with {yardstick.base.name} at {yardstick.base.commit[:12]}: {side.source}"
