"""Head's and base's records → one comparison, judged by base's gates and head's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.baseline.commit import Base
from mlops_ci.baseline.resources import resources_of
from mlops_ci.baseline.store import Store
from mlops_ci.errors import ComparisonError
from mlops_ci.plan.anchors import Asking, bests_of
from mlops_ci.plan.base_search import Search
from mlops_ci.plan.base_side import BaseSide, Rescored
from mlops_ci.plan.contract import contract_with_base
from mlops_ci.plan.functions import function_keys, functions_of
from mlops_ci.plan.image_size import LATER, gates_apart
from mlops_ci.plan.measure import Measure, measure_of
from mlops_ci.plan.noise import (
    evaluations_of,
    history_of,
    same_seeds,
    seeds_of,
    spending_notes,
    values_of,
)
from mlops_ci.plan.outcome import ModelOutcome
from mlops_ci.plan.resources import compare_resources
from mlops_ci.plan.robustness import Rows, Ruling, robustness_with_base
from mlops_ci.plan.stored import digests_of, open_slim
from mlops_ci.project import Project
from mlops_ci.records import Evaluation
from mlops_ci.records.comparison import Side
from mlops_ci.steps.evaluate import open_predictions

if TYPE_CHECKING:
    from mlops_ci.report.studio import Studio
    from mlops_ci.steps.sides import Known, Outcome, Sides


def compare_with_base(
    project: Project,
    outcome: ModelOutcome,
    search: Search | None,
    store: Store | None,
    studio: Studio | None = None,
) -> Outcome:
    """Writes the comparison's record and the pointers `head` and `base`.

    Raises ComparisonError when the two cannot be compared.
    """
    from mlops_ci.steps.compare import compare_sides

    compared = compare_sides(_sides(project, outcome, search, store, studio))
    project.records.write("compare", compared.comparison)
    project.records.point(outcome.name, "head", project.commit)
    if search is not None:
        project.records.point(outcome.name, "base", search.base.commit)
    return compared


def _sides(
    project: Project,
    outcome: ModelOutcome,
    search: Search | None,
    store: Store | None,
    studio: Studio | None,
) -> Sides:
    """All that the comparison is told; the drawing of base's and head's curves begins meanwhile."""
    from mlops_ci.plan.features import notes_on_features
    from mlops_ci.plan.leakage import leakage_with_base
    from mlops_ci.steps.sides import Sides

    evaluation, side = outcome.evaluation, search.side if search is not None else None
    if evaluation is None:
        raise ComparisonError(f"{outcome.name}: head was not evaluated")
    measure = measure_of(project, outcome.name, search)
    counted = seeds_of(project, outcome.name, search) > 1
    head = _head(project, evaluation, measure, counted=counted)
    before, base = _bases(search, evaluation)
    _begin_drawing(studio, outcome, (base, head), search)
    functions, replaced = functions_of(project, outcome.name, search)
    asking = Asking(base, head, measure, functions, resources_of(outcome.training, evaluation))
    bests = bests_of(project, outcome, asking, store)
    outcome.function_keys = function_keys(functions)
    resources, unread = compare_resources(outcome, side, store, measure)
    contract = contract_with_base(project, outcome, search, measure.waivers)
    answers = Rows(head.predictions, base.predictions if base else None)
    ruling = Ruling(measure.policy, measure.waivers, measure.gates)
    robustness = robustness_with_base(project, outcome, search, answers, ruling)
    history, missed = history_of(outcome.name, head, store if side else None)
    leakage, leaks = leakage_with_base(project, outcome.name, search, head, measure)
    known = [one.predictions if one is not None else None for one in (before, base)]
    evaluations = evaluations_of(outcome.name, head, store)
    gates, later = gates_apart(measure.gates)
    notes = [*leaks, *contract.notes, *robustness.notes]
    notes += notes_on_features(project, search, evaluation, *known)
    notes += [*outcome.notes, *bests.notes, *missed, *same_seeds(evaluation)]
    notes += [*spending_notes(measure.policy, evaluations), *unread, *([LATER] if later else ())]
    return Sides(
        model=outcome.name,
        base=base,
        head=head,
        gates=gates,
        policy=measure.policy,
        bests=bests,
        changes=(*measure.changes, *replaced, *contract.changes, *robustness.changes),
        contract=contract.results,
        robustness=robustness.results,
        waiting=contract.waiting + len(later),
        notes=tuple(notes),
        before=before,
        history=history,
        beside=leakage,
        evaluations=evaluations,
        fairness=tuple(measure.model.fairness),
        functions=functions,
        resources=resources,
        waivers=measure.waivers,
        today=project.world.now().date(),
    )


def _begin_drawing(
    studio: Studio | None,
    outcome: ModelOutcome,
    sides: tuple[Known | None, Known],
    search: Search | None,
) -> None:
    base, head = sides
    if studio is not None and head.predictions is not None:
        rows = (base.predictions if base is not None else None, head.predictions)
        outcome.drawing = studio.begin(rows, search.base.name if search is not None else "main")


def _bases(search: Search | None, evaluation: Evaluation) -> tuple[Known | None, Known | None]:
    """Main's model on rows of its own, where it has answered head's as well; and what head is
    compared with. `evaluation`: head's."""
    side = search.side if search is not None else None
    base, before = _base(side, search), None
    if side is None or search is None or base is None:
        return before, base
    if side.rescored is not None:
        before, base = base, _base(_answering(side, side.rescored), search)
    if base is None:
        return before, base
    aging = aged(base.side, (side.evaluation, evaluation), search.base)
    return before, msgspec.structs.replace(base, side=aging)


