"""The confusion cells of one or two models: all that metrics of classes need of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.verdict.aggregates.chunks import ROWS, fold
from mlops_ci.verdict.rows import Ints, View

# Up to here a dense count is cheaper than a sort.
DENSE = 1 << 20
FEW = 16


@dataclass(frozen=True)
class Cells:
    """How many rows have each (label, prediction of side 0[, of side 1]), in canonical order.

    `codes` [m, 1 + sides] sorted as tuples, `counts` [m]. Cells of disjoint rows merge.
    """

    classes: int
    codes: Ints
    counts: Ints

    def merged(self, other: Cells) -> Cells:
        return _grouped(
            self.classes,
            np.concatenate([self.codes, other.codes]),
            np.concatenate([self.counts, other.counts]),
        )

    def correct(self, side: int) -> Ints:
        return np.asarray(self.codes[:, 0] == self.codes[:, 1 + side], dtype=np.int64)

    @property
    def n(self) -> int:
        return int(self.counts.sum())

    def of_class(self, code: int) -> Cells:
        chosen = self.codes[:, 0] == code
        return Cells(self.classes, self.codes[chosen], self.counts[chosen])


def count_cells(view: View) -> Cells:
    """One pass over the rows. Every side must have predictions."""
    columns = [view.label, *(side.prediction for side in view.sides if side.prediction is not None)]
    k, size = len(view.classes), len(view.classes) ** len(columns)
    if size > DENSE:
        codes = np.column_stack(columns).astype(np.int64)
        return _grouped(k, codes, np.ones(view.n, dtype=np.int64))

    # Bytes are compared with few cells sooner than numbers are counted into a table.
    few = size <= FEW

    def count(part: slice) -> Ints:
        flat: NDArray[Any] = columns[0][part].astype(np.uint8 if few else np.int64)
        for column in columns[1:]:
            flat *= k
            flat += column[part].astype(flat.dtype)
        if few:
            return np.array([np.count_nonzero(flat == cell) for cell in range(size)])
        return np.bincount(flat, minlength=size)

    # A table of all cells for each chunk: larger chunks where there are many cells.
    counts = fold(count, np.add, view.n, max(ROWS, size))
    occupied = np.flatnonzero(counts)
    codes = np.column_stack(np.unravel_index(occupied, (k,) * len(columns)))
    return Cells(k, codes.astype(np.int64), counts[occupied])


def _grouped(classes: int, codes: Ints, counts: Ints) -> Cells:
    # Rows as one number each, which sorts as they do, and far sooner: 10,000³ is 2⁴⁰.
    shape = (classes,) * codes.shape[1]
    flat = np.ravel_multi_index(tuple(codes.T), shape)
    unique, where = np.unique(flat, return_inverse=True)
    summed = np.bincount(where.reshape(-1), weights=counts, minlength=len(unique))
    found = np.column_stack(np.unravel_index(unique, shape))
    return Cells(classes, found.astype(np.int64), summed.astype(np.int64))
