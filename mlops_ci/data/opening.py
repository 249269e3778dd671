"""Files → tables: which kind it is, and what its columns are called."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mlops_ci.data.connection import connect, guarded, number_rows, view_rows
from mlops_ci.data.foreign import Detected, Row, detect
from mlops_ci.data.formats import Format, format_of, source
from mlops_ci.data.room import is_many
from mlops_ci.data.scratch import Scratch
from mlops_ci.data.table import Table
from mlops_ci.errors import ComparisonError, UsageError

GUESSED = ("DATE", "TIME", "UUID", "INTERVAL")  # what JSON says is text


def open_table(path: Path, *, spills: bool = False) -> Table:
    """`spills`: what does not fit into memory may lie on disk for a while.

    Raises UsageError for a file that is missing, ComparisonError for one that is broken.
    """
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
    if kind == "parquet" and not spills:
        return _open(path, kind, None)
    scratch = Scratch()
    try:
        return _open(path, kind, scratch)
    except BaseException:
        scratch.cleanup()
        raise


def _open(path: Path, kind: Format, scratch: Scratch | None) -> Table:
    connection = connect(path, scratch)
    types = view_rows(connection, path, source(path, kind))
    if kind in ("lines", "array") and any(name.startswith(GUESSED) for name in types.values()):
        plain = {c: "VARCHAR" if t.startswith(GUESSED) else t for c, t in types.items()}
        types = view_rows(connection, path, source(path, kind, plain))
    count = guarded(path, lambda: connection.execute("SELECT count(*) FROM rows").fetchone())
    if not count[0]:
        raise _no_rows(path)
    if kind == "parquet" and is_many(count[0]):
        number_rows(connection, path, path, types)
    return Table(path, kind, types, int(count[0]), connection, scratch=scratch)


def _open_foreign(path: Path, found: Detected, rows: Iterable[Row]) -> Table:
    """Its rows as JSON lines, which DuckDB reads into a table of its own; then they are gone."""
    with Scratch() as folder:
        place = Path(folder.name) / "rows.jsonl"
        count = _write_lines(place, path, rows)
        connection = connect(place)
        types = view_rows(connection, place, source(place, "lines"), path)
        if any(name.startswith(GUESSED) for name in types.values()):
            plain = {c: "VARCHAR" if t.startswith(GUESSED) else t for c, t in types.items()}
            types = view_rows(connection, place, source(place, "lines", plain), path)
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
        f"{path.name} has no rows",
        where=str(path),
        fix="look why the step before wrote the names of columns only",
    )
