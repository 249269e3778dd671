"""Do a plan: model by model, step by step. An error in one model does not hide the others."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_ci.baseline.store import Entry, Header, Store
from mlops_ci.engines.owner import return_to_owner
from mlops_ci.errors import DOCS, ConfigError, InternalError, MlopsCiError, UsageError
from mlops_ci.plan.base_search import Retry, Search
from mlops_ci.plan.choice import ModelPlan, Plan
from mlops_ci.plan.foresight import foresee
from mlops_ci.plan.image_size import judge_image, weighed
from mlops_ci.plan.noise import seeds_of
from mlops_ci.plan.outcome import ModelOutcome, Outcomes, Progress, Silent
from mlops_ci.plan.row_samples import sample_of
from mlops_ci.plan.sides import compare_with_base
from mlops_ci.plan.stored import gated_values, measured_values, slim_predictions
from mlops_ci.project import Project
from mlops_ci.steps.exhibits import pack_exhibits
from mlops_ci.steps.key import command_of
from mlops_ci.steps.requests import EvaluateRequest, TrainRequest
from mlops_ci.steps.seeds import evaluate_all, train_all
from mlops_ci.steps.training_keys import place_of

if TYPE_CHECKING:
    from mlops_ci.report.studio import Studio

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
    studio: Studio | None = None


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


def gone(name: str) -> ConfigError:
    return ConfigError(
        f"base has gates for {name}, and {name} is not in the configuration any more",
        where=f"mlops-ci.yaml, models.{name}",
        fix=f"put {name} back; to remove or rename it, first remove its `gates:` in a pull request "
        "of their own",
        link=f"{DOCS}/config.md",
    )


@dataclass
class _Execution:
    context: Context
    plan: Plan
    model: ModelPlan
    outcome: ModelOutcome
    at: str = "train"
    search: Search | None = None

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
        error.seen_from(self.context.project.git.root)
        self.outcome.state, self.outcome.error = "failed", error
        self.outcome.failed_step = self.at

    def _judge(self) -> None:
        project, name, base = self.context.project, self.model.name, self.plan.base
        if name not in project.config.models:
            self.at = "compare"
            raise gone(name)
        foresee(name, project.model(name))
        store, ships = self.context.store, self.plan.occasion.ships
        search = Search(project, name, base, store, ships) if base is not None else None
        self.search = search
        if search is not None:
            self.at = "base"
            search.look()
            self.at = "train"
        self._head(seeds_of(project, name, search))
        if search is not None:
            self.at = "base"
            self._base(search)
        self.at = "compare"
        side = search.side if search is not None else None
        with self.context.progress.step(name, "compare", _against(search)):
            self.outcome.compared = compare_with_base(
                project, self.outcome, search, self.context.store, self.context.studio
            )
        self.outcome.state = "compared" if side is not None else "first"

    def _head(self, seeds: int) -> None:
        project, name, context = self.context.project, self.model.name, self.context
        detail = " ".join(command_of(project.model(name))) or "files that are there"
        with context.progress.step(name, "train", detail) as echo:
            request = TrainRequest(context.timeout, echo, context.engine, seeds=seeds)
            self.outcome.training = train_all(project, name, request)
        self.at = "evaluate"
        with context.progress.step(name, "evaluate", project.commit[:12]) as echo:
            asked = EvaluateRequest(context.timeout, echo, context.engine)
            self.outcome.evaluation = evaluate_all(project, name, asked)

    def _base(self, search: Search) -> None:
        outcome, context = self.outcome, self.context
        if outcome.training is not None and outcome.evaluation is not None:
            search.take_heads(outcome.evaluation, outcome.training)
        if search.must_train:
            base = search.settings.base
            detail = f"base {base.commit[:12]} ({base.name}), in a worktree"
            with context.progress.step(self.model.name, "train", detail) as echo:
                search.train(Retry(context.timeout, echo, context.engine), outcome.evaluation)
        elif outcome.evaluation is not None and search.must_ask(outcome.evaluation):
            detail = f"base {search.base.commit[:12]} again: its model has to answer head's rows"
            with context.progress.step(self.model.name, "train", detail) as echo:
                retry = Retry(context.timeout, echo, context.engine)
                search.ask(retry, outcome.evaluation)
        outcome.notes.extend(search.notes)
        if search.side is not None:
            outcome.base_training = search.side.training
            outcome.base_evaluation = search.side.evaluation

    def _ship(self) -> None:
        steps = [step for step in self.model.steps if step in ("store", "build", "push", "deploy")]
        comparison = self.outcome.comparison
        if not steps or comparison is None or comparison.blocks:
            return
        store, header = self.context.store, None
        for step in steps:
            self.at = step
            with self.context.progress.step(self.model.name, step, ""):
                if step == "store":
                    header = self._keep(store, awaits=len(steps) > 1)
                else:
                    self.outcome.shipped[step] = self._shipper()(step, self.model.name)
            if step == "build" and self._is_too_large():
                return
        if store is not None and header is not None and header.awaits:
            self._settle(store, weighed(header, self.outcome))

    def _is_too_large(self) -> bool:
        return judge_image(self.context.project, self.outcome, self.search, self.context.store)

    def _shipper(self) -> Ship:
        return self.context.ship or (lambda step, name: ship(self.context.project, step, name))

    def _settle(self, store: Store, header: Header) -> None:
        """Without it the next merge ships the same once more, which changes nothing."""
        try:
            store.settle(header)
        except MlopsCiError as error:
            self.outcome.notes.append(f"the store does not know yet that it is live: {error.what}")

    def _keep(self, store: Store | None, *, awaits: bool) -> Header:
        outcome = self.outcome
        if store is None:
            raise UsageError(
                "there is no store to keep main's model: this repository has no `origin`",
                where="mlops-ci.yaml, store",
                fix="store: {backend: folder, path: /mnt/team/mlops-ci}",
            )
        if outcome.training is None or outcome.evaluation is None:
            raise InternalError("a store entry without records")
        predictions = slim_predictions(outcome)
        exhibits = pack_exhibits(self.context.project, outcome.name, outcome.evaluation.commit)
        keys = place_of(self.context.project, outcome.name, outcome.evaluation.commit)
        trained = keys.read_bytes() if keys.is_file() else None
        sides = outcome.training, outcome.evaluation
        gated = gated_values(outcome, self.context.project.model(outcome.name))
        head = outcome.compared.head if outcome.compared is not None else None
        entry = Entry(
            *sides,
            predictions,
            exhibits,
            trained,
            measured=measured_values(outcome),
            sliced=gated.sliced,
            points=gated.points,
            sample=sample_of(head),
        )
        header = store.put(entry, awaits=awaits)
        if header.too_large is not None:
            outcome.notes.append(
                f"the predictions ({header.too_large / 1e6:.0f} MB) are too large for the store: "
                "base is trained again each time"
            )
        return header


def ship(project: Project, step: str, name: str) -> Any:
    """A shipping step with nothing asked beyond the configuration."""
    if step == "deploy":
        from mlops_ci.steps.deploy import DeployRequest, deploy

        return deploy(project, name, DeployRequest())
    if step == "push":
        from mlops_ci.steps.push import push

        return push(project, name)
    from mlops_ci.steps.build import build

    return build(project, name)


def _against(search: Search | None) -> str:
    if search is None or search.side is None:
        return "a first run: nothing to compare with"
    base = search.settings.base
    return f"with {base.name} at {base.commit[:12]}: {search.side.source}"
