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
Ends = tuple[float, float]


def faults_of(outputs: Outputs, task: str, side: str) -> Iterator[tuple[str, str]]:
    """Use (`prediction`, `score`, `probability`) and why these answers do not serve it."""
    # One look at its ends is all that a sound column costs; NaN is among them if there is any.
    ends = (0.0, 0.0) if outputs.score is None else _ends(outputs.score)
    for what, array in (("prediction", outputs.prediction), ("score", outputs.score)):
        if array is None:
            yield what, f"{side} has no {what}{_why_none(what, ends, task)}"
            continue
        bad = _not_finite(array, ends if what == "score" else _ends(array))
        if bad:
            yield what, f"{bad} of {side}'s {what}s are not finite numbers"
    for name, values in outputs.values.items():
        bad = _not_finite(values, _ends(values))
        if bad:
            yield f"value {name}", f"{bad} of {side}'s values of {name} are not finite numbers"
    if outputs.score is not None:
        why = _not_probabilities(outputs.score, ends, task)
        if why is not None:
            yield "probability", f"{side}: {why}"


def _why_none(what: str, ends: Ends, task: str) -> str:
    """Scores are cut at 0.5 where they can be probabilities."""
    if what == "prediction" and task == "binary" and not 0 <= ends[0] <= ends[1] <= 1:
        return ", and its scores lie outside 0…1, so 0.5 does not cut them into classes"
    return ""


def _not_probabilities(score: Floats, ends: Ends, task: str) -> str | None:
    """Why these scores cannot be read as probabilities, or None."""
    outside = 0
    if not 0 <= ends[0] <= ends[1] <= 1:
        outside = _count(score, lambda part: (part < 0) | (part > 1))
    if outside:
        return f"{outside} scores lie outside 0…1"
    if task == "multiclass":
        off = _count(score, lambda part: np.abs(part.sum(axis=1) - 1) > SUM_TOLERANCE)
        if off:
            return f"in {off} rows the scores do not sum to 1"
    return None


def _not_finite(array: NDArray[Any], ends: Ends) -> int:
    if np.isfinite(ends).all():
        return 0
    return _count(array, lambda part: ~np.isfinite(part))


def _ends(array: NDArray[Any]) -> Ends:
    """The smallest and the largest value; NaN where there is one. 0, 0 of no rows and of codes."""
    if not array.size or array.dtype.kind != "f":
        return 0.0, 0.0
    return float(array.min()), float(array.max())


def _count(array: NDArray[Any], bad: Any) -> int:
    if not len(array):
        return 0
    counted: int = fold(lambda part: int(np.count_nonzero(bad(array[part]))), add, len(array))
    return counted
