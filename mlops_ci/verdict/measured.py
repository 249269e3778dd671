"""What came of measuring one metric."""

from __future__ import annotations

from dataclasses import dataclass

from mlops_ci.verdict.intervals import Interval


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
