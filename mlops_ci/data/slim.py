"""The store's form of predictions: what a comparison needs of base, and nothing else.

Every column stands under the name of its role; slices under `slice:<column>`, so that a slice named
`label` is not taken for the label.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np

from mlops_ci.config.model import Task
from mlops_ci.data.columns import SCORE_PREFIX
from mlops_ci.data.connection import connect, guarded
from mlops_ci.data.digest import digest_file
from mlops_ci.data.formats import escape_glob, literal
from mlops_ci.data.predictions import Predictions, read_predictions
from mlops_ci.data.request import ColumnsRequest
from mlops_ci.errors import ComparisonError
from mlops_ci.records import Resolution

KEY = "id"
SLICE = "slice:"
VALUE = "value:"
GROUP = "group"
WEIGHT = "weight"
MAX_BYTES = 256 * 1024 * 1024
MAX_UNPACKED = 4 * 1024 * 1024 * 1024
TYPES = ("VARCHAR", "DOUBLE")


def write_slim(predictions: Predictions, path: Path) -> None:
    """All that is compared of the rows, as zstd Parquet, atomically."""
    columns = slim_columns(predictions)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".slim-") as folder:
        part = Path(folder) / "part.parquet"
        with connect() as connection:
            connection.register("columns", columns)
            connection.execute(
                f"COPY (SELECT * FROM columns) TO {literal(str(part))} "
                "(FORMAT parquet, COMPRESSION zstd)"
            )
        part.replace(path)


def slim_columns(predictions: Predictions) -> dict[str, np.ndarray]:
    columns: dict[str, np.ndarray] = {}
    if predictions.keys is not None:
        columns[KEY] = predictions.keys.astype(str).astype(object)
    columns["label"] = _named(predictions, predictions.label)
    if predictions.prediction is not None and predictions.resolution.threshold is None:
        columns["prediction"] = _named(predictions, predictions.prediction)
    score = predictions.score
    if score is not None and score.ndim == 1:
        columns["score"] = score
    elif score is not None:
        for code, name in enumerate(predictions.classes):
            columns[SCORE_PREFIX + name] = score[:, code]
    for name, values in predictions.slices.items():
        columns[SLICE + name] = values.text().astype(object)
    if predictions.group is not None:
        columns[GROUP] = predictions.group.astype(str).astype(object)
    if predictions.weight is not None:
        columns[WEIGHT] = predictions.weight
    return columns | {VALUE + name: values for name, values in predictions.values.items()}


def _named(predictions: Predictions, values: np.ndarray) -> np.ndarray:
    if predictions.task == "regression":
        return values
    return np.asarray(np.array(predictions.classes)[values].astype(object))


def read_slim(
    path: Path,
    resolution: Resolution | None,
    slices: tuple[str, ...] = (),
    digest: str | None = None,
) -> Predictions:
    """What `write_slim` wrote, from a place that others can write to.

    `resolution` is the evaluation's; of `slices` those are read that are there. Raises
    ComparisonError for a file that is too large, not what the record says, or not of this form.
    """
    if path.stat().st_size > MAX_BYTES:
        raise _untrusted(path, f"it is larger than {MAX_BYTES:,} bytes")
    if digest is not None and digest_file(path) != digest:
        raise _untrusted(path, "it is not the file that its record describes")
    names = _checked_columns(path)
    there = tuple(name for name in slices if SLICE + name in names)
    request = ColumnsRequest(
        id=(KEY,) if KEY in names else (),
        label="label",
        slices=tuple(SLICE + name for name in there),
        values=dict.fromkeys(name for name in sorted(names) if name.startswith(VALUE)),
        task=_task(resolution),
        positive=resolution.positive if resolution is not None else None,
        average="weighted" if resolution and resolution.average == "weighted" else "macro",
        asked="config",
    )
    found = read_predictions(path, request)
    renamed = {name: found.slices[SLICE + name] for name in there}
    return replace(
        found,
        slices=renamed,
        values={name.removeprefix(VALUE): found.values[name] for name in found.values},
        directions={},
        resolution=resolution or msgspec.structs.replace(found.resolution, columns={}),
    )


def _checked_columns(path: Path) -> set[str]:
    name = literal(escape_glob(path))
    with connect(path) as connection:
        described = guarded(
            path, lambda: connection.execute(f"DESCRIBE SELECT * FROM read_parquet({name})")
        ).fetchall()
        unpacked = guarded(
            path,
            lambda: connection.execute(
                f"SELECT sum(total_uncompressed_size) FROM parquet_metadata({name})"
            ).fetchone(),
        )[0]
    types = {str(row[0]): str(row[1]) for row in described}
    known = {KEY, "label", "prediction", "score", GROUP, WEIGHT}
    for column, kind in types.items():
        if column not in known and not column.startswith((SCORE_PREFIX, SLICE, VALUE)):
            raise _untrusted(path, f"it has a column {column[:40]!r}")
        if kind not in TYPES:
            raise _untrusted(path, f"{column[:40]!r} is of type {kind[:40].lower()}")
    if (unpacked or 0) > MAX_UNPACKED:
        raise _untrusted(path, f"it unpacks to {unpacked:,} bytes")
    return set(types)


def _task(resolution: Resolution | None) -> Task | None:
    return None if resolution is None else msgspec.convert(resolution.task, Task)


def _untrusted(path: Path, why: str) -> ComparisonError:
    return ComparisonError(
        f"the stored predictions are not used: {why}",
        where=str(path),
        fix="delete this entry of the store; base is trained and evaluated again",
    )
