"""What is said beside a metric and read again where it is judged, without what rows need."""

from __future__ import annotations

NO_QUERIES = "there is no column `group` that says which rows are one query"
# Of fewer rows that carry a change a reader is told.
FEW_CARRIERS = 4
CARRIED = "a few more like that would move it much"


def counted(count: int, what: str) -> str:
    """`1 row`, `12 rows`."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def carried_by(rows: float) -> str:
    """Beside an interval, which is wide for that reason."""
    count = max(round(rows), 1)
    return f"{count} {'row carries' if count == 1 else 'rows carry'} most of this change: {CARRIED}"
