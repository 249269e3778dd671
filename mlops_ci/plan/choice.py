"""Which steps for which models."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from mlops_ci.baseline.commit import Asked, Base
from mlops_ci.config import Config, Model
from mlops_ci.project import is_within, outputs_of
from mlops_ci.steps.key import PARAMS, command_of, is_code

JUDGE = ("train", "evaluate", "compare", "report")
SHIP = ("train", "evaluate", "compare", "report", "store")
BY_PEOPLE = ("laptop", "workflow_dispatch")  # whoever names a model here wants it run
GONE = "base has it, head does not"
UNSHIPPED = "an earlier merge of it did not end well: it was not stored, or not deployed"
LOCKS = ("uv.lock", "requirements.txt", "pyproject.toml")


@dataclass(frozen=True)
class Occasion:
    """What happened. `ships`: a push to the branch that is deployed from; only it writes the
    store. `models`: only these; empty: all."""

    asked: Asked = field(default_factory=Asked)
    ships: bool = False
    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelPlan:
    """`steps` in order; none for an untouched model. `why` is one line for the reader."""

    name: str
    steps: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class Plan:
    occasion: Occasion
    base: Base | None
    models: tuple[ModelPlan, ...]


@dataclass(frozen=True)
class Change:
    """`files` differ between base and head, relative to the project; None: not known.
    `before` is base's configuration."""

    files: Collection[str] | None = None
    before: Config | None = None


def make_plan(config: Config, occasion: Occasion, base: Base | None, change: Change) -> Plan:
    """Pure. A model that the event does not touch has no steps, and is reported so."""
    names = occasion.models or tuple(config.models)
    models = [_plan_model(config, name, occasion, change) for name in names]
    if not occasion.models and not occasion.ships:
        lost = gone_models(config, change.before)
        models += [ModelPlan(name, ("compare",), GONE) for name in lost]
    return Plan(occasion, base, tuple(models))


def gone_models(config: Config, before: Config | None) -> list[str]:
    """Models with gates or a contract in base's configuration that head's does not have any more:
    a promise is not lost by renaming or removing who made it."""
    models = before.models if before is not None else {}
    return [
        name
        for name, model in models.items()
        if (model.gates or model.contract) and name not in config.models
    ]


def ship_unshipped(plan: Plan, config: Config, names: Collection[str]) -> Plan:
    """A merge whose job failed, or was dropped from the queue, is made up for by the next one:
    `names` are models of which main's own is not in the store, or not live."""
    models = [
        ModelPlan(one.name, _shipping(config.models[one.name]), UNSHIPPED)
        if not one.steps and one.name in names
        else one
        for one in plan.models
    ]
    return Plan(plan.occasion, plan.base, tuple(models))


def _plan_model(config: Config, name: str, occasion: Occasion, change: Change) -> ModelPlan:
    model = config.models[name]
    reason = _touched(model, name, change)
    kind = occasion.asked.kind
    if kind == "laptop" or (kind in BY_PEOPLE and name in occasion.models):
        return ModelPlan(name, JUDGE, reason or "asked for")
    if reason is None:
        return ModelPlan(name, (), "nothing that it is made of changed")
    if not occasion.ships:
        return ModelPlan(name, JUDGE, reason)
    return ModelPlan(name, _shipping(model), reason)


def _shipping(model: Model) -> tuple[str, ...]:
    build = ("build", "push") if model.image else ()
    deploy = ("deploy",) if model.image and model.deploy else ()
    return (*SHIP, *build, *deploy)


def _touched(model: Model, name: str, change: Change) -> str | None:
    """Why a model has to be looked at; None when nothing that it is made of changed."""
    if change.files is None:
        return "what changed is not known"
    before = change.before.models.get(name) if change.before is not None else None
    if before != model:
        return "its configuration changed" if before else "it is new"
    found = next((path for path in sorted(change.files) if _concerns(model, path)), None)
    return f"{found} changed" if found else None


def _concerns(model: Model, path: str) -> bool:
    pointers = [f"{entry.rstrip('/')}.dvc" for entry in model.data]
    kept = () if command_of(model) else outputs_of(model)
    files = (*model.data, *pointers, *(model.params or PARAMS), *kept)
    lock = (model.requirements,) if model.requirements else LOCKS
    return is_code(model, path) or any(is_within(path, place) for place in (*files, *lock))
