"""Scores in about 2¹⁸ bins of as many rows each, in passes over the rows and without a sort.

First the rows in each of 2¹⁶ steps of the scores' bit patterns are counted: close to logarithmic,
so a crowd near 0 is not one bin. Each step is then cut into as many bins as its crowd deserves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from mlops_ci.verdict.aggregates.chunks import fold
from mlops_ci.verdict.aggregates.order import Ranking, bit_pattern, score_of
from mlops_ci.verdict.rows import Floats, Ints, Mask

STEP_BITS = 16
SHARES = 1 << 17
# What bins of equal crowds hide of the AUC at most; more of it are ties, or a crowd past resolving.
BLUR = 4 / SHARES
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

    @property
    def ends(self) -> tuple[Floats, Floats]:
        """The smallest and the largest score that each bin [bins] may hold."""
        pieces = np.diff(self.first, append=self.bins)
        steps = np.repeat(np.arange(len(self.first), dtype=np.uint64), pieces)
        fine = np.repeat(self.fine, pieces)
        piece = (np.arange(self.bins) - np.repeat(self.first, pieces)).astype(np.uint64)
        low = (steps << np.uint64(self.shift)) + (piece << fine) + np.uint64(self.low % 2**64)
        return score_of(low), score_of(low + (np.uint64(1) << fine) - np.uint64(1))


def bin_rank(score: Floats, actual: Mask) -> Ranking:
    """The groups are the bins."""
    layout = lay_out(score)

    def count(part: slice) -> Ints:
        return np.bincount(2 * layout.bin_of(score[part]) + actual[part], minlength=2 * layout.bins)

    counts = fold(count, _added, len(score), ROWS)
    everywhere = np.ones(layout.bins, dtype=np.bool_)
    found = Ranking(counts[1::2], counts[::2], lambda part: layout.bin_of(score[part]), everywhere)
    return found if found.blur <= BLUR else replace(found, mixed=_mixed(layout, score))


def _mixed(layout: Layout, score: Floats) -> Mask:
    """The bins with more than one score: ties are no reason to doubt."""
    example = np.zeros(layout.bins)

    def note(part: slice) -> None:
        example[layout.bin_of(score[part])] = score[part]

    def compare(part: slice) -> Mask:
        where = layout.bin_of(score[part])
        found = np.zeros(layout.bins, dtype=np.bool_)
        found[where[score[part] != example.take(where)]] = True
        return found

    fold(note, lambda *_: None, len(score), ROWS)
    return fold(compare, np.logical_or, len(score), ROWS)


def lay_out(*scores: Floats) -> Layout:
    """For all of them together. None may be empty."""
    low, high = _extremes(scores)
    shift = max(0, (high - low).bit_length() - STEP_BITS)
    coarse = Layout(low, shift, np.arange(1 << STEP_BITS), _full(shift), 1 << STEP_BITS)

    def count(score: Floats) -> Ints:
        def counted(part: slice) -> Ints:
            return np.bincount(coarse.bin_of(score[part]), minlength=coarse.bins)

        return fold(counted, _added, len(score), ROWS)

    crowd = reduce(_added, map(count, scores))
    # Halvings until a bin holds its share, as far as there are bits to tell rows apart.
    share = max(1, sum(map(len, scores)) // SHARES)
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


def _extremes(scores: tuple[Floats, ...]) -> tuple[int, int]:
    low, high = min(one.min() for one in scores), max(one.max() for one in scores)
    ends = bit_pattern(np.array([low, high]))
    return int(ends[0]), int(ends[1])
