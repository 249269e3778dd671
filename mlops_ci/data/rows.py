"""Row keys, slices, numbers and scores, column by column."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.config.model import Task
from mlops_ci.data.columns import SCORE_PREFIX, Roles
from mlops_ci.data.table import Table, quote, require_present
from mlops_ci.errors import ComparisonError

SEPARATOR = "\x1f"
MISSING = "(missing)"
MAX_KEY = 64
MAX_SLICE_VALUES = 200
MAX_SLICE_NAME = 200


def read_keys(table: Table, columns: tuple[str, ...]) -> NDArray[Any] | None:
    """One text a row. A key longer than MAX_KEY stands for itself by its SHA-256.

    Raises ComparisonError for a missing or duplicate key.
    """
    if not columns:
        return None
    parts = [_key_expression(table, column) for column in columns]
    whole = f" || '{SEPARATOR}' || ".join(parts)
    short = f"CASE WHEN length({whole}) > {MAX_KEY} THEN sha256({whole}) ELSE {whole} END"
    for column, part in zip(columns, parts, strict=True):
        _, missing = table.read(f"CASE WHEN ({part}) IS NULL THEN NULL ELSE 1 END")
        if missing.any():
            raise ComparisonError(
                f"{table.path.name}: {int(missing.sum()):,} rows have no {column!r}",
                where=f"{table.path}, row {int(np.flatnonzero(missing)[0]) + 1}",
                fix="every row needs its key, or none may have one (then rows pair by position)",
            )
    keys = table.read(short)[0].astype(str)
    _refuse_duplicates(table, columns, keys)
    return keys


def _key_expression(table: Table, column: str) -> str:
    """Text as it is (`007` is not `7`), but pandas' 7.0 for 7."""
    cell = quote(column)
    if table.kind(column) == "other" and table.types[column].endswith(("[]", ")")):
        raise ComparisonError(
            f"{table.path.name}: {column!r} cannot identify a row",
            where=f"{table.path}, type {table.types[column].lower()}",
        )
    if table.kind(column) == "float":
        whole = f"CAST({cell} AS DOUBLE)"
        if table.one(f"SELECT bool_and(isfinite({whole}) AND {whole} = round({whole})) FROM rows")[
            0
        ]:
            return f"CAST(CAST({whole} AS HUGEINT) AS VARCHAR)"
    return f"CAST({cell} AS VARCHAR)"


def _refuse_duplicates(table: Table, columns: tuple[str, ...], keys: NDArray[Any]) -> None:
    unique, counts = np.unique(keys, return_counts=True)
    if len(unique) == len(keys):
        return
    double = [str(key).replace(SEPARATOR, ", ") for key in unique[counts > 1][:3]]
    named = " ".join(f"--id {column}" for column in columns)
    raise ComparisonError(
        f"{table.path.name}: {int((counts > 1).sum()):,} keys occur more than once: "
        f"{', '.join(repr(key) for key in double)}",
        where=f"{table.path}, column {', '.join(columns)}",
        fix=f"name the columns that together identify a row: {named} --id ANOTHER\n"
        "or remove the rows that are there twice",
    )


def read_slice(table: Table, column: str) -> NDArray[Any]:
    """The column's value of every row, as text."""
    cell = quote(column)
    text = f"lower({cell})" if table.kind(column) == "boolean" else f"CAST({cell} AS VARCHAR)"
    if table.kind(column) == "boolean" and table.format != "csv":
        text = f"CAST({cell} AS VARCHAR)"
    count, longest = table.one(
        f"SELECT count(DISTINCT value), max(length(value)) FROM (SELECT {text} AS value FROM rows)"
    )
    if count > MAX_SLICE_VALUES or (longest or 0) > MAX_SLICE_NAME:
        what = f"has {count:,} values" if count > MAX_SLICE_VALUES else "holds long texts"
        raise ComparisonError(
            f"{table.path.name}: {column!r} {what}, too many for slices",
            where=str(table.path),
            fix=f"slice by a column with at most {MAX_SLICE_VALUES} short values: put numbers into "
            "a few bands first",
        )
    return table.read(f"coalesce({text}, '{MISSING}')")[0].astype(str)


def read_numbers_of(table: Table, column: str) -> NDArray[np.float64]:
    """Raises ComparisonError for text, or a cell that is missing or not finite."""
    if table.kind(column) in ("text", "other"):
        cell = quote(column)
        example = table.column(
            f"SELECT CAST({cell} AS VARCHAR) FROM rows WHERE {cell} IS NOT NULL "
            f"AND TRY_CAST(CAST({cell} AS VARCHAR) AS DOUBLE) IS NULL LIMIT 1"
        )
        shown = f" such as {example[0][:40]!r}" if example else ""
        raise ComparisonError(
            f"{table.path.name}: {column!r} holds text{shown}, where numbers are needed",
            where=str(table.path),
            fix="mend these cells (a decimal comma, or words for a missing number?), or name "
            "another column",
        )
    values, missing = table.read(f"CAST({quote(column)} AS DOUBLE)")
    values = values.astype(np.float64)
    require_present(table, column, missing, values)
    return values


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
        fix=f"write one column {SCORE_PREFIX}<class> for every class, or name one: --score COLUMN",
    )


def read_scores(table: Table, columns: tuple[str, ...]) -> NDArray[np.float64] | None:
    """[rows], or [rows, classes] of several columns."""
    scores = [read_numbers_of(table, column) for column in columns]
    if not scores:
        return None
    return scores[0] if len(scores) == 1 else np.column_stack(scores)


def digest_rows(keys: NDArray[Any] | None, labels: NDArray[Any]) -> str:
    """The identity of the evaluation data. Without keys the order of the rows is their key."""
    names = np.arange(len(labels)).astype(str) if keys is None else keys
    order = np.argsort(names, kind="stable")
    text = "\n".join(f"{k}{SEPARATOR}{v}" for k, v in zip(names[order], labels[order], strict=True))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
