"""A predictions file, understood."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from mlops_ci.config.model import Task
from mlops_ci.data.classes import Encoded, encode, positive_class
from mlops_ci.data.columns import SCORE_PREFIX, Roles, resolve_columns
from mlops_ci.data.digest import digest_file
from mlops_ci.data.request import ColumnsRequest
from mlops_ci.data.table import Table, open_table, require_present
from mlops_ci.data.task import resolve_task
from mlops_ci.errors import ComparisonError
from mlops_ci.records import Resolution

SEPARATOR = "\x1f"
MAX_SLICE_VALUES = 200
THRESHOLD = 0.5
MAX_NAMED = 100


@dataclass(frozen=True)
class Predictions:
    """Rows as they are in the file.

    `keys`: one string or integer a row, unique; None without id columns. `label`, `prediction`:
    codes into `classes` (int64), or float64 of a regression. `score`: float64 [n], or [n, k] in the
    order of `classes`. `slices`: column → value of every row. `rows_digest`: SHA-256 over row keys
    and labels, whatever the order of the rows.
    """

    path: Path
    digest: str
    rows_digest: str
    task: Task
    classes: tuple[str, ...]
    positive: str | None
    keys: NDArray[Any] | None
    label: NDArray[Any]
    prediction: NDArray[Any] | None
    score: NDArray[np.float64] | None
    slices: dict[str, NDArray[Any]]
    resolution: Resolution

    @property
    def rows(self) -> int:
        return len(self.label)


def read_predictions(path: Path, request: ColumnsRequest | None = None) -> Predictions:
    """Raises UsageError where the reader must choose, ComparisonError where the file is broken."""
    request = request or ColumnsRequest()
    table = open_table(path)
    roles = resolve_columns(table, request)
    task, why = resolve_task(table, roles, request)
    keys = _read_keys(table, roles.id)
    slices = {column: _read_slice(table, column) for column in roles.slices}
    if task == "regression":
        return _regression(table, roles, (task, why), keys, slices)
    encoded = encode(table, roles, task)
    positive = positive_class(encoded.classes, request.positive, path) if task == "binary" else None
    score = _read_scores(table, roles, encoded.classes)
    prediction, threshold = _answers(encoded, score, positive)
    resolution = replace(
        _resolution(roles, (task, why), encoded),
        positive=positive,
        threshold=threshold,
        average=request.average if task == "multiclass" else None,
    )
    return Predictions(
        path,
        digest_file(path),
        digest_rows(keys, encoded.label_names()),
        task,
        encoded.classes,
        positive,
        keys,
        encoded.label,
        prediction,
        score,
        slices,
        resolution,
    )


def _regression(
    table: Table,
    roles: Roles,
    task: tuple[Task, str],
    keys: NDArray[Any] | None,
    slices: dict[str, NDArray[Any]],
) -> Predictions:
    label = _read_numbers(table, roles.label)
    column = roles.prediction or roles.scores[0]
    prediction = _read_numbers(table, column)
    return Predictions(
        table.path,
        digest_file(table.path),
        digest_rows(keys, label),
        "regression",
        (),
        None,
        keys,
        label,
        prediction,
        None,
        slices,
        _resolution(roles, task, None),
    )


def _read_numbers(table: Table, column: str) -> NDArray[np.float64]:
    if table.types[column].startswith("VARCHAR"):
        raise ComparisonError(
            f"{table.path.name}: {column!r} holds text, where numbers are needed",
            where=str(table.path),
            fix="look for words such as 'n/a' among the numbers",
        )
    values, missing = table.read(column, "DOUBLE")
    require_present(table, column, missing, values)
    return values.astype(np.float64)


def _read_keys(table: Table, columns: tuple[str, ...]) -> NDArray[Any] | None:
    """Raises ComparisonError for a missing or duplicate key."""
    if not columns:
        return None
    parts = []
    for column in columns:
        values, missing = table.read(column, "VARCHAR")
        if missing.any():
            raise ComparisonError(
                f"{table.path.name}: {int(missing.sum()):,} rows have no {column!r}",
                where=f"{table.path}, row {int(np.flatnonzero(missing)[0]) + 1}",
                fix="every row needs its key, or none may have one (then rows pair by position)",
            )
        parts.append(values.astype(str))
    keys = parts[0]
    for part in parts[1:]:
        keys = np.char.add(np.char.add(keys, SEPARATOR), part)
    unique, counts = np.unique(keys, return_counts=True)
    if (counts > 1).any():
        examples = ", ".join(repr(str(key)) for key in unique[counts > 1][:3])
        raise ComparisonError(
            f"{table.path.name}: {int((counts > 1).sum()):,} keys occur more than once: {examples}",
            where=f"{table.path}, column {', '.join(columns)}",
            fix="name more columns that together identify a row: --id A --id B",
        )
    return keys


def _read_slice(table: Table, column: str) -> NDArray[Any]:
    values, missing = table.read(column, "VARCHAR")
    names = np.where(missing, "(missing)", values).astype(str)
    count = len(np.unique(names))
    if count > MAX_SLICE_VALUES:
        raise ComparisonError(
            f"{table.path.name}: {column!r} has {count:,} values, too many for slices",
            where=str(table.path),
            fix=f"slice by a column with at most {MAX_SLICE_VALUES} values",
        )
    return names


def _read_scores(
    table: Table, roles: Roles, classes: tuple[str, ...]
) -> NDArray[np.float64] | None:
    if not roles.scores:
        return None
    if len(roles.scores) == 1 and not roles.scores[0].startswith(SCORE_PREFIX):
        return _read_numbers(table, roles.scores[0])
    missing = [name for name in classes if SCORE_PREFIX + name not in table.types]
    if missing:
        raise ComparisonError(
            f"{table.path.name}: there is no column {SCORE_PREFIX + missing[0]!r}",
            where=str(table.path),
            fix="write one score column for every class",
        )
    return np.column_stack([_read_numbers(table, SCORE_PREFIX + name) for name in classes])


def _answers(
    encoded: Encoded, score: NDArray[np.float64] | None, positive: str | None
) -> tuple[NDArray[Any] | None, float | None]:
    """The given predictions; else by the highest score, or by 0.5 where all lie in 0..1."""
    if encoded.prediction is not None or score is None:
        return encoded.prediction, None
    if score.ndim == 2:
        return score.argmax(axis=1), None
    if score.min() < 0 or score.max() > 1 or positive is None:
        return None, None
    code = encoded.classes.index(positive)
    return np.where(score >= THRESHOLD, code, 1 - code), THRESHOLD


def _resolution(roles: Roles, task: tuple[Task, str], encoded: Encoded | None) -> Resolution:
    columns = {
        "id": roles.id,
        "label": (roles.label,),
        "prediction": (roles.prediction,) if roles.prediction else (),
        "score": roles.scores,
        "slice": roles.slices,
    }
    return Resolution(
        task=task[0],
        task_from=task[1],
        columns={role: list(names) for role, names in columns.items() if names},
        found=roles.found,
        classes=list(encoded.classes[:MAX_NAMED]) if encoded else [],
    )


def digest_rows(keys: NDArray[Any] | None, labels: NDArray[Any]) -> str:
    """The identity of the evaluation data. Without keys the order of the rows is their key."""
    names = np.arange(len(labels)).astype(str) if keys is None else keys
    order = np.argsort(names, kind="stable")
    text = "\n".join(f"{k}{SEPARATOR}{v}" for k, v in zip(names[order], labels[order], strict=True))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
