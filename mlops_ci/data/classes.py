"""Classes as codes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.config.model import Task
from mlops_ci.data.columns import SCORE_PREFIX, Roles
from mlops_ci.data.identity import WIDEST
from mlops_ci.data.request import to_say
from mlops_ci.data.room import code_type
from mlops_ci.data.table import Table, quote, require_present
from mlops_ci.errors import ComparisonError, UsageError

MAX_CLASSES = 10_000
MAX_NAME = 200
POSITIVE = ("1", "true", "True")
OTHER = "(other)"

CodeOf = tuple[str, Callable[[NDArray[Any]], NDArray[Any]]]


@dataclass(frozen=True)
class Encoded:
    """`label`, `prediction`: codes into `classes`, which are in their natural order."""

    classes: tuple[str, ...]
    label: NDArray[Any]
    prediction: NDArray[Any] | None


def encode(table: Table, roles: Roles, task: Task, positive: str | None = None) -> Encoded:
    """Raises ComparisonError for missing cells or too many classes, UsageError for a third class in
    a binary task."""
    classes = classes_of(table, roles, task, positive)
    know_classes(table, classes)
    codes = {
        column: _codes(table, column, text, classes)
        for column, text in _expressions(table, roles).items()
    }
    return Encoded(classes, codes[roles.label], codes.get(roles.prediction or ""))


def classes_of(
    table: Table, roles: Roles, task: Task, positive: str | None = None
) -> tuple[str, ...]:
    """All that occur, in their natural order. Raises as `encode`."""
    names = names_of(table, roles)
    if task == "multiclass":
        names |= {column.removeprefix(SCORE_PREFIX) for column in roles.class_scores}
    if task == "binary" and len(names) == 1:
        names |= _other_of(names, positive)
    classes = order_classes(names)
    if task == "binary" and len(classes) > 2:
        raise UsageError(
            f"{table.path.name}: {len(classes)} classes in a binary task: {', '.join(classes[:5])}",
            where=str(table.path),
            fix=to_say("task", "multiclass"),
        )
    return classes


def know_classes(table: Table, classes: tuple[str, ...]) -> None:
    """So that the database can tell their codes."""
    table.guard(
        lambda: table.connection.execute(
            "CREATE OR REPLACE TYPE class AS ENUM (SELECT unnest($1::VARCHAR[]))", [list(classes)]
        )
    )


def code_of(table: Table, column: str, roles: Roles, classes: tuple[str, ...]) -> CodeOf:
    """How the code of a column's class is had: SQL, and what is to be made of its answer."""
    numbers = _whole(classes) if table.kind(column) == "integer" else None
    if numbers is None:
        return f"enum_code(CAST({_expressions(table, roles)[column]} AS class))", np.asarray
    return f"TRY_CAST({quote(column)} AS BIGINT)", lambda found: np.searchsorted(numbers, found)


def _codes(
    table: Table, column: str, expression: str, classes: tuple[str, ...]
) -> NDArray[np.signedinteger]:
    """As int64, or, of many rows, in as few bytes as the classes need."""
    kind = code_type(len(classes), table.rows)
    numbers = _whole(classes) if table.kind(column) == "integer" else None
    if numbers is None:
        codes, missing = table.read(
            f"enum_code(CAST({expression} AS class))", lambda found: found.astype(kind)
        )
    else:  # without a text for each row
        codes, missing = table.read(
            f"TRY_CAST({quote(column)} AS BIGINT)",
            lambda found: np.searchsorted(numbers, found).astype(kind),
        )
    require_present(table, column, missing, codes)
    return codes


def _whole(classes: tuple[str, ...]) -> NDArray[np.int64] | None:
    """The classes as numbers, where all are: they are in the numbers' order then."""
    if not all(name.isascii() and name.removeprefix("-").isdecimal() for name in classes):
        return None
    numbers = [int(name) for name in classes]
    small = all(abs(number) < 2**62 for number in numbers)
    plain = all(str(number) == name for number, name in zip(numbers, classes, strict=True))
    return np.array(numbers, dtype=np.int64) if small and plain else None


def names_of(table: Table, roles: Roles) -> set[str]:
    """The names of all classes that occur as label or prediction. Raises for too many."""
    columns = (roles.label, roles.prediction or "")
    if columns not in table.classes:
        table.classes[columns] = frozenset(_find_names(table, roles))
    return set(table.classes[columns])


