"""`compare` of one file of aggregates: base and head, counted elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlops_ci.config import Gate, Policy
from mlops_ci.data.aggregate import ENDING, read_aggregate
from mlops_ci.data.streaming import COUNTED, Streamed
from mlops_ci.records.comparison import Side
from mlops_ci.steps.compare import compare_sides
from mlops_ci.steps.sides import Known, Outcome, Sides


def compare_aggregate(path: Path, gates: Sequence[Gate], policy: Policy) -> Outcome:
    """Raises ComparisonError for a file that cannot be read."""
    aggregate, found = read_aggregate(path)
    counts = aggregate.counts
    notes = [COUNTED]
    if aggregate.unscored:
        notes.append(
            f"{aggregate.unscored:,} of base's {counts.base:,} rows were not scored by head."
        )
    if aggregate.added:
        notes.append(f"{aggregate.added:,} rows of head are new: they are not compared.")
    counted = Streamed(
        found,
        counts,
        aggregate.resolution,
        ("", ""),
        aggregate.rows_digest,
        tuple(notes),
        aggregate.unscored,
        aggregate.added,
    )
    model = path.name.removesuffix(ENDING)
    source = f"counted by {aggregate.source}" if aggregate.source else None
    base, head = (Side(name=name, source=source) for name in ("base", "head"))
    return compare_sides(Sides(model, Known(base), Known(head, counted=counted), gates, policy))
