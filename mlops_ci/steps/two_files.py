"""Two files outside of any project, compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_ci.config.model import Gate, Policy
from mlops_ci.data import ColumnsRequest, SideFile, read_sides
from mlops_ci.errors import ComparisonError
from mlops_ci.records.comparison import Side
from mlops_ci.steps.compare import compare_sides
from mlops_ci.steps.sides import Known, Outcome, Sides
from mlops_ci.value import Value

if TYPE_CHECKING:
    from mlops_ci.data import Streamed

SHORT = 8  # letters of a run's id
FEW_BYTES = 1 << 20  # a file that has many rows is larger


class Files(Value, frozen=True):
    """Two files outside of any project."""

    base: Path
    head: Path
    columns: ColumnsRequest
    gates: Sequence[Gate]
    policy: Policy


def compare_files(files: Files) -> Outcome:
    """Predictions or metrics files, by their content.

    Raises UsageError for what the caller must say, ComparisonError for what cannot be compared.
    """
    streamed = _counted(files)
    if streamed is not None:
        return compare_sides(_sides_of(files, streamed))
    read = read_sides((files.base, files.head), files.columns)
    known = [_known(path, side) for path, side in zip((files.base, files.head), read, strict=True)]
    by_rows = [side.predictions is not None for side in known]
    if by_rows[0] != by_rows[1] and not all(side.numbers for side in known):
        raise ComparisonError(
            "one file holds predictions and the other metrics",
            where=f"{files.base} and {files.head}",
            fix="give two predictions files (for intervals), or two metrics files",
        )
    model = files.head.name.split(".", 1)[0]
    notes = tuple(dict.fromkeys(note for side in read for note in side.notes))
    sides = Sides(model, known[0], known[1], files.gates, files.policy, notes=notes)
    outcome = compare_sides(sides)
    if outcome.comparison.rows.paired_by == "none" and outcome.base and outcome.head:
        from mlops_ci.data.strangers import refuse_strangers

        refuse_strangers(outcome.base, outcome.head)
    return outcome


def _counted(files: Files) -> Streamed | None:
    paths = (files.base, files.head)
    if not all(path.is_file() and path.stat().st_size > FEW_BYTES for path in paths):
        return None
    from mlops_ci.data import stream_pair

    asked = [*(gate.metric for gate in files.gates), files.policy.primary or ""]
    return stream_pair(files.base, files.head, files.columns, asked)


def _sides_of(files: Files, streamed: Streamed) -> Sides:
    base, head = (
        Side(name=path.name, predictions_digest=digest)
        for path, digest in zip((files.base, files.head), streamed.digests, strict=True)
    )
    model = files.head.name.split(".", 1)[0]
    return Sides(model, Known(base), Known(head, counted=streamed), files.gates, files.policy)


def _known(path: Path, side: SideFile) -> Known:
    digest = side.predictions.digest if side.predictions is not None else None
    described = Side(
        name=path.name[:SHORT] if path.is_dir() else path.name,
        predictions_digest=digest,
        source="; ".join(f"a {words}" for _, words in side.numbers.written_by) or None,
    )
    return Known(described, side.predictions, side.numbers.values, side.numbers.refused)
