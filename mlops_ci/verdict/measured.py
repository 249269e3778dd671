"""What came of measuring one metric."""

from __future__ import annotations

from dataclasses import dataclass

from mlops_ci.verdict.intervals import Interval

# Of fewer rows that carry a change a reader is told.
FEW_CARRIERS = 4
CARRIED = "a few more like that would move it much"


def carried_by(rows: float) -> str:
    """Beside an interval, which is wide for that reason."""
    count = max(round(rows), 1)
    return f"{count} {'row carries' if count == 1 else 'rows carry'} most of this change: {CARRIED}"


@dataclass(frozen=True)
class Measured:
    """Per side (base, head, or head alone): value and own interval; the change's interval.

    None: it has none, and `note` says why, or that few rows carry the change. `average` names how
    classes were averaged.
    """

    values: tuple[float | None, ...]
    own: tuple[Interval | None, ...] = (None, None)
    change: Interval | None = None
    note: str | None = None
    average: str | None = None
