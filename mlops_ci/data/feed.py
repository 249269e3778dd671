"""One file's rows, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.config.model import Task
from mlops_ci.data.classes import CodeOf, classes_of, code_of, know_classes, positive_class
from mlops_ci.data.columns import Roles, resolve_columns
from mlops_ci.data.connection import PLACE
from mlops_ci.data.identity import key_expression, text_key_of, whole_key_of
from mlops_ci.data.keys import hash_texts
from mlops_ci.data.predictions import THRESHOLD
from mlops_ci.data.request import ColumnsRequest
from mlops_ci.data.rows import used_scores
from mlops_ci.data.table import INTEGERS, Table, quote
from mlops_ci.data.task import resolve_task
from mlops_ci.verdict.rows import Outputs

AT_ONCE = 1 << 27  # bytes of cells
CELL, TEXT = 8, 160  # bytes of a number, and of a text beside
TOO_WIDE = ("HUGEINT", "UBIGINT", "UHUGEINT")  # their numbers need not fit into 64 bits


class UnlikeError(Exception):
    """The rows are not plain."""


class OrderError(UnlikeError):
    """The two files' rows do not have the same keys in the same order."""


@dataclass(frozen=True)
class File:
    """One file, and SQL for what is read of it. `number`: a regression's column of predictions."""

    table: Table
    roles: Roles
    task: tuple[Task, str]
    classes: tuple[str, ...] = ()
    positive: str | None = None
    scores: tuple[str, ...] = ()
    number: str | None = None

    @property
    def cut(self) -> bool:
        """Whether its classes are its scores, cut."""
        return self.roles.prediction is None


@dataclass(frozen=True)
class Chunk:
    key: NDArray[Any] | None
    label: NDArray[Any]
    answers: Outputs
    slices: tuple[NDArray[Any], ...]
    group: NDArray[np.uint64] | None = None
    weight: NDArray[np.float64] | None = None


def understand(table: Table, request: ColumnsRequest) -> File:
    roles = resolve_columns(table, request)
    if table.written_by:
        raise UnlikeError
    table.keep(roles.columns)
    table.number()
    task = resolve_task(table, roles, request)
    if task[0] != "binary" and request.positive is not None:
        raise UnlikeError
    _refuse_text(table, (*roles.values, *([roles.weight] if roles.weight else [])))
    if task[0] == "regression":
        number = roles.prediction or roles.score
        _refuse_text(table, (roles.label, number))
        return File(table, roles, task, number=number)
    classes = classes_of(table, roles, task[0], request.positive)
    know_classes(table, classes)
    binary = task[0] == "binary"
    positive = positive_class(classes, request.positive, table.path) if binary else None
    scores = used_scores(table, roles, task[0], classes, positive)
    _refuse_text(table, scores)
    return File(table, roles, task, classes, positive, scores)


def _refuse_text(table: Table, columns: Iterable[str | None]) -> None:
    if any(one is None or table.kind(one) not in ("float", "integer") for one in columns):
        raise UnlikeError


