"""Leakage of a model: head's evaluation rows among head's training rows, and among main's."""

from __future__ import annotations

from mlops_ci.config.model import LEAKAGE
from mlops_ci.data.keys import Hashes
from mlops_ci.engines.links import refuse_links
from mlops_ci.plan.base_search import Search
from mlops_ci.plan.measure import Measure
from mlops_ci.plan.rescoring import apart
from mlops_ci.project import Project
from mlops_ci.records import MetricResult
from mlops_ci.steps.leakage import Trained, measure_leakage
from mlops_ci.steps.sides import Known
from mlops_ci.steps.training_keys import place_of, stored_keys
from mlops_ci.verdict.gates import gate_of

Found = tuple[tuple[MetricResult, ...], tuple[str, ...]]


def leakage_with_base(
    project: Project, name: str, search: Search | None, head: Known, measure: Measure
) -> Found:
    """The metric, and what to say of it. Raises UsageError for a file that is not there."""
    gated = any(gate_of(gate).metric == LEAKAGE for gate in measure.gates)
    named, notes = _named(project, measure, gated=gated)
    refuse_links(project, named)
    keys, asked = _of_main(project, name, search)
    trained = Trained([project.root / path for path in named], keys, asked=asked)
    results, told = measure_leakage(head.predictions, trained, gated=gated)
    return results, (*told, *notes)


def _named(project: Project, measure: Measure, *, gated: bool) -> tuple[list[str], list[str]]:
    """Of two that both sides name, main's may be gone where no gate asks for it."""
    named = list(measure.training_rows)
    if gated or len(named) < 2 or (project.root / named[0]).exists():
        return named, []
    lost = f"Leakage: main's `training-rows` names {named[0]}, which is not there any more."
    return named[1:], [lost]


def _of_main(project: Project, name: str, search: Search | None) -> tuple[Hashes | None, bool]:
    """The keys of the rows that main's model was trained on, and whether they should be known."""
    if search is None or search.side is None:
        return None, False
    if search.equal:  # head's own training serves both
        return stored_keys(place_of(project, name, project.commit)), False
    places = [place_of(one, name, search.base.commit) for one in (project, apart(project))]
    found = [keys for place in places if (keys := stored_keys(place)) is not None]
    settings = search.settings
    asked = not settings.adopted and settings.model.training_rows is not None
    return (found[0] if found else None), asked
