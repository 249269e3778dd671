"""Columns of a predictions file, read by DuckDB: Parquet, CSV (also .gz), JSON lines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.errors import ComparisonError, UsageError

MEMORY_LIMIT = "2GB"
READERS = {
    ".parquet": "read_parquet(?)",
    ".pq": "read_parquet(?)",
    ".csv": "read_csv(?, header = true, sample_size = -1)",
    ".csv.gz": "read_csv(?, header = true, sample_size = -1)",
    ".tsv": "read_csv(?, header = true, delim = '\t', sample_size = -1)",
    ".jsonl": "read_json(?, format = 'newline_delimited')",
    ".ndjson": "read_json(?, format = 'newline_delimited')",
    ".jsonl.gz": "read_json(?, format = 'newline_delimited')",
}


@dataclass(frozen=True)
class Table:
    """One open file. `types`: column → DuckDB's name of its type."""

    path: Path
    types: dict[str, str]
    rows: int
    _connection: Any

    def read(self, column: str, cast: str | None = None) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Values [rows] and which of them are missing; `cast` names a DuckDB type."""
        quoted = quote(column)
        wanted = f"CAST({quoted} AS {cast})" if cast else quoted
        found = self._query(f"SELECT {wanted} AS value FROM rows")["value"]
        missing = np.ma.getmaskarray(found) if isinstance(found, np.ma.MaskedArray) else None
        values = np.asarray(getattr(found, "data", found) if missing is not None else found)
        return values, np.zeros(len(values), bool) if missing is None else missing

    def distinct(self, *columns: str | None) -> int:
        """How many different values these columns hold together."""
        parts = [f"SELECT CAST({quote(c)} AS VARCHAR) AS value FROM rows" for c in columns if c]
        text = f"SELECT count(DISTINCT value) FROM ({' UNION ALL '.join(parts)})"
        found = _guard(self.path, lambda: self._connection.execute(text).fetchone())
        return int(found[0])

    def _query(self, text: str) -> dict[str, Any]:
        found: dict[str, Any] = _guard(
            self.path, lambda: self._connection.execute(text).fetchnumpy()
        )
        return found


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def suffix_of(path: Path) -> str | None:
    """`.csv.gz` counts as one; None for a file that is not a table of rows."""
    name = path.name.lower()
    return next(
        (ending for ending in sorted(READERS, key=len)[::-1] if name.endswith(ending)), None
    )


def open_table(path: Path) -> Table:
    """Raises UsageError for a file that is missing, ComparisonError for one that is broken."""
    import duckdb

    ending = suffix_of(path)
    if ending is None:
        raise UsageError(
            f"{path.name}: this kind of file is not known",
            where=str(path),
            fix=f"write predictions as one of: {', '.join(READERS)}",
        )
    if not path.is_file():
        raise UsageError(f"there is no file {path}", where=str(path))
    if path.stat().st_size == 0:
        raise ComparisonError(f"{path.name} is empty", where=str(path))
    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": MEMORY_LIMIT,
            "threads": "2",
        },
    )
    rows = _source(connection, path, READERS[ending])
    described = _guard(
        path, lambda: connection.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()
    )
    count = _guard(path, lambda: connection.execute(f"SELECT count(*) FROM {rows}").fetchone())
    types = {str(row[0]): str(row[1]) for row in described}
    if not count[0]:
        raise ComparisonError(f"{path.name} has no rows", where=str(path))
    return Table(path, types, int(count[0]), connection)


def _source(connection: Any, path: Path, reader: str) -> str:
    """The name `rows`: Parquet is read column by column, text is parsed once and kept."""
    connection.execute("SET enable_progress_bar = false")
    kind = "VIEW" if reader.startswith("read_parquet") else "TABLE"
    name = str(path).replace("'", "''")
    text = (
        f"CREATE TEMP {kind} rows AS SELECT * FROM {reader.replace('?', chr(39) + name + chr(39))}"
    )
    _guard(path, lambda: connection.execute(text))
    return "rows"


def _guard(path: Path, read: Any) -> Any:
    """DuckDB's errors as ours: a truncated or broken file is bad input, not a bug."""
    import duckdb

    try:
        return read()
    except duckdb.OutOfMemoryException as error:
        raise ComparisonError(
            f"{path.name} does not fit into {MEMORY_LIMIT} of memory",
            where=str(path),
            fix="write fewer columns, or compare a sample of the rows",
        ) from error
    except duckdb.Error as error:
        message = str(error).strip().splitlines()[0]
        raise ComparisonError(
            f"{path.name} cannot be read: {message}",
            where=str(path),
            fix="is it complete? Write it to another name first and rename it at the end",
        ) from error


def require_present(
    table: Table, column: str, missing: NDArray[np.bool_], values: NDArray[Any]
) -> None:
    """Raises ComparisonError for an empty, NaN or infinite cell, with the first rows' numbers."""
    bad = missing
    if values.dtype.kind == "f":
        bad = missing | ~np.isfinite(values)
    if bad.any():
        first = ", ".join(str(n + 1) for n in np.flatnonzero(bad)[:3])
        raise ComparisonError(
            f"{table.path.name}: {int(bad.sum()):,} values of {column!r} are missing or not finite",
            where=f"{table.path}, rows {first}",
            fix="a row without an answer cannot be judged: mend or remove these rows in both files",
        )


def is_table(path: Path) -> bool:
    """Whether the file's name says that it holds rows, not numbers by name."""
    return suffix_of(path) is not None
