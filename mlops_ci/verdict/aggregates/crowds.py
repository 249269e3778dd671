"""Steps of many classes' scores that are as narrow as their crowds deserve.

One scale that is fine enough for any scores takes 30 MB for each class and side. So the scores of
each class are first counted on a coarse one, which merges whatever the order of the rows; what it
says of the crowds lays out steps for a second look at the rows, of about as many rows each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mlops_ci.verdict.aggregates.chunks import together
from mlops_ci.verdict.aggregates.scale import Bands, Scale
from mlops_ci.verdict.aggregates.totals import Totals
from mlops_ci.verdict.rows import Floats, Ints

SPARE = 11  # halvings of a coarse step
COARSE = Scale(fine=9, coarse=0, fewest=1)
FINE = Scale(fine=COARSE.fine + SPARE, coarse=0, fewest=1)
ROWS = 1 << 18


@dataclass(frozen=True, eq=False)
class Ladder:
    """One class's `steps`, in the place of a `Scale`. Of each coarse step: one of its own holds
    2^`shift` fine ones, and `jump` is added to their number. There are no bands."""

    shift: NDArray[np.uint8]
    jump: Ints
    steps: int

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Ladder) or self.steps != other.steps:
            return False
        alike = np.array_equal(self.shift, other.shift)
        return alike and np.array_equal(self.jump, other.jump)

    __hash__ = None  # type: ignore[assignment]

    @property
    def bands(self) -> int:
        return 0

    @property
    def band_of(self) -> Bands:
        raise ValueError("there are no bands")

    def step_of(self, score: Floats) -> Ints:
        fine = FINE.step_of(score)
        coarse = fine >> SPARE
        fine >>= self.shift.take(coarse)
        fine += self.jump.take(coarse)
        return fine


@dataclass
class Crowd:
    """`counts` [classes, coarse steps]: scores of all sides together. Grows in place."""

    counts: Ints

    @classmethod
    def empty(cls, classes: int) -> Self:
        return cls(np.zeros((classes, COARSE.steps), dtype=np.int64))

    def add(self, scores: Sequence[Floats]) -> None:
        """Each [n, classes]."""

        def count(at: int) -> None:
            for score in scores:
                for start in range(0, len(score), ROWS):
                    column = np.ascontiguousarray(score[start : start + ROWS, at])
                    where = COARSE.step_of(column)
                    self.counts[at] += np.bincount(where, minlength=COARSE.steps)

        works = [lambda at=at: count(at) for at in range(len(self.counts))]
        for _ in together(works, sum(map(len, scores))):
            pass

    def merge(self, other: Crowd) -> None:
        self.counts += other.counts

    def ladders(self, shares: int) -> tuple[Ladder, ...]:
        """For each class. `shares`: about so many steps."""
        return tuple(_ladder(counts, shares) for counts in self.counts)


def _ladder(counts: Ints, shares: int) -> Ladder:
    """Crowded steps are halved until each holds its share; others are taken together."""
    share = max(1, int(counts.sum())) / shares
    fraction, halvings = np.frexp(counts / share)
    halvings = np.clip(halvings - (fraction == 0.5), 0, SPARE)
    crowded, full = halvings > 0, np.floor((np.cumsum(counts) - counts) / share)
    begins = crowded.copy()
    begins[0] = True
    begins[1:] |= crowded[:-1] | (full[1:] != full[:-1])
    pieces = np.where(begins, np.left_shift(1, halvings), 0).astype(np.int64)
    first = np.cumsum(pieces) - np.maximum(pieces, 1)
    shift = (SPARE - halvings).astype(np.uint8)
    lowest = (np.arange(len(counts), dtype=np.int64) << SPARE) >> shift
    return Ladder(shift, first - lowest, int(pieces.sum()))


@dataclass(frozen=True)
class CountedAreas:
    """Of n rows. By side: `values`, the mean over classes; `blur`, how far each may lie from that
    of the unrounded scores; `placed`, rows of which not every row of another class lies below; and
    whether its scores are `constant`. `rarest`: rows of that class. `totals`: of what each row adds
    to base's value and to head's minus base's; `moved`: rows whose difference is not 0."""

    values: tuple[float, ...]
    blur: tuple[float, ...]
    placed: tuple[int, ...]
    constant: tuple[bool, ...]
    rarest: int
    moved: int
    totals: Totals
