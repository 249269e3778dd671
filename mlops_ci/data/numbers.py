"""Metrics files: numbers by nested name, without rows."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlops_ci.config.document import MAX_DEPTH, MAX_NODES, read_yaml
from mlops_ci.errors import ComparisonError, UsageError

ENDINGS = (".json", ".yaml", ".yml", ".toml")
MAX_BYTES = 16 * 1024 * 1024


def read_numbers(path: Path) -> dict[str, float]:
    """`{"test": {"auc": 0.9}}` → `{"test.auc": 0.9}`.

    Numbers only: text, booleans and lists are not metrics. NaN and infinity stay what they are, so
    that a gate on them can say so. Raises UsageError or ComparisonError for a broken file.
    """
    if not path.is_file():
        raise UsageError(f"there is no file {path}", where=str(path))
    if path.stat().st_size > MAX_BYTES:
        raise ComparisonError(f"{path.name} is too large for a metrics file", where=str(path))
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ComparisonError(f"{path.name} is not text", where=str(path)) from error
    if not text.strip():
        raise ComparisonError(f"{path.name} is empty", where=str(path))
    numbers = dict(_flatten(_parse(path, text), (), path))
    if not numbers:
        raise ComparisonError(
            f"{path.name} holds no number", where=str(path), fix='write for example {"auc": 0.91}'
        )
    return numbers


def _parse(path: Path, text: str) -> Any:
    if path.suffix in (".yaml", ".yml"):
        return read_yaml(text, path.name).data
    try:
        if path.suffix == ".toml":
            return tomllib.loads(text)
        return json.loads(text, object_pairs_hook=lambda pairs: _unique(pairs, path))
    except (json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise ComparisonError(
            f"{path.name} is not valid {path.suffix[1:].upper()}: {error}", where=str(path)
        ) from error
    except RecursionError as error:
        raise ComparisonError(f"{path.name} is too deeply nested", where=str(path)) from error


def _unique(pairs: list[tuple[str, Any]], path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ComparisonError(
                f"{path.name}: the key {key!r} stands twice", where=str(path), fix="keep one"
            )
        found[key] = value
    return found


def _flatten(value: Any, path: tuple[str, ...], file: Path) -> Iterator[tuple[str, float]]:
    if len(path) > MAX_DEPTH:
        raise ComparisonError(f"{file.name} is too deeply nested", where=str(file))
    if isinstance(value, dict):
        if len(value) > MAX_NODES:
            raise ComparisonError(f"{file.name} holds too many values", where=str(file))
        for key, inner in value.items():
            yield from _flatten(inner, (*path, str(key)), file)
    elif isinstance(value, (int, float)) and not isinstance(value, bool) and path:
        yield ".".join(path), _number(value)


def _number(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf
