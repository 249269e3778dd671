"""Rows by rising score in groups: of equal scores, exactly; or of nearly equal ones, in bins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mlops_ci.verdict.rows import Floats, Ints, Mask

Places = NDArray[np.int32]
# From here on two counting sorts are cheaper than one by comparison.
MANY = 1 << 16
POSITIVE_BITS = np.int64(0x7FFF_FFFF_FFFF_FFFF)
DIGIT = np.uint32(0xFFFF)


@dataclass(frozen=True)
class Ranking:
    """Of each group of rows, by rising score [g]: how many `positives` and `negatives` there are.
    `group_of`: rows → their groups' numbers. `mixed`: the groups that hold different scores; None
    when there are none. `places`: of every row twice its group's number, and 1 more where it is
    positive; None where that was not kept.
    """

    positives: Ints
    negatives: Ints
    group_of: Callable[[slice], NDArray[np.signedinteger]]
    mixed: Mask | None = None
    places: Places | None = None

    def place_of(self, rows: slice, actual: Mask) -> NDArray[np.signedinteger]:
        """`actual` [n]: which rows are positive."""
        if self.places is not None:
            return self.places[rows]
        return np.asarray(2 * self.group_of(rows) + actual[rows])

    @property
    def below(self) -> Ints:
        """Twice the negatives that score lower than a row of the group, its own counted half."""
        return np.asarray(2 * np.cumsum(self.negatives) - self.negatives)

    @property
    def above(self) -> Ints:
        """Twice the positives that score higher, those of the group counted half."""
        return np.asarray(2 * self.positives.sum() - 2 * np.cumsum(self.positives) + self.positives)

    @cached_property
    def blur(self) -> float:
        """How far the AUC may lie from that of the scores inside the groups: no pair in a group of
        different scores counts more than ½ too much or too little.
        """
        if self.mixed is None:
            return 0.0
        pairs = int((self.positives * self.negatives * self.mixed).sum())
        return pairs / 2 / (int(self.positives.sum()) * int(self.negatives.sum()))


def by_turns(negative: Floats, positive: Floats) -> Floats:
    """What rows of each group have, negative and positive ones, in one table for `place_of`."""
    return np.column_stack((negative, positive)).ravel()


def rank(score: Floats, actual: Mask) -> Ranking:
    """Groups of equal scores."""
    order = order_of(score)
    ordered = score[order]
    first = np.empty(len(score), dtype=np.bool_)
    first[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    del ordered
    number = np.cumsum(first, dtype=np.int32)
    number -= 1
    group = np.empty(len(score), dtype=np.int32)
    group[order] = number
    starts = np.flatnonzero(first)
    rows = np.diff(starts, append=len(score))
    positives = np.add.reduceat(actual[order], starts, dtype=np.int64)
    return Ranking(positives, rows - positives, group.__getitem__)


def order_of(score: Floats) -> Places:
    """Two stable counting sorts of 16 bits bring the first 32 bits of the scores' spread in order;
    a merge sort, which is linear where hardly anything is left to do, the rest.
    """
    if len(score) < MANY:
        return np.argsort(score, kind="stable").astype(np.int32)
    key = _leading_bits(score)
    order = np.argsort((key & DIGIT).astype(np.uint16), kind="stable").astype(np.int32)
    key >>= np.uint32(16)
    order = order[np.argsort(key.astype(np.uint16)[order], kind="stable")]
    del key
    ordered = score[order]
    if (ordered[1:] < ordered[:-1]).any():
        order = order[np.argsort(ordered, kind="stable")]
    return order


def bit_pattern(score: Floats) -> Ints:
    """Integers in the order of the scores (−0 and 0 are one value)."""
    bits = (score + 0.0).view(np.int64)
    if score.min(initial=0.0) < 0:
        bits ^= (bits >> 63) & POSITIVE_BITS
    return bits


def score_of(pattern: NDArray[np.uint64]) -> Floats:
    """The scores that `bit_pattern` has turned into such numbers; NaN beyond the infinities."""
    bits = pattern.view(np.int64)
    return np.where(bits < 0, bits ^ POSITIVE_BITS, bits).view(np.float64)


def _leading_bits(score: Floats) -> NDArray[np.uint32]:
    bits = bit_pattern(score)
    low, high = int(bits.min()), int(bits.max())
    # Python's integers: the spread of the patterns may not fit into 63 bits.
    distance = bits.view(np.uint64)
    distance -= np.uint64(low % 2**64)
    distance >>= np.uint64(max(0, (high - low).bit_length() - 32))
    return distance.astype(np.uint32)
