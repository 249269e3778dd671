"""The store's form of predictions: what a comparison needs of base, and nothing else."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from mlops_ci.data.columns import SCORE_PREFIX
from mlops_ci.data.predictions import Predictions

KEY = "id"


def write_slim(predictions: Predictions, path: Path) -> None:
    """id, label, prediction, score and the declared slices, as zstd Parquet, atomically."""
    import duckdb

    columns = slim_columns(predictions)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".slim-") as folder:
        part = Path(folder) / "part.parquet"
        with duckdb.connect(":memory:") as connection:
            connection.register("columns", columns)
            target = str(part).replace("'", "''")
            connection.execute(
                f"COPY (SELECT * FROM columns) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
            )
        part.replace(path)


def slim_columns(predictions: Predictions) -> dict[str, np.ndarray]:
    """Every name by convention, so that reading back needs no configuration but task and class."""
    columns: dict[str, np.ndarray] = {}
    if predictions.keys is not None:
        columns[KEY] = predictions.keys.astype(object)
    columns["label"] = _named(predictions, predictions.label)
    if predictions.prediction is not None and predictions.resolution.threshold is None:
        columns["prediction"] = _named(predictions, predictions.prediction)
    score = predictions.score
    if score is not None and score.ndim == 1:
        columns["score"] = score
    elif score is not None:
        for code, name in enumerate(predictions.classes):
            columns[SCORE_PREFIX + name] = score[:, code]
    columns.update({name: values.astype(object) for name, values in predictions.slices.items()})
    return columns


def _named(predictions: Predictions, values: np.ndarray) -> np.ndarray:
    if predictions.task == "regression":
        return values
    return np.asarray(np.array(predictions.classes)[values].astype(object))
