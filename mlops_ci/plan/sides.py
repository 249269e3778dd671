"""Head's and base's records → one comparison, judged by base's gates and head's."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.baseline.anchor import find_anchors
from mlops_ci.baseline.store import Store
from mlops_ci.config import Model, expand_gates
from mlops_ci.errors import ComparisonError, MlopsCiError
from mlops_ci.plan.base_search import Search
from mlops_ci.plan.base_side import BaseSide
from mlops_ci.plan.outcome import ModelOutcome
from mlops_ci.project import Project
from mlops_ci.records import Comparison, Evaluation, MetricResult, RowCounts
from mlops_ci.records.comparison import Evidence, Side
from mlops_ci.steps.evaluate import open_predictions
from mlops_ci.verdict import (
    Promise,
    compare_numbers,
    compare_paired,
    compare_single,
    compare_unpaired,
    judge,
    merge_yardsticks,
    slice_changes,
)
from mlops_ci.verdict import Yardstick as Merged

if TYPE_CHECKING:
    from mlops_ci.data import Pairing, Predictions


@dataclass(frozen=True)
class Compared:
    """The record, and both predictions for the plots."""

    comparison: Comparison
    base: Predictions | None
    head: Predictions | None


@dataclass(frozen=True)
class _Rows:
    metrics: tuple[MetricResult, ...]
    counts: RowCounts
    unscored: int = 0
    notes: tuple[str, ...] = ()


def compare_with_base(
    project: Project, outcome: ModelOutcome, search: Search | None, store: Store | None
) -> Compared:
    """Writes the comparison's record and the pointers `head` and `base`.

    Raises ComparisonError when the two cannot be compared.
    """
    name = outcome.name
    if outcome.evaluation is None:
        raise ComparisonError(f"{name}: head was not evaluated")
    side = search.side if search is not None else None
    merged, model = _yardstick(project, name, search)
    head = _open_head(project, outcome.evaluation, model)
    base = _open_base(side, search)
    rows = _compare_rows(base, head, merged)
    numbers = compare_numbers(side.evaluation.numbers if side else None, outcome.evaluation.numbers)
    known = {(one.metric, one.slice) for one in rows.metrics}
    metrics = (*rows.metrics, *(one for one in numbers if (one.metric, None) not in known))
    promises = [one for one in merged.gates if side or one.gate.kind in ("min", "max")]
    anchor, notes = _anchor(project, name, head, (merged, model), store if side else None)
    judged = judge(metrics, promises, merged.policy, unscored=rows.unscored, anchor=anchor)
    comparison = Comparison(
        model=name,
        base=_describe_base(search, side),
        head=Side(
            name="head",
            commit=outcome.evaluation.commit,
            **_digests(outcome.evaluation),
            training_key=outcome.evaluation.key,
        ),
        rows=rows.counts,
        level=merged.policy.level,
        policy=merged.policy.on_inconclusive,
        verdict=judged.verdict,
        blocks=judged.blocks,
        metrics=judged.metrics,
        gates=judged.gates,
        primary=judged.primary,
        evidence=_evidence(judged.metrics),
        resolution=outcome.evaluation.resolution,
        changes=merged.changes,
        notes=(*rows.notes, *judged.notes, *outcome.notes, *notes),
    )
    _write(project, comparison, search)
    return Compared(comparison, base, head)


def _yardstick(project: Project, name: str, search: Search | None) -> tuple[Merged, Model]:
    """Base's gates, slices and policy, with head's; and head's model with base's slices too."""
    model = project.model(name)
    head = expand_gates(model.gates), project.config.policy(name)
    if search is None or search.settings.adopted:
        return Merged(tuple(Promise(gate, "head") for gate in head[0]), head[1]), model
    settings = search.settings
    base = expand_gates(settings.model.gates), settings.config.policy(name)
    merged = merge_yardsticks(base, head)
    changes = (*merged.changes, *slice_changes(settings.model.slices, model.slices))
    slices = list(dict.fromkeys((*settings.model.slices, *model.slices)))
    merged = Merged(merged.gates, merged.policy, changes)
    return merged, msgspec.structs.replace(model, slices=slices)


def _open_head(project: Project, evaluation: Evaluation, model: Model) -> Predictions | None:
    if evaluation.predictions is None:
        return None
    found = open_predictions(project.root / evaluation.predictions.path, model)
    if found.digest != evaluation.predictions.digest:
        raise ComparisonError(
            f"{evaluation.predictions.path} is not the file that was evaluated",
            where=str(found.path),
            fix="run `mlops-ci evaluate` again",
        )
    return found


def _open_base(side: BaseSide | None, search: Search | None) -> Predictions | None:
    if side is None or search is None or side.predictions is None:
        return None
    found = open_predictions(side.predictions, search.settings.model)
    artifact = side.evaluation.predictions
    if artifact is not None and found.digest != artifact.digest:
        raise ComparisonError(
            "base's predictions changed after they were evaluated", where=str(side.predictions)
        )
    return found


def _compare_rows(base: Predictions | None, head: Predictions | None, merged: Merged) -> _Rows:
    from mlops_ci.data import pair, single_rows

    if head is None:
        return _Rows((), RowCounts())
    if base is None:
        metrics = compare_single(single_rows(head), merged.policy)
        return _Rows(metrics, RowCounts(head=head.rows))
    pairing: Pairing = pair(base, head)
    if isinstance(pairing.rows, tuple):
        metrics = compare_unpaired(*pairing.rows, merged.policy)
    else:
        metrics = compare_paired(pairing.rows, merged.policy)
    return _Rows(metrics, pairing.counts, pairing.unscored, pairing.notes)


def _anchor(
    project: Project,
    name: str,
    head: Predictions | None,
    yardstick: tuple[Merged, Model],
    store: Store | None,
) -> tuple[list[MetricResult] | None, list[str]]:
    """Head against main's best of 90 days on the same rows; None where there is no such record."""
    merged, model = yardstick
    gates = [one.gate.metric for one in merged.gates if one.gate.kind == "max-drop"]
    if store is None or head is None or not gates:
        return None, []
    try:
        found = find_anchors(store, name, head.rows_digest, gates, project.world.now())
    except MlopsCiError as error:
        return None, [f"the limit on many small losses was not checked: {error.what}"]
    results = []
    for metric, anchor in found.items():
        if anchor.entry.predictions is None:
            continue
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "predictions.parquet"
            place.write_bytes(anchor.entry.predictions)
            compared = _compare_rows(open_predictions(place, model), head, merged)
        results += [one for one in compared.metrics if one.metric == metric]
    return (results or None), []


