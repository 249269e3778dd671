"""What main's past says: of retraining noise, and of how often its evaluation set was used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.baseline.history import runs_by_key
from mlops_ci.baseline.store import Store
from mlops_ci.config import Policy
from mlops_ci.errors import MlopsCiError
from mlops_ci.plan.base_search import Search
from mlops_ci.plan.row_samples import sample_of
from mlops_ci.project import Project
from mlops_ci.records import Evaluation
from mlops_ci.records.evaluation import Seeds
from mlops_ci.verdict import Noise, noise_of_history

if TYPE_CHECKING:
    from mlops_ci.steps.sides import Known


def seeds_of(project: Project, name: str, search: Search | None) -> int:
    """How often to train: as base says, where it knows the model. Noise widens intervals, and what
    would fail may then be undecided: that is not for head to ask for."""
    if search is None or search.settings.adopted:
        return project.model(name).seeds
    return search.settings.model.seeds


def values_of(seeds: Seeds | None) -> dict[tuple[str, str | None], tuple[float, ...]]:
    return {(one.metric, one.slice): one.values for one in seeds.values} if seeds else {}


def same_seeds(evaluation: Evaluation) -> list[str]:
    if evaluation.seeds is None or not evaluation.seeds.same:
        return []
    count = evaluation.seeds.trainings
    said = f"All {count} trainings came to the same numbers: let training read MLOPS_CI_SEED"
    return [f"{said}, or leave `seeds:` out."]


def history_of(name: str, head: Known, store: Store | None) -> tuple[dict[str, Noise], list[str]]:
    """What main's repeated trainings on the same rows say of retraining noise."""
    if store is None or head.predictions is None:
        return {}, []
    try:
        runs = runs_by_key(store.list(name), head.predictions.rows_digest)
    except MlopsCiError as error:
        return {}, [f"main's history was not read: {error.what}"]
    found = {metric: noise_of_history(groups) for metric, groups in runs.items()}
    return {metric: noise for metric, noise in found.items() if noise is not None}, []


def spending_notes(policy: Policy, evaluation: int | None) -> tuple[str, ...]:
    """What so many uses of one test set have to do with the intervals."""
    planned = policy.alpha_spending
    if planned is None:
        return ()
    said = f"{planned} evaluations on this test set share the error rate of the intervals"
    if evaluation is None:
        return (f"{said}; which one this is nobody counts without a store.",)
    if evaluation <= planned:
        return (f"{said}; this is number {evaluation}.",)
    worn = "what they come to is no longer held. Take new evaluation rows."
    return (f"{said}, and this is number {evaluation}: {worn}",)


def evaluations_of(name: str, head: Known, store: Store | None) -> int | None:
    """Which use of head's evaluation set this is, after those of main, on sets that most of its
    rows were in, too. A store that cannot be read
    is said to be so by who needs it."""
    if store is None or head.predictions is None:
        return None
    try:
        digest = head.predictions.rows_digest
        return store.uses(name, digest, sample_of(head.predictions)) + 1
    except MlopsCiError:
        return None
