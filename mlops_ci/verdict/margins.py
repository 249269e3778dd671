"""What the metrics of a confusion table need of it: each class's shares, and what a row adds.

Both are of the size of the classes, never of their pairs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mlops_ci.verdict.aggregates.cells import Cells
from mlops_ci.verdict.rows import Floats, Ints


@dataclass(frozen=True)
class Margins:
    """Of one side, by class [classes]: what share of the `n` rows is of it, is called it, and both.
    No metric of the table needs more of it.
    """

    n: float
    actual: Floats
    called: Floats
    hits: Floats


@dataclass(frozen=True)
class Gradient:
    """By class [classes]: a row of label y that is called a adds row[y] + column[a], and hit[y]
    where a is y.
    """

    row: Floats
    column: Floats
    hit: Floats

    def at(self, label: NDArray[np.integer], said: NDArray[np.integer]) -> Floats:
        found = self.row[label] + self.column[said]
        return np.asarray(found + np.where(label == said, self.hit[label], 0.0))

    def centred(self, margins: Margins) -> Gradient:
        """With mean 0 over the rows."""
        sums = self.row * margins.actual + self.column * margins.called + self.hit * margins.hits
        return replace(self, row=self.row - float(sums.sum()))

    def ends(self, labels: Ints) -> tuple[Floats, Floats]:
        """The least and the most that a row of each label could add."""
        low, high = (self._farthest(labels, sign) for sign in (-1.0, 1.0))
        return -low, high

    def _farthest(self, labels: Ints, sign: float) -> Floats:
        column = sign * self.column
        first = int(np.argmax(column))
        rest = np.delete(column, first)
        second = float(rest.max()) if len(rest) else -np.inf
        another = np.where(labels == first, second, column[first])
        right = column[labels] + sign * self.hit[labels]
        return np.asarray(sign * self.row[labels] + np.maximum(another, right))


def margins_of(cells: Cells, side: int) -> Margins:
    labels, said, n = cells.codes[:, 0], cells.codes[:, 1 + side], cells.n
    counts = cells.counts.astype(np.float64)
    return Margins(
        float(n),
        *(
            np.bincount(code, weights=weight, minlength=cells.classes) / n
            for code, weight in (
                (labels, counts), (said, counts), (labels, counts * (labels == said))
            )
        ),
    )  # fmt: skip
