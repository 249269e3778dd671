"""Scores in about 2¹⁸ bins of as many rows each, in passes over the rows and without a sort.

First the rows in each of 2¹⁶ steps of the scores' bit patterns are counted: close to logarithmic,
so a crowd near 0 is not one bin. Each step is then cut into as many bins as its crowd deserves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, reduce

import numpy as np
from numpy.typing import NDArray

from mlops_ci.verdict.aggregates.chunks import fold
from mlops_ci.verdict.aggregates.order import Ranking, bit_pattern, rank, score_of
from mlops_ci.verdict.rows import Floats, Ints, Mask

STEP_BITS = 16
SHARES = 1 << 17
# Rows that a bin is worth: what it blurs of the AUC is then a fiftieth of the AUC's interval.
SHARE = 16
# A chunk brings a table of all bins, or of all steps, along.
ROWS, STEP_ROWS = 1 << 19, 1 << 17
# A jump's low bits hold `fine`, at most 63.
FINE_BITS = 6


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
        distance = self.distance(score)
        jumps = self._jumps.take((distance >> np.uint64(self.shift)).view(np.int64))
        distance >>= (jumps & ((1 << FINE_BITS) - 1)).view(np.uint64)
        jumps >>= FINE_BITS
        jumps += distance.view(np.int64)
        return jumps

    def distance(self, score: Floats) -> NDArray[np.uint64]:
        """From the smallest bit pattern."""
        # Without negative scores and zeros the bits are the pattern.
        bits = score.view(np.int64) if self.low > 0 else bit_pattern(score)
        return (bits - np.int64(self.low)).view(np.uint64)

    @cached_property
    def _jumps(self) -> Ints:
        """Of each step `fine`, and what to add to a distance in units of 2^fine to have its bin:
        one table to look up instead of two.
        """
        start = np.arange(len(self.first), dtype=np.uint64) << np.uint64(self.shift)
        start >>= self.fine
        jumps = (self.first - start.view(np.int64)) << FINE_BITS
        return np.asarray(jumps + self.fine.view(np.int64))

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
    """The groups are the bins, or equal scores where a crowd is past resolving: more of the AUC
    would be hidden than its interval can bear.
    """
    layout = lay_out(score)
    places = np.empty(len(score), dtype=np.int32)

    def place(part: slice) -> None:
        found = places[part]
        found[:] = layout.bin_of(score[part])
        found += found
        found += actual[part]

    def count(part: slice) -> Ints:
        return np.bincount(places[part], minlength=2 * layout.bins)

    fold(place, lambda *_: None, len(score))
    counts = fold(count, _added, len(score), ROWS).reshape(-1, 2)
    negatives, positives = np.ascontiguousarray(counts.T)
    everywhere = np.ones(layout.bins, dtype=np.bool_)
    found = Ranking(positives, negatives, lambda part: places[part] >> 1, everywhere, places)
    # Bins of equal crowds hide at most a quarter of it of the AUC.
    usual = 2 * share_of(len(score)) / len(score)
    if found.blur > usual:
        found = replace(found, mixed=_mixed(found, score))
    return found if found.blur <= usual else rank(score, actual)


def share_of(rows: int) -> int:
    """How many of the rows a bin is worth."""
    return max(SHARE, rows // SHARES)


def _mixed(found: Ranking, score: Floats) -> Mask:
    """The bins with more than one score: ties are no reason to doubt."""
    bins = len(found.positives)
    example = np.zeros(bins)

    def note(part: slice) -> None:
        example[found.group_of(part)] = score[part]

    def compare(part: slice) -> Mask:
        where = found.group_of(part)
        mixed = np.zeros(bins, dtype=np.bool_)
        mixed[where[score[part] != example.take(where)]] = True
        return mixed

    fold(note, lambda *_: None, len(score), ROWS)
    return fold(compare, np.logical_or, len(score), ROWS)


def lay_out(*scores: Floats, there: Callable[[Floats], Floats] | None = None) -> Layout:
    """For all of them together. None may be empty. `there`: which values of a chunk count, where
    not all do."""
    kept = there or _all
    low, high = _extremes(scores, kept)
    shift = max(0, (high - low).bit_length() - STEP_BITS)
    steps = np.arange(1 << STEP_BITS)
    coarse = Layout(low, shift, steps, np.full(1 << STEP_BITS, shift, np.uint64), len(steps))

    def count(score: Floats) -> Ints:
        def counted(part: slice) -> Ints:
            distance = coarse.distance(kept(score[part]))
            distance >>= np.uint64(shift)
            return np.bincount(distance.view(np.int64), minlength=coarse.bins)

        return fold(counted, _added, len(score), STEP_ROWS)

    crowd = reduce(_added, map(count, scores))
    # Halvings until a bin holds its share, as far as there are bits to tell rows apart.
    share = share_of(int(crowd.sum()))
    fraction, halvings = np.frexp(crowd / share)
    # A power of two is a half of the next.
    halvings = np.maximum(halvings - (fraction == 0.5), 0)
    halvings = np.minimum(halvings, shift)
    pieces = np.left_shift(1, halvings)
    first = np.cumsum(pieces) - pieces
    fine = (shift - halvings).astype(np.uint64)
    return Layout(low, shift, first.astype(np.int64), fine, int(pieces.sum()))


def _all(values: Floats) -> Floats:
    return values


def _added(one: Ints, other: Ints) -> Ints:
    one += other
    return one


def _extremes(scores: tuple[Floats, ...], kept: Callable[[Floats], Floats]) -> tuple[int, int]:
    def ends(score: Floats) -> tuple[float, float]:
        def found(part: slice) -> tuple[float, float]:
            values = kept(score[part])
            return float(values.min(initial=np.inf)), float(values.max(initial=-np.inf))

        return fold(found, _wider, len(score), ROWS)

    # -0.0 and 0.0 are one value.
    patterns = bit_pattern(np.array(reduce(_wider, map(ends, scores))))
    return int(patterns[0]), int(patterns[1])


def _wider(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return min(one[0], other[0]), max(one[1], other[1])
