"""Evidently's reports, saved as JSON: since 0.6 a list of named values, before it `result` tables.

https://docs.evidentlyai.com/docs/library/output_formats
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mlops_ci.data.foreign.declaration import Foreign, Named

BY_LABEL = "ByLabel"
HUMP = r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
COLUMN = r"[(,]column=([^,)]+)"
COUNTED = ("support",)
# Names whose last word would lie about the direction: a mean error may be too small, too, and a
# drift score is a p-value or a distance.
RENAMED = {"mean_error": "bias", "drift_score": "drift"}


def recognise(document: Any) -> str | None:
    entries = _entries(document)
    if not entries or not all(isinstance(entry, Mapping) for entry in entries):
        return None
    if all(_title(entry) and "value" in entry for entry in entries):
        return "`metrics`, each with its name and `value`"
    if "version" in document and all({"metric", "result"} <= set(entry) for entry in entries):
        return "`version`, and `metrics` with a `result` each"
    return None


def _entries(document: Any) -> list[Any]:
    metrics = document.get("metrics") if isinstance(document, Mapping) else None
    return metrics if isinstance(metrics, list) else []


def _title(entry: Mapping[str, Any]) -> str:
    """`Accuracy(classification_name=default)`, under its name of 0.7 or 0.6."""
    title = entry.get("metric_name", entry.get("metric_id"))
    return title if isinstance(title, str) else ""


def numbers(document: Mapping[str, Any]) -> Iterator[Named]:
    """`accuracy`, `cat.f1` of a class, `age.value_drift` of a column. A name that more than one
    entry has is told apart by all of the entry's settings."""
    found = [
        (entry, list(_values(entry) if "value" in entry else _results(entry)))
        for entry in _entries(document)
    ]
    names = [name for _, values in found for name, _ in values]
    double = {name for name in names if names.count(name) > 1}
    for entry, values in found:
        title = _title(entry) or snake(str(entry.get("metric")))
        for name, value in values:
            yield (f"{title}.{name}" if name in double else name), value


def _values(entry: Mapping[str, Any]) -> Iterator[Named]:
    kind, value = _title(entry).split("(", 1)[0], entry["value"]
    name, column = snake(kind.removesuffix(BY_LABEL)), _column(entry)
    name = RENAMED.get(name, name)
    if not isinstance(value, Mapping):
        yield f"{column}{name}", value
    elif kind.endswith(BY_LABEL):
        yield from ((f"{label}.{column}{name}", one) for label, one in value.items())
    else:
        for key, one in value.items():
            yield (f"{column}{name}" if key == "mean" else f"{column}{name}.{key}"), one


def _column(entry: Mapping[str, Any]) -> str:
    settings = entry.get("config")
    named = settings.get("column") if isinstance(settings, Mapping) else None
    if named is None:
        match = re.search(COLUMN, _title(entry))
        named = match.group(1) if match else None
    return f"{named}." if named else ""


def _results(entry: Mapping[str, Any]) -> Iterator[Named]:
    """The numbers of `current`, which is head's data, and those beside it; not `reference`."""
    result = entry["result"] if isinstance(entry["result"], Mapping) else {}
    column = f"{result['column_name']}." if result.get("column_name") else ""
    for key, value in result.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            yield f"{column}{RENAMED.get(key, key)}", value
    current = result.get("current")
    for path, value in _leaves(current if isinstance(current, Mapping) else {}, ()):
        yield column + ".".join(path), value


def _leaves(
    value: Mapping[str, Any], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, inner in value.items():
        place = path if key == "metrics" else (*path, str(key))
        if isinstance(inner, Mapping):
            yield from _leaves(inner, place)
        elif key not in COUNTED and not isinstance(inner, (list, str, bool)):
            yield place, inner


def snake(name: str) -> str:
    return re.sub(HUMP, "_", name).lower()


EVIDENTLY = Foreign(
    "report of Evidently", "document", recognise, r'"metrics"\s*:\s*\[', numbers=numbers
)
