"""Columns of a predictions file, read by DuckDB: Parquet, CSV (also .gz), JSON lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from mlops_ci.data.connection import PLACE, guarded, number_rows, view_rows
from mlops_ci.data.formats import Format, literal, source
from mlops_ci.data.room import chunks, is_many, room
from mlops_ci.data.scratch import Scratch
from mlops_ci.errors import ComparisonError

Kind = Literal["boolean", "integer", "float", "text", "empty", "other"]
FLOATS = ("FLOAT", "DOUBLE", "DECIMAL")
INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT",
            "UINTEGER", "UBIGINT", "UHUGEINT")  # fmt: skip
INTEGER_TEXT = "^[+-]?[0-9]{1,38}$"  # of a HUGEINT: an id of 19 digits is no float
SHOWN = 3

NONE_MISSING = np.zeros(1, np.bool_)

Convert = Callable[[NDArray[Any]], NDArray[Any]]
T = TypeVar("T")


@dataclass(frozen=True)
class Table:
    """One open file. `types`: column → DuckDB's name of its type; in CSV all are text, and `kind`
    looks at the cells. Rows keep the order that they have in the file. `written_by`: the other
    tool's format that it was told to be. `classes`: the classes of columns, once they were asked
    for."""

    path: Path
    format: Format
    types: dict[str, str]
    rows: int
    connection: Any
    written_by: str | None = None
    scratch: Scratch | None = None
    classes: dict[tuple[str, ...], frozenset[str]] = field(default_factory=dict)
    _kinds: dict[str, Kind] = field(default_factory=dict)

    def keep(self, columns: Iterable[str]) -> None:
        """Parse a text file once, and hold these columns only; those of many rows on disk."""
        if self.format == "parquet":
            return
        wanted = ", ".join(dict.fromkeys(quote(column) for column in columns))
        if self.scratch is None or not is_many(self.rows):
            self.run(f"CREATE OR REPLACE TEMP TABLE kept AS SELECT {wanted} FROM rows")
            self.run("CREATE OR REPLACE TEMP VIEW rows AS SELECT * FROM kept")
            self.run(f"CREATE TEMP VIEW numbered AS SELECT *, rowid AS {PLACE} FROM kept")
            return
        place = Path(self.scratch.name) / "rows.parquet"
        # More threads would hold what they read out of order.
        self.run("SET threads = 1")
        self.run(f"COPY (SELECT {wanted} FROM rows) TO {literal(str(place))} (FORMAT parquet)")
        self.run("SET threads = 2")
        types = view_rows(self.connection, place, source(place, "parquet"), self.path)
        number_rows(self.connection, place, self.path, types)

    def number(self) -> None:
        """So that rows are found by their place, also where they are few."""
        if self.format == "parquet" and not is_many(self.rows):
            number_rows(self.connection, self.path, self.path, self.types)

    def close(self) -> None:
        self.connection.close()
        if self.scratch is not None:
            self.scratch.cleanup()

    def kind(self, column: str) -> Kind:
        """What the column holds: by its type; a CSV's by every cell that is not empty."""
        if column not in self._kinds:
            self._kinds[column] = self._find_kind(column)
        return self._kinds[column]

    def _find_kind(self, column: str) -> Kind:
        name = self.types[column]
        if self.format == "csv":
            return self._kind_of_cells(column)
        if name.endswith("]"):  # a list of floats is none
            return "other"
        if name in INTEGERS or re.fullmatch(r"DECIMAL\(\d+,0\)", name):
            return "integer"
        if name.startswith(FLOATS):
            return "float"
        if name == "BOOLEAN":
            return "boolean"
        return "text" if name.startswith(("VARCHAR", "ENUM", "UUID")) else "other"

    def _kind_of_cells(self, column: str) -> Kind:
        cell = quote(column)
        counts = self.one(
            f"SELECT count({cell}), count_if(lower({cell}) IN ('true', 'false')), "
            f"count_if(regexp_matches({cell}, '{INTEGER_TEXT}')), "
            f"count(TRY_CAST({cell} AS DOUBLE)) FROM rows"
        )
        filled, booleans, integers, numbers = counts
        if not filled:
            return "empty"
        kinds: tuple[tuple[int, Kind], ...] = (
            (booleans, "boolean"),
            (integers, "integer"),
            (numbers, "float"),
        )
        return next((kind for count, kind in kinds if count == filled), "text")

    def read(
        self, expression: str, convert: Convert = np.asarray
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Values [rows] of an SQL expression, converted; and which of them are missing: all False
        where none is. Many rows are read chunk by chunk.
        """
        if not is_many(self.rows):
            found, gaps = self._read(f"SELECT {expression} AS value FROM rows", self.rows)
            return convert(found), gaps
        values, missing = None, NONE_MISSING
        for part, found, gaps in self._parts(expression):
            chunk = convert(found)
            if values is None:
                values = room(self.rows, chunk.dtype)
            values[part] = chunk
            if gaps.any():
                if missing is NONE_MISSING:
                    missing = room(self.rows, np.bool_)
                    missing[:] = False
                missing[part] = gaps
        return np.asarray(values), np.broadcast_to(missing, self.rows)

    def read_parts(self, expression: str) -> Iterator[tuple[slice, NDArray[Any]]]:
        """The same, one chunk of rows after the other."""
        yield from ((part, values) for part, values, _ in self._parts(expression))

    def _parts(self, expression: str) -> Iterator[tuple[slice, NDArray[Any], NDArray[np.bool_]]]:
        for part in chunks(self.rows):
            found = self._read(
                f"SELECT {expression} AS value FROM numbered "
                f"WHERE {PLACE} >= {part.start} AND {PLACE} < {part.stop}",
                part.stop - part.start,
            )
            yield part, *found

    def _read(self, text: str, rows: int) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        found = self.guard(lambda: self.connection.execute(text).fetchnumpy()["value"])
        if len(found) != rows:
            raise ComparisonError(
                f"{self.path.name} changed while it was read", where=str(self.path)
            )
        masked = isinstance(found, np.ma.MaskedArray)
        missing = np.ma.getmaskarray(found) if masked else np.zeros(rows, bool)
        return np.asarray(found.data if masked else found), missing

    def one(self, text: str) -> tuple[Any, ...]:
        row: tuple[Any, ...] = self.guard(lambda: self.connection.execute(text).fetchone())
        return row

    def column(self, text: str) -> list[Any]:
        """The first column of a query's answer."""
        rows = self.guard(lambda: self.connection.execute(text).fetchall())
        return [row[0] for row in rows]

    def run(self, text: str) -> None:
        self.guard(lambda: self.connection.execute(text))

    def guard(self, work: Callable[[], T]) -> T:
        return guarded(self.path, work)


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def require_present(
    table: Table, column: str, missing: NDArray[np.bool_], values: NDArray[Any]
) -> None:
    """Raises ComparisonError for an empty, NaN or infinite cell, with the first rows' numbers."""
    count = 0
    rows: list[int] = []
    for part in chunks(len(missing)):
        bad = missing[part]
        if values.dtype.kind == "f":
            bad = bad | ~np.isfinite(values[part])
        count += int(bad.sum())
        if len(rows) < SHOWN and bad.any():
            rows += [int(place) + part.start + 1 for place in np.flatnonzero(bad)[:SHOWN]]
    if count:
        first = ", ".join(str(row) for row in rows[:SHOWN])
        raise ComparisonError(
            f"{table.path.name}: {column!r} is missing or not finite in {count:,} of "
            f"{table.rows:,} rows",
            where=f"{table.path}, row {first}",
            fix="a row without an answer cannot be judged: mend or remove these rows in both files",
        )
