"""Numbers without rows: a difference, and no interval."""

from __future__ import annotations

import math
from collections.abc import Mapping

from mlops_ci.records.results import MetricResult
from mlops_ci.verdict.names import higher_is_better


def compare_numbers(
    base: Mapping[str, float] | None, head: Mapping[str, float]
) -> tuple[MetricResult, ...]:
    """Numbers without rows, under the names that the files give them. `base` None: a first run."""
    names = dict.fromkeys([*(base or {}), *head])
    return tuple(_number(name, base, head) for name in names)


def _number(name: str, base: Mapping[str, float] | None, head: Mapping[str, float]) -> MetricResult:
    values: list[float | None] = []
    notes: list[str] = []
    for side, numbers in (("base", base), ("head", head)):
        value = None if numbers is None else numbers.get(name)
        if value is None and numbers is not None:
            notes.append(f"{side} does not have it")
        elif value is not None and not math.isfinite(value):
            notes.append(f"{side}: {value} is not a finite number")
            value = None
        values.append(value)
    before, after = values
    return MetricResult(
        metric=name,
        base=before,
        head=after,
        difference=None if before is None or after is None else after - before,
        method="a number without rows",
        evidence="point",
        higher_is_better=higher_is_better(name),
        note="; ".join(notes) or None,
    )
