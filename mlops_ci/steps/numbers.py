"""Numbers without rows, of two sides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from mlops_ci.records import MetricResult
from mlops_ci.verdict import compare_numbers

if TYPE_CHECKING:
    from mlops_ci.steps.sides import Known

FINITE = "a finite number"


def compare_known(
    base: Known | None, head: Known, asked: frozenset[str]
) -> tuple[MetricResult, ...]:
    """Numbers without rows. What is no number is shown where the other side has one, where a gate
    speaks of it, or where it was meant as one (NaN); never the name of a model or a date."""
    sides = [("base", base), ("head", head)] if base is not None else [("head", head)]
    names = {name for _, side in sides for name in side.numbers}
    shown = [
        {
            name: math.nan
            for name, why in side.refused.items()
            if name in names
            or name in asked
            or name.rpartition(".")[2] in asked
            or why.endswith(FINITE)
        }
        for _, side in sides
    ]
    values = [{**side.numbers, **nans} for (_, side), nans in zip(sides, shown, strict=True)]
    results = compare_numbers(values[0] if base is not None else None, values[-1])
    return tuple(_explained(result, sides) for result in results)


def _explained(result: MetricResult, sides: Sequence[tuple[str, Known]]) -> MetricResult:
    said = [
        f"{name}: {side.refused[result.metric]}"
        if result.metric in side.refused
        else f"{name} does not have it"
        for name, side in sides
        if result.metric not in side.numbers
    ]
    return msgspec.structs.replace(result, note="; ".join(said)) if said else result
