"""One side of a comparison, from whatever path it was given as."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_ci.data.foreign.mlflow_run import table_of
from mlops_ci.data.kind import is_table
from mlops_ci.data.numbers import Numbers, read_numbers
from mlops_ci.data.request import ColumnsRequest
from mlops_ci.value import Value, field

if TYPE_CHECKING:
    from mlops_ci.data.predictions import Predictions

TEXTS = (".json", ".yaml", ".yml", ".toml")


class SideFile(Value, frozen=True):
    """Rows, numbers without rows, or both (an MLflow run that was evaluated)."""

    predictions: Predictions | None = None
    numbers: Numbers = field(default_factory=Numbers)
    notes: tuple[str, ...] = ()


def read_side(path: Path, request: ColumnsRequest) -> SideFile:
    """Raises UsageError where the reader must choose, ComparisonError where the file is broken."""
    if is_table(path):
        return SideFile(_read_rows(path, request))
    numbers = read_numbers(path)
    table = table_of(path) if path.is_dir() else None
    if table is None:
        return SideFile(None, numbers)
    if not _has_answers(table, request):
        note = f"{table.name} has no columns of labels and predictions: its rows are not compared."
        return SideFile(None, numbers, (note,))
    return SideFile(_read_rows(table, request), numbers)


def _read_rows(path: Path, request: ColumnsRequest) -> Predictions:
    """Numbers alone do not wait for what reads rows."""
    from mlops_ci.data.predictions import read_predictions

    return read_predictions(path, request)


def read_sides(paths: Sequence[Path], request: ColumnsRequest) -> tuple[SideFile, ...]:
    """All of them at the same time; the first one's error goes first. Raises as `read_side`."""
    if all(path.suffix.lower() in TEXTS for path in paths):  # no thread is worth it
        return tuple(read_side(path, request) for path in paths)
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(len(paths)) as threads:
        return tuple(threads.map(lambda path: read_side(path, request), paths))


def _has_answers(path: Path, request: ColumnsRequest) -> bool:
    """Whether the table is about labels and predictions at all; many tables of MLflow are not."""
    from mlops_ci.data.columns import LABELS, PREDICTIONS, SCORE_PREFIX, SCORES
    from mlops_ci.data.opening import open_table

    table = open_table(path)
    table.close()
    label = request.label is not None or not set(LABELS).isdisjoint(table.types)
    named = (request.prediction or request.score) is not None
    answers = any(
        name in (*PREDICTIONS, *SCORES) or name.startswith(SCORE_PREFIX) for name in table.types
    )
    return label and (named or answers)
