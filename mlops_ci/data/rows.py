"""Slices, groups, numbers and scores, column by column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.config.model import Task
from mlops_ci.data.columns import SCORE_PREFIX, Roles
from mlops_ci.data.identity import key_expression
from mlops_ci.data.keys import Rows
from mlops_ci.data.request import to_say
from mlops_ci.data.room import room, taken
from mlops_ci.data.table import Table, quote, require_present
from mlops_ci.errors import ComparisonError
from mlops_ci.verdict.rows import check_weights

MISSING = "(missing)"
MAX_SLICE_VALUES = 200
MAX_SLICE_NAME = 200
MAX_NAMED = 10_000


@dataclass(frozen=True)
class Slices:
    """The value of every row in one column: `codes` into `names`, which are sorted."""

    names: tuple[str, ...]
    codes: NDArray[Any]

    def text(self) -> NDArray[Any]:
        return np.asarray(np.array(self.names)[self.codes])

    def masks(self, rows: Rows) -> dict[str, NDArray[np.bool_]]:
        """Of each value, which of these rows have it."""
        codes = taken(self.codes, rows)
        found = {name: room(len(codes), np.bool_) for name in self.names}
        for code, mask in enumerate(found.values()):
            np.equal(codes, code, out=mask)
        return found


def read_slice(table: Table, column: str) -> Slices:
    """The column's value of every row, as text."""
    names, expression = slice_of(table, column)
    return Slices(names, table.read(expression)[0])


def slice_of(table: Table, column: str, kind: str = "slice") -> tuple[tuple[str, ...], str]:
    """The names of a column's values, and SQL for the code of a row's. `kind`: the name of a type
    that the database shall have for them."""
    cell = quote(column)
    text = f"lower({cell})" if table.kind(column) == "boolean" else f"CAST({cell} AS VARCHAR)"
    if table.kind(column) == "boolean" and table.format != "csv":
        text = f"CAST({cell} AS VARCHAR)"
    text = f"coalesce(nullif({text}, ''), '{MISSING}')"
    names = table.column(
        f"SELECT DISTINCT {text} FROM (SELECT DISTINCT {cell} FROM rows) LIMIT {MAX_NAMED}"
    )
    long = any(len(name) > MAX_SLICE_NAME for name in names)
    if len(names) > MAX_SLICE_VALUES or long:
        more = "at least " if len(names) == MAX_NAMED else ""
        what = "holds long texts" if long else f"has {more}{len(names):,} values"
        raise ComparisonError(
            f"{table.path.name}: {column!r} {what}, too many for slices",
            where=str(table.path),
            fix=f"slice by a column with at most {MAX_SLICE_VALUES} short values: put numbers into "
            "a few bands first",
        )
    names = sorted(names)
    table.guard(
        lambda: table.connection.execute(
            f"CREATE OR REPLACE TYPE {kind} AS ENUM (SELECT unnest($1::VARCHAR[]))", [names]
        )
    )
    return tuple(names), f"enum_code(CAST({text} AS {kind}))"


def read_group(table: Table, column: str) -> NDArray[np.int64]:
    """A code for the group of every row; which one means nothing. Raises for a missing one."""
    cell = key_expression(table, column)
    _, missing = table.read(f"CASE WHEN ({cell}) IS NULL THEN NULL ELSE 1 END")
    require_present(table, column, missing, np.zeros(len(missing), dtype=np.int64))
    names = table.read(cell)[0].astype(str)
    return np.unique(names, return_inverse=True)[1].reshape(-1)


def read_numbers_of(table: Table, column: str) -> NDArray[np.float64]:
    """Raises ComparisonError for text, or a cell that is missing or not finite."""
    if table.kind(column) in ("text", "other"):
        cell = quote(column)
        example = table.one(
            f"SELECT CAST(c AS VARCHAR), n FROM (SELECT {cell} AS c, row_number() OVER () AS n "
            "FROM rows) WHERE c IS NOT NULL AND TRY_CAST(CAST(c AS VARCHAR) AS DOUBLE) IS NULL "
            "ORDER BY n LIMIT 1"
        )
        if not example and not table.one(f"SELECT count({cell}) FROM rows")[0]:
            require_present(table, column, np.ones(table.rows, np.bool_), np.zeros(table.rows))
        shown = f" such as {example[0][:40]!r}" if example else ""
        raise ComparisonError(
            f"{table.path.name}: {column!r} holds text{shown}, where numbers are needed",
            where=f"{table.path}, row {example[1]}" if example else str(table.path),
            fix="mend these cells (a decimal comma, or words for a missing number?), or name "
            "another column"
            if example
            else "its cells are numbers that were written as text: write the column as DOUBLE",
        )
    values, missing = table.read(f"CAST({quote(column)} AS DOUBLE)")
    values = values.astype(np.float64, copy=False)
    require_present(table, column, missing, values)
    return values


def read_weight(table: Table, column: str) -> NDArray[np.float64]:
    """Raises ComparisonError for one below 0, and where all are 0."""
    weight = read_numbers_of(table, column)
    try:
        check_weights(weight, table.rows, column)
    except ComparisonError as error:
        error.where = str(table.path)
        raise
    return weight


def used_scores(
    table: Table, roles: Roles, task: Task, classes: tuple[str, ...], positive: str | None
) -> tuple[str, ...]:
    """The score columns that this task uses: one, or one for every class.

    Raises ComparisonError where a class has no score.
    """
    if not roles.has_score:
        return ()
    if task == "binary":
        return (roles.score or _of_class(table, str(positive)),)
    if roles.class_scores:
        return tuple(_of_class(table, name) for name in classes)
    raise ComparisonError(
        f"{table.path.name}: one score cannot rank {len(classes):,} classes",
        where=f"{table.path}, column {roles.score!r}",
        fix=f"write one column for every class ({SCORE_PREFIX}{classes[0]}, …), or rename "
        f"{roles.score!r}, and only the predictions are judged",
    )


def _of_class(table: Table, name: str) -> str:
    column = SCORE_PREFIX + name
    if column in table.types:
        return column
    raise ComparisonError(
        f"{table.path.name}: there is no column {column!r} for the class {name!r}",
        where=str(table.path),
        fix=to_say(
            "score",
            "COLUMN",
            lead=f"write one column {SCORE_PREFIX}<class> for every class, or name one: ",
        ),
    )


def read_scores(table: Table, columns: tuple[str, ...]) -> NDArray[np.float64] | None:
    """[rows], or [rows, classes] of several columns."""
    scores = [read_numbers_of(table, column) for column in columns]
    if not scores:
        return None
    if len(scores) == 1:
        return scores[0]
    together = room(table.rows * len(scores), np.float64).reshape(table.rows, len(scores))
    for place, one in enumerate(scores):
        together[:, place] = one
    return together
