"""Columns of a predictions file, read by DuckDB: Parquet, CSV (also .gz), JSON lines."""

from __future__ import annotations

import json
import math
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from mlops_ci.data.foreign import Detected, Row, detect
from mlops_ci.data.formats import Format, escape_glob, format_of, literal, source
from mlops_ci.data.room import chunks, is_many, room
from mlops_ci.errors import ComparisonError, UsageError

MEMORY_LIMIT = "1GB"
LARGE = 64 * 1024 * 1024  # bytes of a text file; a larger one is turned into columns on disk
Kind = Literal["boolean", "integer", "float", "text", "empty", "other"]
FLOATS = ("FLOAT", "DOUBLE", "DECIMAL")
INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT",
            "UINTEGER", "UBIGINT", "UHUGEINT")  # fmt: skip
GUESSED = ("DATE", "TIME", "UUID", "INTERVAL")  # what JSON says is text
INTEGER_TEXT = "^[+-]?[0-9]{1,18}$"
SHOWN = 3

T = TypeVar("T")


@dataclass(frozen=True)
class Table:
    """One open file. `types`: column → DuckDB's name of its type; in CSV all are text, and `kind`
    looks at the cells. Rows keep the order that they have in the file. `written_by`: the other
    tool's format that it was told to be."""

    path: Path
    format: Format
    types: dict[str, str]
    rows: int
    connection: Any
    written_by: str | None = None
    scratch: tempfile.TemporaryDirectory[str] | None = None
    _kinds: dict[str, Kind] = field(default_factory=dict)

    def keep(self, columns: Iterable[str]) -> None:
        """Parse a text file once, and hold these columns only."""
        if self.format == "parquet":
            return
        wanted = ", ".join(dict.fromkeys(quote(column) for column in columns))
        if self.scratch is None:
            self.run(f"CREATE OR REPLACE TEMP TABLE kept AS SELECT {wanted} FROM rows")
            self.run("CREATE OR REPLACE TEMP VIEW rows AS SELECT * FROM kept")
            self.run("CREATE OR REPLACE TEMP VIEW numbered AS SELECT *, rowid AS row FROM kept")
            return
        place = Path(self.scratch.name) / "rows.parquet"
        self.run(f"COPY (SELECT {wanted} FROM rows) TO {literal(str(place))} (FORMAT parquet)")
        _view(self.connection, place, source(place, "parquet"), self.path)
        _number(self.connection, place, self.path)

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
        if name.startswith(FLOATS):
            return "float"
        if name in INTEGERS:
            return "integer"
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

    def read(self, expression: str) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Values [rows] of an SQL expression, and which of them are missing: all False where none
        is. Many rows are read chunk by chunk.
        """
        if not is_many(self.rows):
            return self._read(f"SELECT {expression} AS value FROM rows", self.rows)
        values, missing = None, room(self.rows, np.bool_)
        for part, found, gaps in self._parts(expression):
            if values is None:
                values = room(self.rows, found.dtype)
            values[part], missing[part] = found, gaps
        return np.asarray(values), missing

    def read_parts(self, expression: str) -> Iterator[tuple[slice, NDArray[Any]]]:
        """The same, one chunk of rows after the other."""
        yield from ((part, values) for part, values, _ in self._parts(expression))

    def _parts(self, expression: str) -> Iterator[tuple[slice, NDArray[Any], NDArray[np.bool_]]]:
        for part in chunks(self.rows):
            found = self._read(
                f"SELECT {expression} AS value FROM numbered "
                f"WHERE row >= {part.start} AND row < {part.stop}",
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


def open_table(path: Path) -> Table:
    """Raises UsageError for a file that is missing, ComparisonError for one that is broken."""
    found = detect(path)
    rows = found.rows() if found is not None else None
    if found is not None and rows is not None:
        return _open_foreign(path, found, rows)
    kind = format_of(path)
    if kind == "numbers" or found is not None:
        raise UsageError(
            f"{path.name} does not hold rows",
            where=str(path),
            fix="write predictions as .parquet, .csv, .csv.gz or .jsonl",
        )
    scratch = _scratch(path) if kind != "parquet" else None
    connection = connect(path, scratch)
    types = _view(connection, path, source(path, kind))
    if kind in ("lines", "array") and any(name.startswith(GUESSED) for name in types.values()):
        plain = {c: "VARCHAR" if t.startswith(GUESSED) else t for c, t in types.items()}
        types = _view(connection, path, source(path, kind, plain))
    count = guarded(path, lambda: connection.execute("SELECT count(*) FROM rows").fetchone())
    if not count[0]:
        raise _no_rows(path)
    if kind == "parquet" and is_many(count[0]):
        _number(connection, path, path)
    return Table(path, kind, types, int(count[0]), connection, scratch=scratch)


def _scratch(path: Path) -> tempfile.TemporaryDirectory[str] | None:
    """Where a large text file is turned into columns. Compressed, it is a tenth of its size."""
    size = path.stat().st_size * (10 if path.name.lower().endswith(".gz") else 1)
    return tempfile.TemporaryDirectory(prefix="mlops-ci-table-") if size > LARGE else None


def _number(connection: Any, place: Path, path: Path) -> None:
    """A view whose rows are found by their place, without reading those before them."""
    name = literal(escape_glob(place))
    text = (
        "CREATE OR REPLACE TEMP VIEW numbered AS SELECT *, file_row_number AS row "
        f"FROM read_parquet({name}, hive_partitioning = false, file_row_number = true)"
    )
    guarded(path, lambda: connection.execute(text))


def _open_foreign(path: Path, found: Detected, rows: Iterable[Row]) -> Table:
    """Its rows as JSON lines, which DuckDB reads into a table of its own; then they are gone."""
    with tempfile.TemporaryDirectory(prefix="mlops-ci-rows-") as folder:
        place = Path(folder) / "rows.jsonl"
        count = _write_lines(place, path, rows)
        connection = connect(place)
        types = _view(connection, place, source(place, "lines"), path)
        if any(name.startswith(GUESSED) for name in types.values()):
            plain = {c: "VARCHAR" if t.startswith(GUESSED) else t for c, t in types.items()}
            types = _view(connection, place, source(place, "lines", plain), path)
        text = "CREATE TEMP TABLE held AS SELECT * FROM rows"
        guarded(path, lambda: connection.execute(text))
    connection.execute("CREATE OR REPLACE TEMP VIEW rows AS SELECT * FROM held")
    return Table(path, "lines", types, count, connection, found.words)


def _write_lines(place: Path, path: Path, rows: Iterable[Row]) -> int:
    count = 0
    try:
        with place.open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps({name: _finite(cell) for name, cell in row.items()}) + "\n")
                count += 1
    except ComparisonError as error:
        raise ComparisonError(
            f"{path.name}: {error.what}", where=str(path), fix=error.fix
        ) from error
    if not count:
        raise _no_rows(path)
    return count


def _finite(cell: Any) -> Any:
    """JSON has no NaN: such a cell is a missing one."""
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell


def _no_rows(path: Path) -> ComparisonError:
    return ComparisonError(
        f"{path.name} has no rows", where=str(path), fix="it holds the names of columns only"
    )


def is_table(path: Path) -> bool:
    """Whether it holds rows, not numbers by name. Raises as `format_of` and `detect` do."""
    found = detect(path)
    return found.format.rows is not None if found is not None else format_of(path) != "numbers"


def _view(connection: Any, place: Path, rows: str, path: Path | None = None) -> dict[str, str]:
    """`path`: what errors speak of, where it is not the file that is read."""
    path = path or place
    text = f"CREATE OR REPLACE TEMP VIEW rows AS SELECT * FROM {rows}"
    guarded(path, lambda: connection.execute(text))
    described = guarded(path, lambda: connection.execute("DESCRIBE rows").fetchall())
    return {str(row[0]): str(row[1]) for row in described}


def connect(
    path: Path | None = None, scratch: tempfile.TemporaryDirectory[str] | None = None
) -> Any:
    """A database in memory that reads this one file, writes none but below `scratch`, and fetches
    no extension.
    """
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "memory_limit": MEMORY_LIMIT,
        "threads": "2",
        "temp_directory": "",
    }
    connection = duckdb.connect(":memory:", config=config)
    connection.execute("SET enable_progress_bar = false")
    if path is not None:
        names = {str(path.absolute()), escape_glob(path)}
        allowed = ", ".join(literal(name) for name in sorted(names))
        connection.execute(f"SET allowed_paths = [{allowed}]")
        if scratch is not None:
            connection.execute(f"SET allowed_directories = [{literal(scratch.name)}]")
        connection.execute("SET enable_external_access = false")
    return connection


def guarded(path: Path, work: Callable[[], T]) -> T:
    """DuckDB's errors as ours: a truncated or broken file is bad input, not a bug."""
    import duckdb

    try:
        return work()
    except duckdb.OutOfMemoryException as error:
        raise ComparisonError(
            f"{path.name} does not fit into {MEMORY_LIMIT} of memory",
            where=str(path),
            fix="write fewer columns, or compare a sample of the rows",
        ) from error
    except (duckdb.Error, OSError) as error:
        raise ComparisonError(
            f"{path.name} cannot be read: {_short(str(error))}",
            where=str(path),
            fix="is it complete? Write it to another name first and rename it at the end",
        ) from error


def _short(message: str) -> str:
    """The first lines, without DuckDB's names of classes and options, and the path once more."""
    text = re.sub(r' in file "[^"]*"', "", message.strip())
    lines = [line.strip().rstrip(".") for line in text.splitlines()]
    lines = [re.sub(r"^[A-Z]\w+( \w+)? Error: ", "", line) for line in lines]
    noise = ("Possible", "Original", "LINE", "Try ", "*", "^")
    return "; ".join([line for line in lines if line and not line.startswith(noise)][:2])[:300]


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
