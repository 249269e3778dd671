"""Size and speed of head's model against main's runs in the store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mlops_ci.baseline.resources import resources_of
from mlops_ci.baseline.store import Header, Store
from mlops_ci.errors import MlopsCiError
from mlops_ci.plan.base_side import BaseSide
from mlops_ci.plan.outcome import ModelOutcome
from mlops_ci.records import MetricResult
from mlops_ci.verdict.gates import gate_of
from mlops_ci.verdict.history import IMAGE, RESOURCES, Past, compare_resource

if TYPE_CHECKING:
    from mlops_ci.plan.measure import Measure

__all__ = ["RESOURCES", "compare_resources"]


def compare_resources(
    outcome: ModelOutcome, side: BaseSide | None, store: Store | None, measure: Measure
) -> tuple[tuple[MetricResult, ...], list[str]]:
    """What gates ask for, and what says something: a size that is not base's, or a quantity of
    which main has runs enough. And what went wrong, in words.
    """
    if outcome.evaluation is None:
        return (), []
    gates = map(gate_of, measure.gates)
    asked = {gate.metric for gate in gates}
    ours = resources_of(outcome.training, outcome.evaluation)
    theirs = resources_of(side.training, side.evaluation) if side is not None else {}
    headers, notes = _past(outcome.name, store)
    compared = []
    for name in (one for one in RESOURCES if one != IMAGE):  # see `image_size.py`
        past = Past(_values(headers, name), theirs.get(name))
        found = compare_resource(name, ours.get(name), past, measure.policy.level)
        if name in asked or _says_something(found):
            compared.append(found)
    return tuple(compared), notes


def _past(name: str, store: Store | None) -> tuple[tuple[Header, ...], list[str]]:
    try:
        return store.list(name) if store is not None else (), []
    except MlopsCiError as error:
        return (), [f"main's sizes and times were not read: {error.what}"]


def _values(headers: Iterable[Header], name: str) -> list[float]:
    ordered = sorted(headers, key=lambda one: one.stored)
    return [one.resources[name] for one in ordered if name in one.resources]


def _says_something(one: MetricResult) -> bool:
    return one.evidence == "history" and bool(one.difference)
