"""Which kind of file it is, and how DuckDB reads it: nothing about its form is guessed."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Literal

from mlops_ci.data.magic import refuse_disguised
from mlops_ci.errors import ComparisonError, UsageError

Format = Literal["parquet", "csv", "lines", "array", "numbers"]
ENDINGS: dict[str, Format] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".tsv": "csv",
    ".tsv.gz": "csv",
    ".jsonl": "lines",
    ".jsonl.gz": "lines",
    ".ndjson": "lines",
    ".ndjson.gz": "lines",
    ".yaml": "numbers",
    ".yml": "numbers",
    ".toml": "numbers",
}
DELIMITERS = (",", ";", "\t", "|")
MAX_LINE = 4 * 1024 * 1024
MAX_COLUMNS = 20_000


def format_of(path: Path) -> Format:
    """By the name's ending; a `.json` file by its content: rows of objects, or one object.

    Raises UsageError for a file that is missing or of a kind that is not known, ComparisonError for
    one that is empty.
    """
    _require_content(path)
    name = path.name.lower()
    if name.endswith((".json", ".json.gz")):
        refuse_disguised(path, text=True)
        return _format_of_json(path)
    for ending in sorted(ENDINGS, key=len, reverse=True):
        if name.endswith(ending):
            refuse_disguised(path, text=ENDINGS[ending] != "parquet")
            return ENDINGS[ending]
    raise UsageError(
        f"{path.name}: this kind of file is not known",
        where=str(path),
        fix="name predictions .parquet, .csv, .csv.gz or .jsonl; metrics .json, .yaml or .toml",
    )


def _require_content(path: Path) -> None:
    if path.is_dir():
        raise UsageError(
            f"{path} is a folder", where=str(path), fix="name the predictions or metrics file in it"
        )
    if path.exists() and not path.is_file():
        raise UsageError(
            f"{path} is a pipe", where=str(path), fix="write it to a file first: it is read twice"
        )
    if not path.is_file():
        raise UsageError(f"there is no file {path}", where=str(path.absolute()))
    if path.stat().st_size == 0:
        raise _empty(path)


def _empty(path: Path) -> ComparisonError:
    return ComparisonError(
        f"{path.name} is empty", where=str(path), fix="look why the step before wrote nothing"
    )


def _format_of_json(path: Path) -> Format:
    """`[` opens rows; a line that is an object of its own, with another one below, is a row."""
    with open_text(path) as file:
        lines = (line.strip() for line in iter(lambda: _read_line(file, path), ""))
        first = next((line for line in lines if line), "")
        second = next((line for line in lines if line), "")
    if first.startswith("["):
        if "".join((first + second).split()) == "[]":
            raise _empty(path)
        return "array"
    both = all(line.startswith("{") and line.endswith("}") for line in (first, second))
    return "lines" if both else "numbers"


def open_text(path: Path) -> IO[str]:
    """Also of a compressed file. A byte that is not UTF-8 becomes a question mark."""
    if path.name.lower().endswith(".gz"):
        import gzip

        return gzip.open(path, "rt", encoding="utf-8-sig", errors="replace", newline="")
    return path.open(encoding="utf-8-sig", errors="replace", newline="")


def _read_line(file: IO[str], path: Path) -> str:
    """Raises ComparisonError for what is no text with lines of a sensible length."""
    try:
        line = file.readline(MAX_LINE)
    except (OSError, EOFError, zlib.error) as error:
        raise ComparisonError(
            f"{path.name} cannot be read: {error}", where=str(path), fix="is the file complete?"
        ) from error
    if len(line) >= MAX_LINE and not line.endswith("\n"):
        raise ComparisonError(
            f"{path.name}: its first line never ends, after {MAX_LINE:,} characters",
            where=str(path),
            fix="look whether it is a text file, and whether the step before wrote it to its end",
        )
    return line


def source(path: Path, kind: Format, types: Mapping[str, str] | None = None) -> str:
    """DuckDB's table function for the file, with nothing left to be detected but JSON's types
    (`types` names them, too)."""
    name = literal(escape_glob(path))
    if kind == "parquet":
        return f"read_parquet({name}, hive_partitioning = false)"
    if kind == "csv":
        return _csv_source(path, name)
    shape = "newline_delimited" if kind == "lines" else "array"
    columns = ", ".join(
        f"{literal(column)}: {literal(name)}" for column, name in (types or {}).items()
    )
    how = f"columns = {{{columns}}}" if columns else "sample_size = -1"
    return (
        f"read_json({name}, format = '{shape}', records = true, {how}, "
        f"hive_partitioning = false, maximum_object_size = {MAX_LINE})"
    )


def _csv_source(path: Path, name: str) -> str:
    """Every cell is text first: what a column holds is decided by all of its cells, and only for
    columns that are used."""
    delimiter, names = read_header(path)
    columns = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in names)
    return (
        f"read_csv({name}, auto_detect = false, header = true, skip = 0, delim = "
        f"{literal(delimiter)}, quote = '\"', escape = '\"', columns = {{{columns}}}, "
        f"strict_mode = true, null_padding = false, max_line_size = {MAX_LINE}, "
        "hive_partitioning = false)"
    )


def read_header(path: Path) -> tuple[str, list[str]]:
    """The delimiter and the names of the columns. Raises ComparisonError for a name given twice."""
    with open_text(path) as file:
        line = _read_line(file, path).rstrip("\r\n")
    plain = re.sub(r'"[^"]*"', "", line)
    delimiter = max(DELIMITERS, key=plain.count)
    import csv

    names = next(csv.reader([line], delimiter=delimiter), [])
    if not any(name.strip() for name in names):
        raise ComparisonError(
            f"{path.name}: the first line names no columns", where=f"{path}, line 1"
        )
    # pandas leaves the index without a name; so do others, and such a column is never used
    names = [name or f"(column {place})" for place, name in enumerate(names, 1)]
    lower = [name.lower() for name in names]
    twice = next((name for name in names if lower.count(name.lower()) > 1), None)
    if len(names) > MAX_COLUMNS or twice is not None:
        what = f"the column {twice!r} stands twice" if twice else "too many columns"
        raise ComparisonError(f"{path.name}: {what}", where=f"{path}, line 1", fix="keep one")
    return delimiter, names


def escape_glob(path: Path) -> str:
    """DuckDB would read `run[1]/*.csv` as a pattern."""
    return re.sub(r"([*?\[])", r"[\1]", str(path.absolute()))


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
