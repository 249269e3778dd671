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
    if weight is None or base.weight is None:
        if head.weight is not None:
            yield (
                "Only head has weights: every row counts alike until base's predictions have "
                "them, too."
            )
        return
    if weight.any():
        many, worth = np.count_nonzero(weight), effective_rows(weight)
        yield (
            f"Rows count by the column `{_name(base)}`: {many:,} rows are worth {worth:,.0f} "
            "of equal weight."
        )
    if head.weight is None:
        yield "Only base has weights: both sides are measured with them."
    elif other := int(np.count_nonzero(base.weight[rows[0]] != head.weight[rows[1]])):
        yield f"{other:,} rows have another weight in head than in base: base's count."


def notes_apart(base: Predictions, head: Predictions) -> Iterator[str]:
    """Of two samples, each with weights of its own."""
    if (base.weight is None) != (head.weight is None):
        weighed, plain = ("head", "base") if base.weight is None else ("base", "head")
        yield f"Only {weighed} has weights: every row of {plain} counts alike."


def _name(base: Predictions) -> str:
    columns = base.resolution.columns.get("weight")
    return columns[0] if columns else "weight"
