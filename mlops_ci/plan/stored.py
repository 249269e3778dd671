"""What the store keeps of a side, and how it is opened again."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_ci.config import Gate, Model, expand_gates
from mlops_ci.config.model import DROPS
from mlops_ci.plan.outcome import ModelOutcome
from mlops_ci.records import Evaluation, MetricResult
from mlops_ci.verdict.lookup import same_metric

if TYPE_CHECKING:
    from mlops_ci.data import Predictions


def open_slim(path: Path, model: Model, evaluation: Evaluation) -> Predictions:
    """The store's form has every column under its conventional name."""
    from mlops_ci.data import read_slim

    digest = evaluation.slim.digest if evaluation.slim is not None else None
    return read_slim(path, evaluation.resolution, tuple(model.slices), digest)


def digests_of(evaluation: Evaluation) -> dict[str, Any]:
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


MOST_SLICES = 200  # values of slices that the index of the store has room for, an entry


@dataclass(frozen=True)
class Gated:
    """Head's values that gates on drops speak of: metric → slice → value, and numbers of metrics
    files. Functions stand under their keys."""

    sliced: dict[str, dict[str, float]]
    points: dict[str, float]


def gated_values(outcome: ModelOutcome, model: Model) -> Gated:
    found, evaluation = outcome.comparison, outcome.evaluation
    sliced: dict[str, dict[str, float]] = {}
    if found is None or evaluation is None:
        return Gated(sliced, {})
    drops = [gate for gate in expand_gates(model.gates) if gate.kind in DROPS]
    partly = found.base is not None and found.rows.paired != found.rows.head
    measured = evaluation.metrics if partly else (*evaluation.metrics, *found.metrics)
    room = MOST_SLICES
    for gate in drops:
        for one in measured:
            if not (_speaks_of(gate, one) and room and one.evidence != "point"):
                continue
            key = outcome.function_keys.get(one.metric, one.metric)
            sliced.setdefault(key, {})[str(one.slice)] = float(one.head or 0.0)
            room -= 1
    points = {
        name: value
        for name, value in evaluation.numbers.items()
        if any(gate.slice is None and same_metric(name, gate.metric) for gate in drops)
    }
    return Gated(sliced, points)


def _speaks_of(gate: Gate, one: MetricResult) -> bool:
    if gate.slice is None or one.slice is None or one.head is None or not math.isfinite(one.head):
        return False
    inside = one.slice == gate.slice or (
        gate.slice.endswith("=*") and one.slice.startswith(gate.slice.removesuffix("*"))
    )
    return inside and same_metric(one.metric, gate.metric)


def measured_values(outcome: ModelOutcome) -> dict[str, float]:
    """Head's values on all its rows that its evaluation has not: what gates and functions ask for.
    A function's stand under its key."""
    found, evaluation = outcome.comparison, outcome.evaluation
    if found is None or evaluation is None:
        return {}
    if found.base is not None and found.rows.paired != found.rows.head:
        return {}  # some of head's rows were left out of these
    known = {one.metric for one in evaluation.metrics}
    return {
        outcome.function_keys.get(one.metric, one.metric): one.head
        for one in found.metrics
        if one.slice is None
        and one.metric not in known
        and one.evidence in ("paired", "unpaired")
        and one.head is not None
        and math.isfinite(one.head)
    }
