"""A scale of scores that no data have to be looked at for: what is counted on it merges with what
others have counted elsewhere, earlier, or on another machine.

From 0 to ½ every halving of the score, and from 1 down to ½ every halving of its distance from 1,
is cut into as many even steps: a crowd near 0 or 1 is as well told apart as one in the middle.
Scores that are no probabilities have steps of their own beyond either end. How many rows share a
step is counted, so whatever a step hides is known in the end (`Ranking.blur`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mlops_ci.verdict.rows import Floats, Ints

BINADES = 32  # halvings that are told apart
MANTISSA = 52
BIAS = 1023
Bands = NDArray[np.int32]


@dataclass(frozen=True)
class Scale:
    """2^`fine` steps a halving; and bands of steps: 2^`coarse` from ¼ to ½, half as many in the
    halving below it, and so on down to `fewest`."""

    fine: int
    coarse: int
    fewest: int

    @property
    def half(self) -> int:
        return BINADES << self.fine

    @property
    def beyond(self) -> int:
        return BINADES << (self.fine - 2)

    @property
    def steps(self) -> int:
        return 2 * (self.half + self.beyond)

    def step_of(self, score: Floats) -> Ints:
        """Of finite scores [n]; rises with them."""
        near = np.minimum(score, 1.0 - score)
        found = near.view(np.int64) >> (MANTISSA - self.fine)
        found -= ((BIAS - 1) << self.fine) - self.half
        np.clip(found, 0, self.half - 1, out=found)
        upper = score >= 0.5
        # The mirror image of the lower half, without a branch: x → 2·half − 1 − x.
        found ^= -upper.astype(np.int64)
        found += upper * np.int64(2 * self.half)
        found += self.beyond
        if len(score) and (score.min() < 0 or score.max() > 1):
            self._beyond(score, found)
        return found

    def _beyond(self, score: Floats, found: Ints) -> None:
        bits, most = self.fine - 2, self.beyond - 1
        for outside, lowest in ((score < 0, BIAS - BINADES // 2), (score > 1, BIAS)):
            size = np.abs(score[outside]).view(np.int64) >> (MANTISSA - bits)
            size -= lowest << bits
            np.clip(size, 0, most, out=size)
            first = self.beyond + 2 * self.half
            found[outside] = most - size if lowest < BIAS else first + size

    @cached_property
    def band_of(self) -> Bands:
        """[steps] → the number of the step's band; rises."""
        lower = [
            np.repeat(np.arange(bands), (1 << self.fine) // bands)
            for bands in self._bands_of_halvings
        ]
        within = np.concatenate(lower)
        starts = np.repeat(np.cumsum([0, *self._bands_of_halvings[:-1]]), 1 << self.fine)
        half = within + starts
        outer = np.repeat(np.arange(BINADES * self.fewest), (1 << (self.fine - 2)) // self.fewest)
        size, ends = int(half[-1]) + 1, int(outer[-1]) + 1
        parts = [outer, ends + half, ends + 2 * size - 1 - half[::-1], ends + 2 * size + outer]
        return np.concatenate(parts).astype(np.int32)

    @property
    def _bands_of_halvings(self) -> list[int]:
        """From the smallest scores up."""
        return [max(self.fewest, (1 << self.coarse) >> below) for below in reversed(range(BINADES))]

    @property
    def bands(self) -> int:
        return int(self.band_of[-1]) + 1


# Of all rows, and of a slice, of which there may be many.
WHOLE = Scale(fine=14, coarse=7, fewest=4)
SLICE = Scale(fine=9, coarse=5, fewest=1)
