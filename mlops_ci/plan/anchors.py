"""What head is held against so that many small losses stay bounded: main's best, by metric."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_ci.baseline.anchor import Sought, find_anchors
from mlops_ci.baseline.store import Found, Store
from mlops_ci.config import Model
from mlops_ci.config.model import DROPS
from mlops_ci.errors import MlopsCiError
from mlops_ci.plan.functions import function_keys
from mlops_ci.plan.measure import Measure
from mlops_ci.plan.noise import values_of
from mlops_ci.plan.resources import RESOURCES
from mlops_ci.plan.stored import digests_of, open_slim
from mlops_ci.project import Project
from mlops_ci.records.comparison import Side
from mlops_ci.verdict import higher_is_better
from mlops_ci.verdict.gates import gate_of
from mlops_ci.verdict.names import canonical_metric, known_metric

if TYPE_CHECKING:
    from mlops_ci.data import Predictions
    from mlops_ci.steps.functions import Functions
    from mlops_ci.steps.sides import Known


def anchors_of(
    project: Project,
    sides: tuple[Known | None, Known],
    measured: tuple[Measure, Functions | None],
    store: Store | None,
    name: str,
) -> tuple[dict[str, Known], list[str]]:
    """Main's best of 90 days on the same rows, by metric; none without a store. What is best at
    several metrics is opened once. `name`: the model's."""
    base, head = sides
    if store is None or head.predictions is None:
        return {}, []
    sought = list(dict.fromkeys(_sought(*measured, head.predictions)))
    if not sought:
        return {}, []
    rows = head.predictions.rows_digest
    try:
        found = find_anchors(store, name, rows, sought, project.world.now())
        opened = {
            anchor.header.address: _anchor(anchor, measured[0].model, base)
            for anchor in {one.header.address: one for one in found.values()}.values()
            if anchor.entry.predictions is not None
        }
        addresses = {metric: anchor.header.address for metric, anchor in found.items()}
        return {metric: opened[at] for metric, at in addresses.items() if at in opened}, []
    except MlopsCiError as error:
        return {}, [f"the limit on many small losses was not checked: {error.what}"]


def _sought(measure: Measure, functions: Functions | None, head: Predictions) -> Iterator[Sought]:
    """Of the gates on drops; numbers without rows have no anchor."""
    keys = function_keys(functions)
    better = {name: one.better == "higher" for name, one in measure.model.functions.items()}
    for metric in (gate.metric for gate in map(gate_of, measure.gates) if gate.kind in DROPS):
        if metric in RESOURCES:
            continue
        if metric in keys:
            yield Sought(metric, keys[metric], better.get(metric, True))
        elif metric in head.values:
            told = head.directions.get(metric)
            up = higher_is_better(metric) if told is None else told
            yield Sought(metric, metric, up is not False)
        elif known_metric(metric) is not None:
            plain = canonical_metric(metric)
            yield Sought(plain, plain, higher_is_better(plain) is not False)


def _anchor(found: Found, model: Model, base: Known | None) -> Known:
    """Base's own rows where they are the same file: nothing is read, nothing measured again."""
    from mlops_ci.steps.sides import Known

    evaluation = found.entry.evaluation
    side = Side(name="main's best", commit=evaluation.commit, **digests_of(evaluation))
    digest, seeds = side.predictions_digest, values_of(evaluation.seeds)
    if base is not None and digest is not None and digest == base.side.predictions_digest:
        return Known(side, base.predictions, seeds=seeds)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "predictions.parquet"
        place.write_bytes(found.entry.predictions or b"")
        return Known(side, open_slim(place, model, evaluation), seeds=seeds)
