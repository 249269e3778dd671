"""Scores in about 2¹⁸ bins of as many rows each, in passes over the rows and without a sort.

First the rows in each of 2¹⁶ steps of the scores' bit patterns are counted: close to logarithmic,
so a crowd near 0 is not one bin. Each step is then cut into as many bins as its crowd deserves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlops_ci.verdict.aggregates.chunks import fold
from mlops_ci.verdict.aggregates.order import Ranking, bit_pattern
from mlops_ci.verdict.rows import Floats, Ints, Mask

STEP_BITS = 16
SHARES = 1 << 17
# A chunk brings a table of all bins along.
ROWS = 1 << 17


@dataclass(frozen=True)
class Layout:
    """`low`: the smallest bit pattern; a step is 2^`shift` of them. Of each step `first`, its first
    bin, and `fine`: a bin holds 2^fine patterns.
    """

    low: int
    shift: int
    first: Ints
    fine: NDArray[np.uint64]
    bins: int

    def bin_of(self, score: Floats) -> Ints:
        distance = bit_pattern(score).view(np.uint64)
        distance -= np.uint64(self.low % 2**64)
        steps = (distance >> np.uint64(self.shift)).view(np.int64)
        distance &= np.uint64((1 << self.shift) - 1)
        distance >>= self.fine.take(steps)
        found = self.first.take(steps)
        found += distance.view(np.int64)
        return found


def bin_rank(score: Floats, actual: Mask) -> Ranking:
    """The groups are the bins."""
    layout = lay_out(score)

    def count(part: slice) -> Ints:
        return np.bincount(2 * layout.bin_of(score[part]) + actual[part], minlength=2 * layout.bins)

    counts = fold(count, _added, len(score), ROWS)
    return Ranking(counts[1::2], counts[::2], lambda part: layout.bin_of(score[part]))


def lay_out(score: Floats) -> Layout:
    low, high = _extremes(score)
    shift = max(0, (high - low).bit_length() - STEP_BITS)
    coarse = Layout(low, shift, np.arange(1 << STEP_BITS), _full(shift), 1 << STEP_BITS)

    def count(part: slice) -> Ints:
        return np.bincount(coarse.bin_of(score[part]), minlength=coarse.bins)

    crowd = fold(count, _added, len(score), ROWS)
    # Halvings until a bin holds its share, as far as there are bits to tell rows apart.
    share = max(1, len(score) // SHARES)
    halvings = np.ceil(np.log2(np.maximum(crowd / share, 1))).astype(np.int32)
    halvings = np.minimum(halvings, shift)
    pieces = np.left_shift(1, halvings)
    first = np.cumsum(pieces) - pieces
    fine = (shift - halvings).astype(np.uint64)
    return Layout(low, shift, first.astype(np.int64), fine, int(pieces.sum()))


def _full(shift: int) -> NDArray[np.uint64]:
    return np.full(1 << STEP_BITS, shift, dtype=np.uint64)


def _added(one: Ints, other: Ints) -> Ints:
    one += other
    return one


def _extremes(score: Floats) -> tuple[int, int]:
    ends = bit_pattern(np.array([score.min(), score.max()]))
    return int(ends[0]), int(ends[1])
