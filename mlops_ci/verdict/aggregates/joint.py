"""Where the scores of two models lie together: all that rankings need of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from mlops_ci.verdict.aggregates.order import Ranking
from mlops_ci.verdict.aggregates.scale import Bands
from mlops_ci.verdict.rows import Floats, Ints, Mask

Flags = NDArray[np.bool_]


class Steps(Protocol):
    """A `Scale`, or what stands for one: where scores lie, and which steps make up a band."""

    @property
    def steps(self) -> int: ...

    @property
    def bands(self) -> int: ...

    @property
    def band_of(self) -> Bands: ...

    def step_of(self, score: Floats) -> Ints: ...


@dataclass
class Joint:
    """Counted on one scale. Of each side `counts` [sides, steps, 2] of negative and positive rows;
    `example` [sides, steps]: a score of the step's rows, NaN where it has none, or several
    (`mixed`). `bands` [2, bands, bands]: negative and positive rows by the bands of both sides.

    Grows in place; whatever the order and the cut of the rows, it ends up the same.
    """

    scale: Steps
    counts: Ints
    example: Floats
    mixed: Flags
    bands: Ints

    @classmethod
    def empty(cls, scale: Steps, sides: int) -> Self:
        width = scale.bands if sides > 1 else 0
        return cls(
            scale,
            np.zeros((sides, scale.steps, 2), dtype=np.int64),
            np.full((sides, scale.steps), np.nan),
            np.zeros((sides, scale.steps), dtype=np.bool_),
            np.zeros((2, width, width), dtype=np.int64),
        )

    def add(self, scores: list[Floats], actual: Mask) -> None:
        found = [self._add_side(side, score, actual) for side, score in enumerate(scores)]
        if not self.bands.size:
            return
        width = self.scale.bands
        flat = actual.astype(np.int64)
        for where in found:
            flat *= width
            flat += self.scale.band_of.take(where)
        self.bands += np.bincount(flat, minlength=2 * width**2).reshape(self.bands.shape)

    def _add_side(self, side: int, score: Floats, actual: Mask) -> Ints:
        where = self.scale.step_of(score)
        counts = np.bincount(2 * where + actual, minlength=2 * self.scale.steps)
        self.counts[side] += counts.reshape(-1, 2)
        # Rows of a step that is known to hold several scores have nothing to add.
        left = np.flatnonzero(~self.mixed[side].take(where))
        if len(left):
            self._tell_apart(side, where[left], score[left] + 0.0)
        return where

    def _tell_apart(self, side: int, where: Ints, score: Floats) -> None:
        example, mixed = self.example[side], self.mixed[side]
        fresh = np.isnan(example.take(where))
        example[where[fresh]] = score[fresh]
        several = where[example.take(where) != score]
        mixed[several] = True
        example[several] = np.nan

    def merge(self, other: Joint) -> None:
        if self.scale != other.scale or self.counts.shape != other.counts.shape:
            raise ValueError("counted on different scales")
        both = ~np.isnan(self.example) & ~np.isnan(other.example)
        self.mixed |= other.mixed | (both & (self.example != other.example))
        fresh = np.isnan(self.example)
        self.example[fresh] = other.example[fresh]
        self.example[self.mixed] = np.nan
        self.counts += other.counts
        self.bands += other.bands

    def ranking(self, side: int) -> Ranking:
        """Of the steps that hold rows; which row lies in which is not known any more."""
        held = self.held(side)
        negatives, positives = self.counts[side, held].T
        mixed = self.mixed[side, held]
        return Ranking(
            np.ascontiguousarray(positives),
            np.ascontiguousarray(negatives),
            _forgotten,
            mixed if mixed.any() else None,
        )

    def held(self, side: int) -> Ints:
        return np.flatnonzero(self.counts[side].any(axis=1))


def _forgotten(_: slice) -> NDArray[np.signedinteger]:
    raise ValueError("the rows themselves were not kept")
