"""A predictions file, understood."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.config.model import Task
from mlops_ci.data.classes import Encoded, encode, positive_class
from mlops_ci.data.columns import Roles, resolve_columns
from mlops_ci.data.digest import digest_file
from mlops_ci.data.identity import read_keys
from mlops_ci.data.keys import digest_rows
from mlops_ci.data.opening import open_table
from mlops_ci.data.request import ColumnsRequest, in_project, to_say
from mlops_ci.data.room import chosen, chunks, is_many, room
from mlops_ci.data.rows import (
    Slices,
    read_group,
    read_numbers_of,
    read_scores,
    read_slice,
    read_weight,
    used_scores,
)
from mlops_ci.data.table import Table
from mlops_ci.data.task import resolve_task
from mlops_ci.errors import ComparisonError, MlopsCiError, UsageError
from mlops_ci.records import Resolution

THRESHOLD = 0.5
TRUTHS = (("0", "1"), ("false", "true"), ("False", "True"))
MAX_NAMED = 100


@dataclass(frozen=True)
class Predictions:
    """Rows as they are in the file.

    `keys`: unique; see `data/keys.py`; None without id columns. `label`, `prediction`: codes into
    `classes` (int64), or float64 of a regression. `score`: float64 [n] of the positive class, or
    [n, k] in the order of `classes`. `slices`: column → value of every row. `rows_digest`: of row
    keys and labels, whatever the order of the rows. `group`: a code for every row; `values`:
    columns of numbers, and in `directions` whether more of each is better. `weight`: of every row,
    at least 0.
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
    slices: dict[str, Slices]
    resolution: Resolution
    group: NDArray[np.int64] | None = None
    values: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    directions: dict[str, bool | None] = field(default_factory=dict)
    weight: NDArray[np.float64] | None = None

    @property
    def rows(self) -> int:
        return len(self.label)


def at_places(predictions: Predictions, places: NDArray[np.int64]) -> Predictions:
    """These rows alone. The digests stay those of the file."""

    def some(values: NDArray[Any] | None) -> Any:
        return None if values is None else values[places]

    return replace(
        predictions,
        keys=some(predictions.keys),
        label=some(predictions.label),
        prediction=some(predictions.prediction),
        score=some(predictions.score),
        slices={
            name: replace(one, codes=one.codes[places]) for name, one in predictions.slices.items()
        },
        group=some(predictions.group),
        values={name: one[places] for name, one in predictions.values.items()},
        weight=some(predictions.weight),
    )


def named_as(side: Predictions, other: Predictions) -> Predictions:
    """With the other's names of the classes, where one of the two says `true` and one `1`."""
    both = side.classes, other.classes
    if both[0] == both[1] or not set(both) <= set(TRUTHS) or ("0", "1") not in both:
        return side
    names = dict(zip(*both, strict=True))
    return replace(side, classes=other.classes, positive=names.get(side.positive or ""))


def sample_of(predictions: Predictions) -> Predictions:
    """All rows, or of many as many as lie in memory: by chance, but the same ones each time."""
    if not is_many(predictions.rows):
        return predictions
    return at_places(predictions, chosen(predictions.rows))


@dataclass(frozen=True)
class Answers:
    """What a task reads: see `Predictions`."""

    label: NDArray[Any]
    prediction: NDArray[Any] | None
    score: NDArray[np.float64] | None
    scores: tuple[str, ...]
    classes: tuple[str, ...] = ()
    positive: str | None = None
    threshold: float | None = None


def read_predictions(path: Path, request: ColumnsRequest | None = None) -> Predictions:
    """Raises UsageError where the reader must choose, ComparisonError where the file is broken."""
    request = request or ColumnsRequest()
    table = open_table(path)
    try:
        return _read(table, request)
    except MlopsCiError as error:
        if request.asked == "config":
            error.fix = in_project(error.fix)
        raise
    except MemoryError as error:
        raise ComparisonError(
            f"{path.name} does not fit into memory",
            where=f"{path}, {table.rows:,} rows",
            fix="write fewer columns, or compare a sample of the rows",
        ) from error
    finally:
        table.close()


def _read(table: Table, request: ColumnsRequest) -> Predictions:
    roles = resolve_columns(table, request)
    table.keep(roles.columns)
    task, why = resolve_task(table, roles, request)
    if task != "binary" and request.positive is not None and request.asked == "option":
        raise UsageError(
            f"--positive {request.positive}: this is a {task} task, which has no positive class",
            where=str(table.path),
            fix="leave it out, or say --task binary",
        )
    keys = read_keys(table, roles.id)
    slices = {column: read_slice(table, column) for column in roles.slices}
    answers = (
        _values(table, roles) if task == "regression" else _classes(table, roles, task, request)
    )
    return Predictions(
        path=table.path,
        digest=digest_file(table.path),
        rows_digest=digest_rows(keys, answers.label, answers.classes),
        task=task,
        classes=answers.classes,
        positive=answers.positive,
        keys=keys,
        label=answers.label,
        prediction=answers.prediction,
        score=answers.score,
        slices=slices,
        resolution=resolution_of(table, roles, (task, why), answers, request),
        group=read_group(table, roles.group) if roles.group else None,
        values={column: read_numbers_of(table, column) for column in roles.values},
        directions=dict(request.values),
        weight=read_weight(table, roles.weight) if roles.weight else None,
    )


def _values(table: Table, roles: Roles) -> Answers:
    """A regression's prediction may be called `score` where it is the only one."""
    column = roles.prediction or roles.score
    if column is None:
        raise UsageError(
            f"{table.path.name}: a regression needs one column with the predicted value",
            where=str(table.path),
            fix=to_say("prediction", "COLUMN", lead="name it: "),
        )
    label = read_numbers_of(table, roles.label)
    used = () if roles.prediction else (column,)
    return Answers(label, read_numbers_of(table, column), None, used)


def _classes(table: Table, roles: Roles, task: Task, request: ColumnsRequest) -> Answers:
    encoded = encode(table, roles, task, request.positive)
    classes = encoded.classes
    positive = positive_class(classes, request.positive, table.path) if task == "binary" else None
    columns = used_scores(table, roles, task, classes, positive)
    score = read_scores(table, columns)
    prediction, threshold = _decide(encoded, score, positive)
    return Answers(encoded.label, prediction, score, columns, classes, positive, threshold)


def _decide(
    encoded: Encoded, score: NDArray[np.float64] | None, positive: str | None
) -> tuple[NDArray[Any] | None, float | None]:
    """The given predictions; else by the highest score, or by 0.5 where all lie in 0..1."""
    if encoded.prediction is not None or score is None:
        return encoded.prediction, None
    if score.ndim == 2:
        return highest(score, encoded.label.dtype), None
    if score.min() < 0 or score.max() > 1 or positive is None:
        return None, None
    code = encoded.classes.index(positive)
    return _cut(score, code, encoded.label.dtype), THRESHOLD


def _cut(score: NDArray[np.float64], code: int, kind: np.dtype[Any]) -> NDArray[Any]:
    found = room(len(score), kind)
    for part in chunks(len(score)):
        found[part] = np.where(score[part] >= THRESHOLD, code, 1 - code)
    return found


def highest(score: NDArray[np.float64], kind: np.dtype[Any]) -> NDArray[Any]:
    found = room(len(score), kind)
    for part in chunks(len(score)):
        found[part] = score[part].argmax(axis=1)
    return found


def resolution_of(
    table: Table, roles: Roles, task: tuple[Task, str], answers: Answers, request: ColumnsRequest
) -> Resolution:
    columns = {
        "id": roles.id,
        "label": (roles.label,),
        "prediction": (roles.prediction,) if roles.prediction else (),
        "score": answers.scores,
        "slice": roles.slices,
        "group": (roles.group,) if roles.group else (),
        "value": roles.values,
        "weight": (roles.weight,) if roles.weight else (),
    }
    used = {role: list(names) for role, names in columns.items() if names}
    return Resolution(
        task=task[0],
        task_from=task[1],
        columns=used,
        found={role: how for role, how in roles.found.items() if role in used},
        classes=list(answers.classes[:MAX_NAMED]),
        positive=answers.positive,
        threshold=answers.threshold,
        average=request.average if task[0] == "multiclass" else None,
        written_by=table.written_by,
    )
