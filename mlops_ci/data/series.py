"""Columns of a small file that somebody wants to see drawn: CSV, TSV, JSON, YAML."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from itertools import islice
from pathlib import PurePosixPath
from typing import Any

MOST_ROWS = 100_000
MOST_DEPTH = 8


def read_columns(content: bytes, path: str) -> dict[str, list[Any]]:
    """By name, each as long as the others; None where a row has no value. Of JSON and YAML the
    first list of tables counts. Raises ValueError for what is no table."""
    suffix = PurePosixPath(path).suffix.lower()
    text = content.decode("utf-8-sig")
    if suffix in {".csv", ".tsv"}:
        rows = _rows(text, "\t" if suffix == ".tsv" else ",")
    else:
        rows = _table(_document(text, suffix), 0)[:MOST_ROWS]
    if not rows:
        raise ValueError("there is no table in it")
    names = dict.fromkeys(str(name) for row in rows for name in row if name is not None)
    return {name: [row.get(name) for row in rows] for name in names}


def _rows(text: str, delimiter: str) -> list[Mapping[Any, Any]]:
    try:
        return list(islice(csv.DictReader(io.StringIO(text), delimiter=delimiter), MOST_ROWS))
    except csv.Error as error:
        raise ValueError(str(error)) from error


def _document(text: str, suffix: str) -> Any:
    if suffix == ".json":
        try:
            return json.loads(text)
        except RecursionError as error:
            raise ValueError("it is nested too deep") from error
    from mlops_ci.config.document import read_yaml
    from mlops_ci.errors import ConfigError

    try:
        return read_yaml(text, "plot").data
    except ConfigError as error:
        raise ValueError(error.what) from error


def _table(found: Any, depth: int) -> list[Mapping[Any, Any]]:
    if isinstance(found, list) and found and all(isinstance(row, Mapping) for row in found):
        return found
    if isinstance(found, Mapping) and depth < MOST_DEPTH:
        tables = (_table(inner, depth + 1) for inner in found.values())
        return next((table for table in tables if table), [])
    return []
