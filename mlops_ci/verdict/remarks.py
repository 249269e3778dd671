"""What is said beside a metric and read again where it is judged, without what rows need."""

from __future__ import annotations

NO_QUERIES = "there is no column `group` that says which rows are one query"
# Of fewer rows that carry a change a reader is told.
FEW_CARRIERS = 4
CARRIED = "a few more like that would move it much"


def carried_by(rows: float) -> str:
    """Beside an interval, which is wide for that reason."""
    count = max(round(rows), 1)
    return f"{count} {'row carries' if count == 1 else 'rows carry'} most of this change: {CARRIED}"
