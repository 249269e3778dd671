"""Which row it is: the key of each, read from its file's columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.data.keys import find_doubles, hash_texts
from mlops_ci.data.request import to_say
from mlops_ci.data.room import is_many, room
from mlops_ci.data.table import Table, quote
from mlops_ci.errors import ComparisonError

SEPARATOR = "\x1f"
MAX_KEY = 64
FEW = 1_000
WIDEST = "1e38"  # of a HUGEINT


def read_keys(table: Table, columns: tuple[str, ...]) -> NDArray[Any] | None:
    """As in `data/keys.py`. A text longer than MAX_KEY stands for itself by its SHA-256.

    Raises ComparisonError for a missing or duplicate key.
    """
    if not columns:
        return None
    keys = keys_of(table, columns)
    count, first = find_doubles(keys)
    if count:
        _refuse_duplicates(table, columns, count, first)
    return keys


def keys_of(table: Table, columns: tuple[str, ...]) -> NDArray[Any]:
    """The same, and a key may stand there more than once."""
    keys = _read_numbered_keys(table, columns[0]) if len(columns) == 1 else None
    return _read_text_keys(table, columns) if keys is None else keys


def whole_key_of(table: Table, column: str) -> str | None:
    """SQL for a row's key as a whole number. None where a key is none, or not written as one is:
    `007` is not `7`."""
    cell, kind = quote(column), table.kind(column)
    if kind == "float":
        whole = f"CAST({cell} AS DOUBLE)"
        plain = f"{_is_whole(table, column)} AND abs({whole}) < {2**53}"
    elif kind == "integer" and table.format != "csv":
        plain = f"TRY_CAST({cell} AS BIGINT) IS NOT NULL"
    elif kind in ("integer", "text"):
        number = f"CAST(TRY_CAST({cell} AS BIGINT) AS VARCHAR)"
        plain = f"coalesce({number} = CAST({cell} AS VARCHAR), false)"
    else:
        return None
    few = f"(SELECT {cell} FROM rows LIMIT {FEW})"
    for rows in (few, "rows"):
        if not table.one(f"SELECT bool_and({plain}) FROM {rows} WHERE {cell} IS NOT NULL")[0]:
            return None
    return f"CAST({cell} AS BIGINT)"


def _read_numbered_keys(table: Table, column: str) -> NDArray[np.int64] | None:
    text = whole_key_of(table, column)
    if text is None:
        return None
    keys, missing = table.read(text)
    _refuse_missing(table, column, missing)
    return keys.astype(np.int64, copy=False)


def _read_text_keys(table: Table, columns: tuple[str, ...]) -> NDArray[Any]:
    for column in columns:
        part = key_expression(table, column)
        _refuse_missing(
            table, column, table.read(f"CASE WHEN ({part}) IS NULL THEN NULL ELSE 1 END")[1]
        )
    short = text_key_of(table, columns)
    if not is_many(table.rows):
        return table.read(short)[0].astype(str)
    keys = room(table.rows, np.uint64)
    for rows, values in table.read_parts(short):
        keys[rows] = hash_texts(values)
    return keys


def text_key_of(table: Table, columns: tuple[str, ...]) -> str:
    """SQL for the key of a row; nothing where a part of it is missing."""
    whole = f" || '{SEPARATOR}' || ".join(key_expression(table, column) for column in columns)
    return f"CASE WHEN length({whole}) > {MAX_KEY} THEN sha256({whole}) ELSE {whole} END"


def _refuse_missing(table: Table, column: str, missing: NDArray[np.bool_]) -> None:
    if missing.any():
        raise ComparisonError(
            f"{table.path.name}: {int(missing.sum()):,} rows have no {column!r}",
            where=f"{table.path}, row {int(np.argmax(missing)) + 1}",
            fix="every row needs its key, or none may have one (then rows pair by position)",
        )


def key_expression(table: Table, column: str) -> str:
    """Text as it is (`007` is not `7`), but pandas' 7.0 for 7."""
    cell = quote(column)
    if table.kind(column) == "other" and table.types[column].endswith(("[]", ")")):
        raise ComparisonError(
            f"{table.path.name}: {column!r} cannot identify a row",
            where=f"{table.path}, type {table.types[column].lower()}",
        )
    if table.kind(column) == "float":
        number = f"CAST({cell} AS DOUBLE)"
        there = f"isfinite({number})"
        text = f"CAST({cell} AS VARCHAR)"
        if table.one(f"SELECT bool_and(NOT {there} OR {_is_whole(table, column)}) FROM rows")[0]:
            text = f"CAST(TRY_CAST({number} AS HUGEINT) AS VARCHAR)"
        return f"CASE WHEN {there} THEN {text} END"
    # JSON whose cells are of several kinds: 7 and "7" are one.
    plain = f"({cell} ->> '$')" if table.types[column] == "JSON" else f"CAST({cell} AS VARCHAR)"
    return f"nullif({plain}, '')"


def _is_whole(table: Table, column: str) -> str:
    """SQL. Of text, `007.0` and `7 ` are not written as a number is."""
    cell = quote(column)
    number = f"CAST({cell} AS DOUBLE)"
    odd = f" AND NOT regexp_matches({cell}, '^\\s|\\s$|^[+-]?0[0-9]')" * (table.format == "csv")
    return f"isfinite({number}) AND {number} = round({number}) AND abs({number}) < {WIDEST}{odd}"


def _refuse_duplicates(
    table: Table, columns: tuple[str, ...], count: int, first: NDArray[Any]
) -> None:
    shown = (
        ""
        if first.dtype == np.uint64
        else ", ".join(repr(str(key).replace(SEPARATOR, ", ")) for key in first)
    )
    many = "1 key occurs" if count == 1 else f"{count:,} keys occur"
    raise ComparisonError(
        f"{table.path.name}: {many} more than once" + (f": {shown}" if shown else ""),
        where=f"{table.path}, column {', '.join(columns)}",
        fix=to_say(
            "id",
            *columns,
            "ANOTHER",
            lead="remove the rows that are there twice, or name all columns that together identify "
            "a row: ",
        ),
    )
