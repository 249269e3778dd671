"""`compare` of one file of aggregates: base and head, counted elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlops_ci.config import Gate, Policy
from mlops_ci.data.aggregate import ENDING, Aggregate, from_bytes, read_aggregate
from mlops_ci.data.overlap import BY_GROUPS, notes_uncommon, say_too_few
from mlops_ci.data.streaming import COUNTED, Streamed
from mlops_ci.errors import ComparisonError
from mlops_ci.records.comparison import Side
from mlops_ci.steps.compare import compare_sides
from mlops_ci.steps.sides import Known, Outcome, Sides
from mlops_ci.verdict.aggregates.sufficient import Sufficient


def compare_aggregate(path: Path, gates: Sequence[Gate], policy: Policy) -> Outcome:
    """Raises ComparisonError for a file that cannot be read."""
    aggregate, found = read_aggregate(path)
    counts, apart = aggregate.counts, _samples_of(aggregate, path)
    notes = notes_uncommon(counts.base, aggregate.unscored, aggregate.added)
    if apart is not None:
        rows = counts.base or 0
        notes = (say_too_few(rows, rows - aggregate.unscored),)
    counted = Streamed(
        found,
        counts,
        aggregate.resolution,
        ("", ""),
        aggregate.rows_digest,
        (COUNTED, *_say_groups(found, apart), *notes),
        aggregate.unscored,
        aggregate.added,
        apart,
    )
    model = path.name.removesuffix(ENDING)
    source = f"counted by {aggregate.source}" if aggregate.source else None
    base, head = (Side(name=name, source=source) for name in ("base", "head"))
    return compare_sides(Sides(model, Known(base), Known(head, counted=counted), gates, policy))


def _say_groups(found: Sufficient, apart: tuple[Sufficient, Sufficient] | None) -> tuple[str, ...]:
    grouped = found if apart is None else apart[0]
    return () if grouped.grouped is None else (BY_GROUPS,)


def _samples_of(aggregate: Aggregate, path: Path) -> tuple[Sufficient, Sufficient] | None:
    """Base's rows and head's by themselves, where too few are common."""
    if aggregate.apart is None:
        return None
    base, head = map(from_bytes, aggregate.apart)
    counted = base.n, head.n
    alone = base.question == head.question and base.question.sides == 1
    if not alone or counted != (aggregate.counts.base, aggregate.counts.head):
        raise ComparisonError(
            f"the aggregates contradict themselves: two samples of {counted[0]:,} and "
            f"{counted[1]:,} rows",
            where=str(path),
            fix="write them anew, with the version of mlops-ci that reads them",
        )
    return base, head
