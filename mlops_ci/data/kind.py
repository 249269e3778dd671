"""Rows, or numbers by name."""

from __future__ import annotations

from pathlib import Path

from mlops_ci.data.foreign import detect
from mlops_ci.data.formats import format_of


def is_table(path: Path) -> bool:
    """Whether it holds rows, not numbers by name. Raises as `format_of` and `detect` do."""
    found = detect(path)
    return found.format.rows is not None if found is not None else format_of(path) != "numbers"
