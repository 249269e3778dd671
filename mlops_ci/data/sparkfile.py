"""A table of Spark, understood as a Parquet file is: by the names and types of its columns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlops_ci.config.model import Task
from mlops_ci.data.classes import MAX_CLASSES, classes_of, positive_class
from mlops_ci.data.columns import Roles, resolve_columns
from mlops_ci.data.feed import File
from mlops_ci.data.request import ColumnsRequest
from mlops_ci.data.rows import MAX_SLICE_VALUES, MISSING, used_scores
from mlops_ci.data.table import Table
from mlops_ci.data.task import resolve_task
from mlops_ci.errors import ComparisonError, UsageError

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

# Spark's names of types → DuckDB's, which `Table.kind` knows.
TYPES = {
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "string": "VARCHAR",
}
NUMBERS = ("integer", "float")


def understand(name: str, frame: DataFrame, request: ColumnsRequest) -> File:
    """Raises UsageError and ComparisonError for what cannot be counted."""
    types = {column: TYPES.get(kind, kind.upper()) for column, kind in frame.dtypes}
    table = Table(Path(name), "parquet", types, 0, None)
    roles = resolve_columns(table, request)
    if not roles.id:
        raise ComparisonError(
            f"{name} has no id column: Spark knows no order of rows to pair them by",
            where=f"columns: {', '.join(list(types)[:20])}",
            fix="ColumnsRequest(id=('COLUMN',))",
        )
    if roles.weight:
        raise ComparisonError(
            f"{name}: rows with weights cannot be counted in Spark",
            where=f"column {roles.weight}",
            fix="leave the column out, or rename it, where all rows count alike",
        )
    _need_numbers(table, roles.values)
    _refuse_doubt(table, roles, request)
    said = tuple(column for column in (roles.label, roles.prediction) if column)
    if _is_regression(table, roles, request):
        number = roles.prediction or roles.score
        if number is None:
            raise ComparisonError(
                f"{name}: a regression needs one column with the predicted value",
                where=f"columns: {', '.join(list(types)[:20])}",
                fix="ColumnsRequest(prediction='COLUMN')",
            )
        _need_numbers(table, (roles.label, number))
        return File(table, roles, resolve_task(table, roles, request), number=number)
    kinds = {table.kind(column) for column in said}
    if not kinds <= {"integer", "text", "boolean"} or len(kinds) > 1:
        raise ComparisonError(
            f"{name}: labels and predictions are neither numbers of a regression nor classes of "
            "one type",
            where=f"columns: {', '.join(f'{one} ({types[one].lower()})' for one in said)}",
            fix="cast both to one type of whole numbers, text or booleans",
        )
    names = frozenset(_values(frame, said, MAX_CLASSES))
    table.classes[roles.label, roles.prediction or ""] = names
    return _of_classes(table, roles, resolve_task(table, roles, request), request)


def _of_classes(table: Table, roles: Roles, task: tuple[Task, str], asked: ColumnsRequest) -> File:
    classes = classes_of(table, roles, task[0], asked.positive)
    positive = positive_class(classes, asked.positive, table.path) if task[0] == "binary" else None
    scores = used_scores(table, roles, task[0], classes, positive)
    return File(table, roles, task, classes, positive, scores)


def _is_regression(table: Table, roles: Roles, request: ColumnsRequest) -> bool:
    floats = table.kind(roles.label) == "float" and not roles.has_score
    return request.task == "regression" or (request.task is None and floats)


def _refuse_doubt(table: Table, roles: Roles, request: ColumnsRequest) -> None:
    kind = table.kind(roles.label)
    if request.task is None and kind in NUMBERS and (kind == "float") == roles.has_score:
        score = "and there is a score" if roles.has_score else "and there is no score"
        raise UsageError(
            f"{table.path}: {roles.label!r} holds {kind}s, {score}: classes or a regression?",
            where="Spark",
            fix="ColumnsRequest(task='regression'), or 'binary', or 'multiclass'",
        )


def _need_numbers(table: Table, columns: tuple[str, ...]) -> None:
    for column in columns:
        if table.kind(column) not in NUMBERS:
            raise ComparisonError(
                f"{table.path}: {column!r} holds no numbers",
                where=f"Spark, type {table.types[column].lower()}",
                fix="cast it to a number, or name another column",
            )


def slices_of(frame: DataFrame, column: str) -> tuple[str, ...]:
    """The names of a column's values, sorted."""
    from pyspark.sql import functions

    names = _values(frame, (column,))
    missing = frame.where(functions.col(f"`{column}`").isNull()).limit(1).collect()
    return tuple(sorted({*names, MISSING})) if missing else names


def extremes_of(frame: DataFrame, column: str) -> tuple[float | None, float | None]:
    from pyspark.sql import functions

    cell = functions.col(f"`{column}`").cast("double")
    (row,) = frame.agg(
        functions.min(cell).alias("low"), functions.max(cell).alias("high")
    ).collect()
    return row["low"], row["high"]


def _values(
    frame: DataFrame, columns: tuple[str, ...], most: int = MAX_SLICE_VALUES
) -> tuple[str, ...]:
    """What columns hold, as text."""
    from pyspark.sql import functions

    every = functions.explode(functions.array(*map(text_of, columns)))
    rows = frame.select(every.alias("value")).distinct().limit(most + 2).collect()
    found = sorted(row["value"] for row in rows if row["value"] is not None)
    if len(found) > most:
        raise ComparisonError(
            f"{', '.join(map(repr, columns))}: more than {most:,} values",
            where="Spark",
            fix="name another column, or put its values into a few bands first",
        )
    return tuple(found)


def text_of(column: str) -> Column:
    from pyspark.sql import functions

    return functions.col(f"`{column}`").cast("string")


def group_of(column: str) -> Column:
    """A number for each group; nothing where it is missing."""
    from pyspark.sql import functions

    text = text_of(column)
    return functions.when(text.isNotNull(), functions.xxhash64(text))


def filled_text_of(column: str) -> Column:
    from pyspark.sql import functions

    return functions.coalesce(text_of(column), functions.lit(MISSING))
