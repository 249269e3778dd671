"""Metrics files: numbers by nested name, without rows."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_ci.data.foreign import Detected, detect, detect_part
from mlops_ci.data.formats import open_text
from mlops_ci.errors import ComparisonError, ConfigError, UsageError
from mlops_ci.value import Value, field

MAX_BYTES = 16 * 1024 * 1024
MAX_YAML = 1024 * 1024  # a parser in Python: seconds for a megabyte
MAX_DEPTH = 64
MAX_VALUES = 100_000
SHOWN = 40


class Numbers(Value, frozen=True):
    """`values`: finite numbers by nested name. `refused`: name → why its value is no number, so
    that a gate on it can say so. `written_by`: (place, another tool's format, and
    by what it was told)."""

    values: dict[str, float] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    written_by: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: str, value: Any, file: Path) -> None:
        if name in self.values or name in self.refused:
            raise ComparisonError(
                f"{file.name}: the name {name!r} stands twice",
                where=str(file),
                fix='{"a": {"b": 1}} and {"a.b": 2} are the same name: keep one',
            )
        if len(self.values) + len(self.refused) >= MAX_VALUES:
            raise ComparisonError(
                f"{file.name} holds more than {MAX_VALUES:,} values",
                where=str(file),
                fix="name a file with the metrics alone; rows belong into `predictions:`",
            )
        why = why_not(value)
        if why is None:
            self.values[name] = float(value)
        else:
            self.refused[name] = why


def why_not(value: Any) -> str | None:
    """Why a value is not a metric; None when it is one."""
    if value is None:
        return "it is empty (null)"
    if isinstance(value, bool):
        return f"it is {str(value).lower()}, not a number"
    if isinstance(value, str):
        text = value if len(value) <= SHOWN else value[:SHOWN] + "…"
        return f"it is the text {text!r}, not a number"
    if not isinstance(value, (int, float)):
        return f"it is a {type(value).__name__}, not a number"
    try:
        finite = math.isfinite(float(value))
    except OverflowError:
        return "it is larger than a finite number"
    return None if finite else f"it is {float(value)}, not a finite number"


def read_numbers(path: Path) -> Numbers:
    """`{"test": {"auc": 0.9}}` → `test.auc` 0.9, of a JSON, YAML or TOML file, or of one that
    another tool wrote (`data/foreign`).

    Raises UsageError or ComparisonError for a file that is missing or broken as a whole.
    """
    found = Numbers()
    detected = detect(path)
    named = _numbers_of(detected, path) if detected is not None else None
    if detected is not None and named is not None:
        found.written_by.append((path.name, detected.words))
        for name, value in named:
            found.add(name, value, path)
        return _with_any(found, path)
    data = _parse(path, _read_text(path))
    if not isinstance(data, dict):
        raise ComparisonError(
            f"{path.name} holds no values by name",
            where=str(path),
            fix='write for example {"auc": 0.91}',
        )
    _flatten(data, (), found, path)
    return _with_any(found, path)


def _numbers_of(detected: Detected, path: Path) -> list[tuple[str, Any]] | None:
    try:
        return detected.numbers()
    except ComparisonError as error:
        raise ComparisonError(
            error.what if error.where else f"{path.name}: {error.what}",
            where=error.where or str(path),
            fix=error.fix,
        ) from error


def _with_any(found: Numbers, path: Path) -> Numbers:
    if not found.values and not found.refused:
        raise ComparisonError(
            f"{path.name} holds no number", where=str(path), fix='write for example {"auc": 0.91}'
        )
    return found


def _read_text(path: Path) -> str:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is not there"
        raise UsageError(f"the file {path} {what}", where=str(path.absolute()))
    limit = MAX_YAML if path.suffix.lower() in (".yaml", ".yml") else MAX_BYTES
    try:
        with open_text(path) as file:
            text = file.read(limit + 1)
    except (OSError, EOFError) as error:
        raise _broken(path, f"cannot be read: {error}") from error
    if len(text) > limit:
        raise ComparisonError(
            f"{path.name} is too large for a metrics file (over {limit:,} characters)",
            where=str(path),
            fix="name a file with the metrics alone; rows belong into `predictions:`",
        )
    if not text.strip():
        raise _broken(path, "is empty")
    return text


def _parse(path: Path, text: str) -> Any:
    """Raises ComparisonError for whatever a parser can find wrong with it."""
    ending = path.name.lower().removesuffix(".gz").rsplit(".", 1)[-1]
    try:
        if ending in ("yaml", "yml"):
            from mlops_ci.config.document import read_yaml

            return read_yaml(text, path.name).data
        if ending == "toml":
            import tomllib

            return tomllib.loads(text)
        return json.loads(text, object_pairs_hook=lambda pairs: _unique(pairs, path))
    except ConfigError as error:
        raise ComparisonError(error.what, where=error.where, fix=error.fix) from error
    except RecursionError as error:
        raise _broken(path, "is too deeply nested") from error
    except ValueError as error:  # also an integer of 5,000 digits, and the 99th of a month
        said = f"is not valid {ending.upper()}: {str(error).split('; use')[0]}"
        raise _broken(path, said) from error


def _broken(path: Path, said: str) -> ComparisonError:
    return ComparisonError(
        f"{path.name} {said}",
        where=str(path),
        fix="mend the step that writes it: the file has to hold a whole document, for example "
        '{"auc": 0.91}',
    )


def _unique(pairs: list[tuple[str, Any]], path: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ComparisonError(
                f"{path.name}: the key {key!r} stands twice", where=str(path), fix="keep one"
            )
        found[key] = value
    return found


def _flatten(value: Mapping[Any, Any], path: tuple[str, ...], found: Numbers, file: Path) -> None:
    if len(path) > MAX_DEPTH:
        raise _broken(file, "is too deeply nested")
    detected = detect_part(value)
    named = _numbers_of(detected, file) if detected is not None else None
    if detected is not None and named is not None:
        place = ", ".join(filter(None, (file.name, ".".join(path))))
        found.written_by.append((place, detected.words))
        for inside, one in named:
            found.add(".".join((*path, inside)), one, file)
        return
    for key, inner in value.items():
        name = (*path, str(key))
        if isinstance(inner, Mapping):
            _flatten(inner, name, found, file)
        else:
            found.add(".".join(name), inner, file)