class Feed:
    """`group`: the column that says which rows belong together, where it counts. `rows_at_once`: so
    many may be read in bounded memory. Raises UnlikeError for a cell that is
    missing or not finite, a weight below 0, and scores that no cut fits."""

    def __init__(self, file: File, slices: tuple[str, ...], group: str | None = None) -> None:
        self.file, self.group = file, group
        self._codes = _codes_of(file)
        key, text = _key_of(file)
        sql = {name: code for name, (code, _) in self._codes.items()}
        sql |= {"k": key} if key else {}
        sql |= {f"s{at}": _number(one) for at, one in enumerate(file.scores)}
        sql |= {f"v{at}": _number(one) for at, one in enumerate(file.roles.values)}
        sql |= {f"c{at}": code for at, code in enumerate(slices)}
        sql |= {"g": _hash(file.table, group)} if group else {}
        sql |= {"w": _number(file.roles.weight)} if file.roles.weight else {}
        self._sql = ", ".join(f"{text} AS {name}" for name, text in sql.items())
        self.rows = file.table.rows
        self.has_text_keys = text
        # Several scores are put side by side, rows with weights chosen: they are there twice for a
        # while.
        cells = len(sql) + (len(file.scores) if len(file.scores) > 1 else 0)
        cells += len(sql) if file.roles.weight else 0
        self.rows_at_once = max(1, AT_ONCE // (CELL * cells + (TEXT if text else 0)))
        self._cuts, self._slices = slices, range(len(slices))

    @property
    def without_keys(self) -> Feed:
        """The same rows for a second look, in the same chunks."""
        roles = replace(self.file.roles, id=(), values=(), weight=None)
        found = Feed(replace(self.file, roles=roles), self._cuts)
        found.rows_at_once = self.rows_at_once
        return found

    def read(self, part: slice) -> Chunk:
        table = self.file.table
        text = (
            f"SELECT {self._sql} FROM numbered "
            f"WHERE {PLACE} >= {part.start} AND {PLACE} < {part.stop}"
        )
        cells = table.guard(lambda: table.connection.execute(text).fetchnumpy())
        if any(len(one) != part.stop - part.start for one in cells.values()):
            raise UnlikeError
        if any(isinstance(one, np.ma.MaskedArray) and one.mask.any() for one in cells.values()):
            raise UnlikeError
        found = {name: np.asarray(one) for name, one in cells.items()}
        codes = {name: make(found[name]) for name, (_, make) in self._codes.items()}
        key = found.get("k")
        if key is not None and key.dtype.kind != "i":
            key = hash_texts(key)
        slices = tuple(found[f"c{at}"] for at in self._slices)
        answers, weight = self._answers(found, codes.get("p")), found.get("w")
        if weight is not None and not (np.isfinite(weight) & (weight >= 0)).all():
            raise UnlikeError
        return Chunk(key, codes["y"], answers, slices, found.get("g"), weight)

    def _answers(self, found: dict[str, NDArray[Any]], said: NDArray[Any] | None) -> Outputs:
        scores = [found[f"s{at}"] for at in range(len(self.file.scores))]
        values = {name: found[f"v{at}"] for at, name in enumerate(self.file.roles.values)}
        numbers = [found["y"], *scores, *values.values(), *([] if said is None else [said])]
        if not all(one.dtype.kind != "f" or np.isfinite(one).all() for one in numbers):
            raise UnlikeError
        if not scores:
            return Outputs(said, None, values)
        score = scores[0] if len(scores) == 1 else np.column_stack(scores)
        return Outputs(self._cut(score) if said is None else said, score, values)

    def _cut(self, score: NDArray[np.float64]) -> NDArray[Any]:
        if score.ndim == 2:
            return np.asarray(score.argmax(axis=1))
        if len(score) and (score.min() < 0 or score.max() > 1):
            raise UnlikeError
        code = self.file.classes.index(str(self.file.positive))
        return np.where(score >= THRESHOLD, code, 1 - code)


def _codes_of(file: File) -> dict[str, CodeOf]:
    """SQL of label (`y`) and prediction (`p`), and what makes them codes, or numbers."""
    table, label, said = file.table, file.roles.label, file.roles.prediction
    if file.number is not None:
        return {"y": (_number(label), np.asarray), "p": (_number(file.number), np.asarray)}
    named = (("y", label), ("p", said))
    return {
        name: code_of(table, column, file.roles, file.classes) for name, column in named if column
    }


def _number(column: str) -> str:
    return f"CAST({quote(column)} AS DOUBLE)"


def _hash(table: Table, column: str) -> str:
    """SQL for a number that tells groups apart: names are the same as texts, as in `read_group`."""
    name = key_expression(table, column)
    return f"CASE WHEN ({name}) IS NULL THEN NULL ELSE hash({name}) END"


def _key_of(file: File) -> tuple[str | None, bool]:
    """SQL, and whether it is a text."""
    identifiers, table = file.roles.id, file.table
    if not identifiers:
        return None, False
    kind = table.types[identifiers[0]]
    if len(identifiers) == 1 and kind in INTEGERS and kind not in TOO_WIDE:
        return f"CAST({quote(identifiers[0])} AS BIGINT)", False
    whole = whole_key_of(table, identifiers[0]) if len(identifiers) == 1 else None
    return (whole, False) if whole else (text_key_of(table, identifiers), True)
