"""DuckDB, locked to the one file that it reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from mlops_ci.data.formats import escape_glob, literal
from mlops_ci.data.scratch import Scratch
from mlops_ci.errors import ComparisonError, Terminated

MEMORY_LIMIT = "1GB"
INTERRUPTED = "Query interrupted"
PLACE = '"mlops-ci row"'  # the column with a row's place in its file

IN_WORDS = {
    "state machine": "its lines end in different ways (\\n and \\r\\n), or a quote is not closed",
    "Parallel CSV Reader": "a line is far too long",
    "No magic bytes": "it does not end as a Parquet file does",
    "TProtocolException": "its footer is broken",
}
T = TypeVar("T")


def connect(path: Path | None = None, scratch: Scratch | None = None) -> Any:
    """A database in memory that reads this one file, writes none but below `scratch`, and fetches
    no extension.
    """
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "memory_limit": MEMORY_LIMIT,
        "threads": "2",
        "temp_directory": scratch.name if scratch is not None else "",
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
    """DuckDB's errors as ours: a truncated or broken file is bad input, not a bug, and a signal
    that came while it counted raises what it raises elsewhere."""
    import duckdb

    try:
        return work()
    except duckdb.OutOfMemoryException as error:
        raise ComparisonError(
            f"{path.name} does not fit into {MEMORY_LIMIT} of memory",
            where=str(path),
            fix="write fewer columns, or compare a sample of the rows",
        ) from error
    except RuntimeError as error:
        if str(error) != INTERRUPTED:
            raise
        raise (Terminated if Terminated.asked else KeyboardInterrupt) from error
    except (duckdb.Error, OSError) as error:
        raise ComparisonError(
            f"{path.name} cannot be read: {_short(str(error))}",
            where=str(path),
            fix="is it complete? Write it to another name first and rename it at the end",
        ) from error


def _short(message: str) -> str:
    """The first lines, without DuckDB's names of classes and options, and the path once more."""
    text = re.sub(r'( in)? file "[^"]*"', "", message.strip())
    known = _in_words(text)
    if known is not None:
        return known
    lines = [line.strip().rstrip(".") for line in text.splitlines()]
    lines = [re.sub(r"^[A-Z]\w+( \w+)? Error: ", "", line) for line in lines]
    noise = ("Possible", "Original", "LINE", "Try ", "*", "^")
    return "; ".join([line for line in lines if line and not line.startswith(noise)][:2])[:300]


def _in_words(text: str) -> str | None:
    """What DuckDB says in its own terms; of a CSV what is wrong with which line."""
    told = next((words for mark, words in IN_WORDS.items() if mark in text), None)
    if told is not None:
        return told
    line = re.search(r"CSV Error on Line: (\d+)", text)
    cells = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    if line is None or cells is None:
        return None
    return f"line {line[1]} has {cells[2]} cells, and there are {cells[1]} columns"


def view_rows(connection: Any, place: Path, rows: str, path: Path | None = None) -> dict[str, str]:
    """`path`: what errors speak of, where it is not the file that is read."""
    path = path or place
    text = f"CREATE OR REPLACE TEMP VIEW rows AS SELECT * FROM {rows}"
    guarded(path, lambda: connection.execute(text))
    described = guarded(path, lambda: connection.execute("DESCRIBE rows").fetchall())
    return {str(row[0]): str(row[1]) for row in described}


def number_rows(connection: Any, place: Path, path: Path, columns: Iterable[str]) -> None:
    """A view whose rows are found by their place, without reading those before them."""
    if "file_row_number" in columns:
        raise ComparisonError(
            f"{path.name} has a column 'file_row_number', a name that DuckDB keeps for itself",
            where=str(path),
            fix="rename the column",
        )
    name = literal(escape_glob(place))
    text = (
        f"CREATE OR REPLACE TEMP VIEW numbered AS SELECT *, file_row_number AS {PLACE} "
        f"FROM read_parquet({name}, hive_partitioning = false, file_row_number = true)"
    )
    guarded(path, lambda: connection.execute(text))
