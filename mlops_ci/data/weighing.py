"""How much each row counts, where a file says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlops_ci.data.keys import Rows
from mlops_ci.verdict.aggregates.exact import effective_rows

if TYPE_CHECKING:
    from mlops_ci.data.predictions import Predictions

Weights = NDArray[np.float64]


def choose_weight(base: Predictions, rows: tuple[Rows, Rows]) -> Weights | None:
    """Base's alone: with weights of its own, head could take the rows away that it loses on."""
    return None if base.weight is None else base.weight[rows[0]]


def weight_notes(base: Predictions, head: Predictions, rows: tuple[Rows, Rows]) -> Iterator[str]:
    weight = choose_weight(base, rows)
    differ = None
    if weight is not None and weight.any():
        many, worth = int(np.count_nonzero(weight)), effective_rows(weight)
        yield say_weights(_name(base), many, worth)
    if head.weight is not None:
        differ = 0 if weight is None else int(np.count_nonzero(weight != head.weight[rows[1]]))
    yield from say_whose(base=weight is not None, differ=differ)


def say_weights(name: str, rows: int, worth: float) -> str:
    return (
        f"Rows count by the column `{name}`: {rows:,} rows are worth {worth:,.0f} of equal weight."
    )


def say_whose(*, base: bool, differ: int | None) -> Iterator[str]:
    """`base`: whether it has weights. `differ`: rows with other weights in head; None: it has
    none."""
    if not base and differ is not None:
        yield (
            "Only head has weights: every row counts alike until base's predictions have them, too."
        )
    elif base and differ is None:
        yield "Only base has weights: both sides are measured with them."
    elif base and differ:
        yield f"{differ:,} rows have another weight in head than in base: base's count."


def notes_apart(base: Predictions, head: Predictions) -> Iterator[str]:
    """Of two samples, each with weights of its own."""
    if (base.weight is None) != (head.weight is None):
        weighed, plain = ("head", "base") if base.weight is None else ("base", "head")
        yield f"Only {weighed} has weights: every row of {plain} counts alike."


def _name(base: Predictions) -> str:
    columns = base.resolution.columns.get("weight")
    return columns[0] if columns else "weight"