def _find_names(table: Table, roles: Roles) -> set[str]:
    parts = [
        f"SELECT {text} AS name FROM (SELECT DISTINCT {quote(column)} FROM rows)"
        for column, text in _expressions(table, roles).items()
    ]
    names: list[str] = table.column(
        f"SELECT DISTINCT name FROM ({' UNION ALL '.join(parts)}) WHERE name IS NOT NULL "
        f"LIMIT {MAX_CLASSES + 1}"
    )
    if len(names) > MAX_CLASSES:
        raise ComparisonError(
            f"{table.path.name}: {roles.label!r} has more than {MAX_CLASSES:,} classes",
            where=str(table.path),
            fix=to_say(
                "task", "regression", lead="name the column of labels; if it is a regression: "
            ),
        )
    long = next((name for name in names if len(name) > MAX_NAME), None)
    if long is not None:
        raise ComparisonError(
            f"{table.path.name}: a class has a name of {len(long):,} characters: {long[:40]}…",
            where=str(table.path),
            fix=to_say("label", "COLUMN", lead="is it the right column? Name the right one: "),
        )
    return set(names)


def _expressions(table: Table, roles: Roles) -> dict[str, str]:
    """Column → SQL for the name of its class. `True` and `1` are one class where both occur."""
    columns = [column for column in (roles.label, roles.prediction) if column]
    kinds = {table.kind(column) for column in columns}
    numeric = "boolean" in kinds and bool(kinds & {"integer", "float"})
    return {column: _expression(table, column, roles, numeric=numeric) for column in columns}


def _expression(table: Table, column: str, roles: Roles, *, numeric: bool) -> str:
    cell, kind = quote(column), table.kind(column)
    if kind == "boolean":
        names = ("1", "0") if numeric else ("true", "false")
        return (
            f"CASE lower(CAST({cell} AS VARCHAR)) WHEN 'true' THEN '{names[0]}' "
            f"WHEN 'false' THEN '{names[1]}' END"
        )
    if kind == "integer":
        return f"CAST(CAST({cell} AS HUGEINT) AS VARCHAR)"
    if kind == "float":
        return _float_expression(table, column, roles)
    if kind == "other":
        raise ComparisonError(
            f"{table.path.name}: {column!r} holds no classes",
            where=f"{table.path}, type {table.types[column].lower()}",
            fix=f"write {column!r} as text or integers",
        )
    return f"nullif(CAST({cell} AS VARCHAR), '')"


def _float_expression(table: Table, column: str, roles: Roles) -> str:
    """pandas writes 0.0 and 1.0 where a cell was missing once."""
    number = f"CAST({quote(column)} AS DOUBLE)"
    values, missing = table.read(number)
    require_present(table, column, missing, values)
    whole = (values == np.rint(values)) & (np.abs(values) < float(WIDEST))
    if whole.all():
        return f"CAST(CAST({number} AS HUGEINT) AS VARCHAR)"
    if column == roles.prediction and table.kind(roles.label) != "float":
        raise _no_classes(table, roles, column, values[~whole][0])
    return f"CAST({number} AS VARCHAR)"


def _no_classes(table: Table, roles: Roles, column: str, example: float) -> UsageError:
    """Of a regression, too, whose labels were read as text."""
    label = roles.label
    told, lead = "", "is it the score? Then say "
    if table.kind(label) == "text":
        cell = table.column(
            f"SELECT {quote(label)} FROM rows WHERE {quote(label)} IS NOT NULL LIMIT 1"
        )
        told = f", and {label!r} text such as {str(cell[0])[:40]!r}"
        lead = f"if {label!r} should be numbers, mend it (a decimal comma?); if it is the score, "
    return UsageError(
        f"{table.path.name}: {column!r} holds numbers such as {example:g}, not classes{told}",
        where=str(table.path),
        fix=to_say("score", column, lead=lead),
    )


def _other_of(lone: set[str], positive: str | None) -> set[str]:
    """A file where only one class occurs still has two."""
    if positive is not None and positive not in lone:
        return {positive}
    pairs = ({"0", "1"}, {"false", "true"})
    return next((pair - lone for pair in pairs if lone < pair), {OTHER})


def order_classes(names: set[str]) -> tuple[str, ...]:
    """Integers by value, everything else by name."""
    if all(name.lstrip("-").isdecimal() and name.isascii() for name in names):
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    return tuple(sorted(names))


def positive_class(classes: tuple[str, ...], asked: str | None, path: Path) -> str:
    """Raises UsageError when neither option nor convention names one."""
    if asked is not None:
        match = next((c for c in classes if c.lower() == str(asked).lower()), None)
        if match is not None:
            return match
        raise UsageError(
            f"{path.name}: the positive class {asked!r} is none of {', '.join(classes)}",
            where=str(path),
            fix=to_say("positive", classes[-1]),
        )
    found = [name for name in classes if name in POSITIVE]
    if found:
        return found[0]
    likely = next((name for name in reversed(classes) if name != OTHER), classes[-1])
    raise UsageError(
        f"{path.name}: which class is the positive one, {' or '.join(classes)}?",
        where=str(path),
        fix=to_say("positive", likely),
    )
