"""Which tool wrote a file: by its form, never by its name."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mlops_ci.data.foreign.classification_report import CLASSIFICATION_REPORT
from mlops_ci.data.foreign.declaration import Carrier, Foreign, Named, Row
from mlops_ci.data.foreign.dvc_plot import DVC_PLOT
from mlops_ci.data.foreign.evidently import EVIDENTLY
from mlops_ci.data.foreign.mlflow_run import MLFLOW_RUN
from mlops_ci.data.foreign.mlflow_table import MLFLOW_TABLE
from mlops_ci.data.foreign.neptune import NEPTUNE
from mlops_ci.data.foreign.tfma import TFMA_MESSAGES, TFMA_SLICES
from mlops_ci.data.formats import open_text
from mlops_ci.errors import ComparisonError, UsageError
from mlops_ci.value import Value

FORMATS: tuple[Foreign, ...] = (
    CLASSIFICATION_REPORT,
    DVC_PLOT,
    MLFLOW_TABLE,
    MLFLOW_RUN,
    TFMA_SLICES,
    TFMA_MESSAGES,
    EVIDENTLY,
    NEPTUNE,
)
HEAD = 64 * 1024
MAX_DOCUMENT = 64 * 1024 * 1024
DOCUMENTS = (".json", ".json.gz", ".jsonl", ".jsonl.gz")


class Detected(Value, frozen=True):
    """`given`: what the format's functions are given."""

    format: Foreign
    how: str
    given: Any

    @property
    def words(self) -> str:
        return f"{self.format.name}, told by {self.how}"

    def rows(self) -> Iterable[Row] | None:
        return self.format.rows(self.given) if self.format.rows is not None else None

    def numbers(self) -> list[Named] | None:
        """Raises ComparisonError where the inside is not as the format has it."""
        if self.format.numbers is None:
            return None
        try:
            return list(self.format.numbers(self.given))
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise ComparisonError(
                f"it looks like a {self.format.name}, but is not one inside: {error}",
                fix='write it again, or a metrics file such as {"auc": 0.91}',
            ) from error


def detect(path: Path) -> Detected | None:
    """None for a file that is ours to read as it is, or that is broken (its reader says how).

    Raises UsageError for one that could be of two kinds, ComparisonError for one too large to tell.
    """
    if path.is_dir():
        return _one_of(path, _told("folder", path, path))
    name = path.name.lower()
    if not path.is_file():
        return None
    if name.endswith((".parquet", ".pq")):
        return _of_columns(path)
    return _of_document(path) if name.endswith(DOCUMENTS) else None


def detect_part(part: Mapping[Any, Any]) -> Detected | None:
    found = _told("part", part, part)
    return found[0] if found else None


def _told(
    carrier: Carrier, seen: Any, given: Any, marked: Iterable[Foreign] = FORMATS
) -> list[Detected]:
    formats = [one for one in marked if one.carrier == carrier]
    told = [(one, one.recognise(seen)) for one in formats]
    return [Detected(one, how, given) for one, how in told if how is not None]


def _one_of(path: Path, found: list[Detected]) -> Detected | None:
    if len(found) > 1:
        raise UsageError(
            f"{path.name} could be a {' or a '.join(one.format.name for one in found)}",
            where=str(path),
            fix='write the numbers that count as a metrics file: {"auc": 0.91}',
        )
    return found[0] if found else None


def _marked(carrier: Carrier, text: str) -> list[Foreign]:
    return [one for one in FORMATS if one.carrier == carrier and re.search(one.marker, text)]


def _of_columns(path: Path) -> Detected | None:
    from mlops_ci.data.connection import connect, guarded
    from mlops_ci.data.formats import source

    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - HEAD))
        marked = _marked("columns", file.read().decode("latin-1"))
    if not marked:
        return None
    with connect(path) as connection:
        text = f"DESCRIBE SELECT * FROM {source(path, 'parquet')}"
        described = guarded(path, lambda: connection.execute(text).fetchall())
    return _one_of(path, _told("columns", [str(row[0]) for row in described], path, marked))


def _of_document(path: Path) -> Detected | None:
    try:
        with open_text(path) as file:
            head = file.read(HEAD)
            marked = _marked("document", head)
            if not marked:
                return None
            text = head + file.read(MAX_DOCUMENT + 1 - len(head))
    except (OSError, EOFError, zlib.error):
        return None
    if len(text) > MAX_DOCUMENT:
        _refuse_size(path, marked, head)
        return None
    try:
        document = _parsed(text)
    except (ValueError, RecursionError):
        return None
    return _one_of(path, _told("document", document, document, marked))


def _parsed(text: str) -> Any:
    """One JSON value, or a list of one on each line. Raises ValueError."""
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError:
        lines = [line for line in text.splitlines() if line.strip()]
        return [json.loads(line, object_pairs_hook=_unique) for line in lines]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name that stands twice is an error of the file, which its reader explains."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refuse_size(path: Path, marked: list[Foreign], head: str) -> None:
    """A list of rows is read as it comes; anything else of this size must be another file."""
    if head.lstrip().startswith("[") or "}\n" in head:
        return
    raise ComparisonError(
        f"{path.name} is too large for one JSON object (over {MAX_DOCUMENT:,} characters)",
        where=str(path),
        fix=f"is it a {marked[0].name}? Write its rows as Parquet",
    )
