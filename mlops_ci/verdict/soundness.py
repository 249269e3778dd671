"""What is wrong with a side's answers, before anything is made of them."""

from __future__ import annotations

from collections.abc import Iterator
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.verdict.aggregates.chunks import fold
from mlops_ci.verdict.rows import Floats, Outputs

# What rounding may leave of a row of probabilities.
SUM_TOLERANCE = 1e-6


def faults_of(outputs: Outputs, task: str, side: str) -> Iterator[tuple[str, str]]:
    """Use (`prediction`, `score`, `probability`) and why these answers do not serve it."""
    for what, array in (("prediction", outputs.prediction), ("score", outputs.score)):
        if array is None:
            yield what, f"{side} has no {what}"
            continue
        bad = _not_finite(array) if array.dtype.kind == "f" else 0
        if bad:
            yield what, f"{bad} of {side}'s {what}s are not finite numbers"
    for name, values in outputs.values.items():
        bad = _not_finite(values)
        if bad:
            yield f"value {name}", f"{bad} of {side}'s values of {name} are not finite numbers"
    if outputs.score is not None:
        why = not_probabilities(outputs.score, task)
        if why is not None:
            yield "probability", f"{side}: {why}"


def not_probabilities(score: Floats, task: str) -> str | None:
    """Why these scores cannot be read as probabilities, or None."""
    low, high = _ends(score)
    outside = 0
    if not 0 <= low <= high <= 1:
        outside = _count(score, lambda part: (part < 0) | (part > 1))
    if outside:
        return f"{outside} scores lie outside 0…1"
    if task == "multiclass":
        off = _count(score, lambda part: np.abs(part.sum(axis=1) - 1) > SUM_TOLERANCE)
        if off:
            return f"in {off} rows the scores do not sum to 1"
    return None


def _not_finite(array: NDArray[Any]) -> int:
    # One look at the ends is all that a sound column costs; NaN is among them if there is any.
    if np.isfinite(_ends(array)).all():
        return 0
    return _count(array, lambda part: ~np.isfinite(part))


def _ends(array: NDArray[Any]) -> tuple[float, float]:
    """The smallest and the largest value; NaN where there is one. 0, 0 of no rows."""
    if not array.size:
        return 0.0, 0.0

    def ends(part: slice) -> tuple[float, float]:
        return float(array[part].min()), float(array[part].max())

    def merge(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
        # numpy's, because Python's min loses a NaN.
        return float(np.minimum(one[0], other[0])), float(np.maximum(one[1], other[1]))

    return fold(ends, merge, len(array))


def _count(array: NDArray[Any], bad: Any) -> int:
    counted: int = fold(lambda part: int(np.count_nonzero(bad(array[part]))), add, len(array))
    return counted