def _head(project: Project, evaluation: Evaluation, measure: Measure, *, counted: bool) -> Known:
    from mlops_ci.steps.sides import Known

    side = Side(name="head", commit=evaluation.commit, **digests_of(evaluation))
    seeds = values_of(evaluation.seeds) if counted else {}
    if evaluation.predictions is None:
        return Known(side, None, evaluation.numbers, evaluation.refused, seeds=seeds)
    found = open_predictions(project.root / evaluation.predictions.path, measure.model)
    found = replace(found, directions={**found.directions, **measure.turned})
    if found.digest != evaluation.predictions.digest:
        raise ComparisonError(
            f"{evaluation.predictions.path} is not the file that was evaluated",
            where=str(found.path),
            fix="run `mlops-ci evaluate` again",
        )
    return Known(side, found, evaluation.numbers, evaluation.refused, seeds=seeds)


def aged(base: Side, evaluations: tuple[Evaluation, Evaluation], found: Base) -> Side:
    """`evaluations`: base's as it was recorded, and head's."""
    then, now = (datetime.fromisoformat(one.evaluated) for one in evaluations)
    days = (now - then).days
    return msgspec.structs.replace(base, behind=found.behind or None, days=max(days, 0) or None)


def _answering(side: BaseSide, found: Rescored) -> BaseSide:
    """Base's side with its model's answers to head's rows. Its seeds were measured on its own rows:
    that is the best that is known of their noise."""
    source = f"{side.source}; {found.source}"
    evaluation = msgspec.structs.replace(found.evaluation, seeds=side.evaluation.seeds)
    return BaseSide(evaluation, side.training, found.predictions, source)


def _base(side: BaseSide | None, search: Search | None) -> Known | None:
    from mlops_ci.steps.sides import Known

    if side is None or search is None:
        return None
    model, evaluation = search.settings.model, side.evaluation
    described = Side(
        name=search.base.name,
        commit=search.base.commit,
        source=side.source,
        **digests_of(evaluation),
    )
    seeds = values_of(evaluation.seeds)
    if side.predictions is None:
        return Known(described, None, evaluation.numbers, evaluation.refused, seeds=seeds)
    artifact = evaluation.slim or evaluation.predictions
    slim = evaluation.slim is not None
    found = (
        open_slim(side.predictions, model, evaluation)
        if slim
        else open_predictions(side.predictions, model)
    )
    if artifact is not None and found.digest != artifact.digest:
        raise ComparisonError(
            "base's predictions changed after they were evaluated", where=str(side.predictions)
        )
    return Known(described, found, evaluation.numbers, evaluation.refused, seeds=seeds)
