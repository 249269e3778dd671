"""What the store keeps of a side, and how it is opened again."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_ci.config import Model
from mlops_ci.plan.outcome import ModelOutcome
from mlops_ci.records import Evaluation

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
