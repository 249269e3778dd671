"""How far the outcomes in each bin of the score lie from what the scores said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlops_ci.verdict.aggregates.chunks import fold
from mlops_ci.verdict.rows import Floats, Ints, Outputs, View

BINS = 10
# Whole units of this, summed over the rows of a chunk, stay below 2⁵³: floats without rounding.
ROWS = 1 << 16
UNIT = float(2**36)


@dataclass(frozen=True)
class Gaps:
    """Sums over n rows of gap = outcome − score, a row's being 0 outside its bin, in whole units of
    `UNIT` (Python integers): `total` [sides · BINS], `product` [sides · BINS, sides · BINS]. They
    merge.
    """

    n: int
    total: Ints
    product: Ints

    def merged(self, other: Gaps) -> Gaps:
        return Gaps(self.n + other.n, self.total + other.total, self.product + other.product)

    @property
    def mean(self) -> Floats:
        return np.asarray(self.total / (self.n * int(UNIT)), dtype=np.float64)

    @property
    def covariance(self) -> Floats:
        """Of the mean."""
        centred = self.n * self.product * int(UNIT) - np.multiply.outer(self.total, self.total)
        scale = self.n**2 * (self.n - 1) * int(UNIT) ** 2
        return np.asarray(centred / scale, dtype=np.float64)


def count_gaps(view: View) -> Gaps:
    """Binary: the positive class's score; many classes: the score of the likeliest one."""
    return fold(lambda part: _count(view.part(part)), Gaps.merged, view.n, ROWS)


def _count(view: View) -> Gaps:
    sides = [gap_of(view, side) for side in view.sides]
    size = BINS * len(sides)
    total = np.zeros(size, dtype=object)
    product = np.zeros((size, size), dtype=object)
    for i, (inside, gap) in enumerate(sides):
        rows = slice(i * BINS, (i + 1) * BINS)
        total[rows] = _sum_by(inside, gap, BINS)
        product[rows, rows] = np.diag(_sum_by(inside, gap * gap, BINS))
    if len(sides) > 1:
        (base, before), (head, after) = sides
        cross = _sum_by(base * BINS + head, before * after, BINS * BINS).reshape(BINS, BINS)
        product[:BINS, BINS:], product[BINS:, :BINS] = cross, cross.T
    return Gaps(view.n, total, product)


def gap_of(view: View, side: Outputs) -> tuple[Ints, Floats]:
    """Each row's bin and gap."""
    if side.score is None:
        raise ValueError("no score")
    if view.task == "multiclass":
        confidence = side.score.max(axis=1)
        outcome = side.score.argmax(axis=1) == view.label
    else:
        confidence, outcome = side.score, view.actual
    inside = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    return inside, outcome - confidence


def _sum_by(where: Ints, values: Floats, size: int) -> Ints:
    sums = np.bincount(where, weights=np.rint(values * UNIT), minlength=size)
    return sums.astype(np.int64).astype(object)
