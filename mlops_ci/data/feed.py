"""One file's rows, chunk by chunk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.config.model import Task
from mlops_ci.data.classes import CodeOf, classes_of, code_of, know_classes, positive_class
from mlops_ci.data.columns import Roles, resolve_columns
from mlops_ci.data.connection import PLACE
from mlops_ci.data.keys import hash_texts
from mlops_ci.data.predictions import THRESHOLD
from mlops_ci.data.request import ColumnsRequest
from mlops_ci.data.rows import text_key_of, used_scores, whole_key_of
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
    """One file, and SQL for what is read of it."""

    table: Table
    roles: Roles
    task: tuple[Task, str]
    classes: tuple[str, ...]
    positive: str | None
    scores: tuple[str, ...]

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


def understand(table: Table, request: ColumnsRequest) -> File:
    roles = resolve_columns(table, request)
    if roles.group or roles.weight or roles.values or table.written_by:
        raise UnlikeError
    table.keep(roles.columns)
    task = resolve_task(table, roles, request)
    if task[0] == "regression" or (task[0] != "binary" and request.positive is not None):
        raise UnlikeError
    classes = classes_of(table, roles, task[0], request.positive)
    know_classes(table, classes)
    binary = task[0] == "binary"
    positive = positive_class(classes, request.positive, table.path) if binary else None
    scores = used_scores(table, roles, task[0], classes, positive)
    if any(table.kind(score) not in ("float", "integer") for score in scores):
        raise UnlikeError
    return File(table, roles, task, classes, positive, scores)


class Feed:
    """`rows_at_once`: so many may be read in bounded memory. Raises UnlikeError for a cell that is
    missing or not finite, and scores that no cut fits."""

    def __init__(self, file: File, slices: tuple[str, ...]) -> None:
        self.file = file
        self._codes: dict[str, CodeOf] = {
            name: code_of(file.table, column, file.roles, file.classes)
            for name, column in (("y", file.roles.label), ("p", file.roles.prediction))
            if column
        }
        key, text = _key_of(file)
        sql = {name: code for name, (code, _) in self._codes.items()}
        sql |= {"k": key} if key else {}
        sql |= {f"s{at}": f"CAST({quote(one)} AS DOUBLE)" for at, one in enumerate(file.scores)}
        sql |= {f"c{at}": code for at, code in enumerate(slices)}
        self._sql = ", ".join(f"{text} AS {name}" for name, text in sql.items())
        self.rows = file.table.rows
        self.has_text_keys = text
        self.rows_at_once = max(1, AT_ONCE // (CELL * len(sql) + (TEXT if text else 0)))
        self._slices = range(len(slices))

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
        return Chunk(key, codes["y"], self._answers(found, codes.get("p")), slices)

    def _answers(self, found: dict[str, NDArray[Any]], said: NDArray[Any] | None) -> Outputs:
        scores = [found[f"s{at}"] for at in range(len(self.file.scores))]
        if not scores:
            return Outputs(said)
        score = scores[0] if len(scores) == 1 else np.column_stack(scores)
        if not np.isfinite(score).all():
            raise UnlikeError
        if said is not None:
            return Outputs(said, score)
        if score.ndim == 2:
            return Outputs(score.argmax(axis=1), score)
        if len(score) and (score.min() < 0 or score.max() > 1):
            raise UnlikeError
        code = self.file.classes.index(str(self.file.positive))
        return Outputs(np.where(score >= THRESHOLD, code, 1 - code), score)


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
