"""Head's and base's records → one comparison, judged by base's gates and head's."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from mlops_ci.baseline.anchor import find_anchors
from mlops_ci.baseline.commit import Base
from mlops_ci.baseline.store import Found, Store
from mlops_ci.config import Model
from mlops_ci.config.model import DROPS
from mlops_ci.errors import ComparisonError, MlopsCiError
from mlops_ci.plan.base_search import Search
from mlops_ci.plan.base_side import BaseSide, Rescored
from mlops_ci.plan.contract import contract_with_base
from mlops_ci.plan.functions import functions_of
from mlops_ci.plan.measure import Measure, measure_of
from mlops_ci.plan.noise import evaluations_of, history_of, same_seeds, seeds_of, values_of
from mlops_ci.plan.outcome import ModelOutcome
from mlops_ci.plan.resources import RESOURCES, compare_resources
from mlops_ci.plan.robustness import Rows, Ruling, robustness_with_base
from mlops_ci.project import Project
from mlops_ci.records import Evaluation
from mlops_ci.records.comparison import Side
from mlops_ci.steps.evaluate import open_predictions
from mlops_ci.verdict.gates import gate_of

if TYPE_CHECKING:
    from mlops_ci.data import Predictions
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
    from mlops_ci.plan.leakage import leakage_with_base
    from mlops_ci.steps.sides import Sides

    evaluation, side = outcome.evaluation, search.side if search is not None else None
    if evaluation is None:
        raise ComparisonError(f"{outcome.name}: head was not evaluated")
    measure = measure_of(project, outcome.name, search)
    counted = seeds_of(project, outcome.name, search) > 1
    head = _head(project, evaluation, measure, counted=counted)
    base, before = _base(side, search), None
    if side is not None and side.rescored is not None:
        before, base = base, _base(_answering(side, side.rescored), search)
    if base is not None and side is not None and search is not None:
        base = replace(base, side=aged(base.side, (side.evaluation, evaluation), search.base))
    if studio is not None and head.predictions is not None:
        rows = (base.predictions if base is not None else None, head.predictions)
        outcome.drawing = studio.begin(rows, search.base.name if search is not None else "main")
    anchors, notes = _anchors(project, outcome.name, (base, head), measure, store if side else None)
    functions, replaced = functions_of(project, outcome.name, search)
    resources, unread = compare_resources(outcome, side, store, measure)
    contract = contract_with_base(project, outcome, search, measure.waivers)
    answers = Rows(head.predictions, base.predictions if base else None)
    ruling = Ruling(measure.policy, measure.waivers, measure.gates)
    robustness = robustness_with_base(project, outcome, search, answers, ruling)
    history, missed = history_of(outcome.name, head, store if side else None)
    missed += same_seeds(evaluation)
    leakage, leaks = leakage_with_base(project, outcome.name, search, head, measure)
    promised = (*contract.notes, *robustness.notes)
    return Sides(
        model=outcome.name,
        base=base,
        head=head,
        gates=measure.gates,
        policy=measure.policy,
        anchors=anchors,
        changes=(*measure.changes, *replaced, *contract.changes, *robustness.changes),
        contract=contract.results,
        robustness=robustness.results,
        waiting=contract.waiting,
        notes=(*leaks, *promised, *outcome.notes, *notes, *missed, *unread),
        before=before,
        history=history,
        beside=leakage,
        evaluations=evaluations_of(outcome.name, head, store),
        fairness=tuple(measure.model.fairness),
        functions=functions,
        resources=resources,
        waivers=measure.waivers,
        today=project.world.now().date(),
    )


def _head(project: Project, evaluation: Evaluation, measure: Measure, *, counted: bool) -> Known:
    from mlops_ci.steps.sides import Known

    side = Side(name="head", commit=evaluation.commit, **_digests(evaluation))
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
        **_digests(evaluation),
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


def open_slim(path: Path, model: Model, evaluation: Evaluation) -> Predictions:
    """The store's form has every column under its conventional name."""
    from mlops_ci.data import read_slim

    digest = evaluation.slim.digest if evaluation.slim is not None else None
    return read_slim(path, evaluation.resolution, tuple(model.slices), digest)


def _anchors(
    project: Project,
    name: str,
    sides: tuple[Known | None, Known],
    measure: Measure,
    store: Store | None,
) -> tuple[dict[str, Known], list[str]]:
    """Main's best of 90 days on the same rows, by metric; none without a store. What is best at
    several metrics is opened once."""
    base, head = sides
    gates = [gate_of(gate) for gate in measure.gates]
    own = measure.functions | RESOURCES.keys()
    names = [g.metric for g in gates if g.kind in DROPS and g.metric not in own]
    if store is None or head.predictions is None or not names:
        return {}, []
    rows = head.predictions.rows_digest
    try:
        found = find_anchors(store, name, rows, names, project.world.now())
        opened = {
            anchor.header.address: _anchor(anchor, measure.model, base)
            for anchor in {one.header.address: one for one in found.values()}.values()
            if anchor.entry.predictions is not None
        }
        addresses = {metric: anchor.header.address for metric, anchor in found.items()}
        return {metric: opened[at] for metric, at in addresses.items() if at in opened}, []
    except MlopsCiError as error:
        return {}, [f"the limit on many small losses was not checked: {error.what}"]


def _anchor(found: Found, model: Model, base: Known | None) -> Known:
    """Base's own rows where they are the same file: nothing is read, nothing measured again."""
    from mlops_ci.steps.sides import Known

    evaluation = found.entry.evaluation
    side = Side(name="main's best", commit=evaluation.commit, **_digests(evaluation))
    digest, seeds = side.predictions_digest, values_of(evaluation.seeds)
    if base is not None and digest is not None and digest == base.side.predictions_digest:
        return Known(side, base.predictions, seeds=seeds)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "predictions.parquet"
        place.write_bytes(found.entry.predictions or b"")
        return Known(side, open_slim(place, model, evaluation), seeds=seeds)


def _digests(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "predictions_digest": evaluation.predictions.digest if evaluation.predictions else None,
        "model_digest": evaluation.artifact.digest if evaluation.artifact else None,
        "training_key": evaluation.key,
    }


def slim_predictions(outcome: ModelOutcome) -> bytes | None:
    """The store's form of head's predictions; None for a model with numbers alone."""
    from mlops_ci.data import write_slim

    compared = outcome.compared
    if compared is None or compared.head is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "predictions.parquet"
        write_slim(compared.head, place)
        return place.read_bytes()