def _describe_base(search: Search | None, side: BaseSide | None) -> Side | None:
    if search is None or side is None:
        return None
    return Side(
        name=search.base.name,
        commit=search.base.commit,
        **_digests(side.evaluation),
        training_key=side.training.key if side.training else None,
        source=side.source,
    )


def _digests(evaluation: Evaluation) -> dict[str, str | None]:
    return {
        "predictions_digest": evaluation.predictions.digest if evaluation.predictions else None,
        "model_digest": evaluation.artifact.digest if evaluation.artifact else None,
    }


def _evidence(metrics: tuple[MetricResult, ...]) -> Evidence:
    kinds = {one.evidence for one in metrics}
    return "paired" if "paired" in kinds else "unpaired" if "unpaired" in kinds else "point"


def _write(project: Project, comparison: Comparison, search: Search | None) -> None:
    project.records.write("compare", comparison)
    project.records.point(comparison.model, "head", project.commit)
    if search is not None:
        project.records.point(comparison.model, "base", search.base.commit)


def slim_predictions(project: Project, outcome: ModelOutcome) -> bytes | None:
    """The store's form of head's predictions; None for a model with numbers alone."""
    from mlops_ci.data import write_slim

    compared = outcome.compared
    if compared is None or compared.head is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "predictions.parquet"
        write_slim(compared.head, place)
        return place.read_bytes()
