"""What a row adds to head's metric minus what it adds to base's, of rows counted in bands.

Of each side it is known exactly how what rows add (an influence, a placement) is spread within a
band; of both sides together, how many rows lie in each pair of bands. The standard deviation of the
difference is then at most that of the bands' means plus those within the bands (Minkowski 1896,
"Geometrie der Zahlen"; Hardy, Littlewood & Pólya 1934, "Inequalities", 2.11, Cambridge, ISBN
978-0-521-35880-4).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from mlops_ci.verdict.aggregates.joint import Joint
from mlops_ci.verdict.aggregates.sums import order_for
from mlops_ci.verdict.moments import Moments
from mlops_ci.verdict.rows import Floats, Ints


@dataclass(frozen=True)
class Banded:
    """One side's rows of one class. Of each step that holds rows: their `band`, how many there are,
    and what each of them adds. `means` [bands]; `within`: the sum of squares around these.
    """

    bands: int
    band: Ints
    rows: Ints
    adds: Floats

    @classmethod
    def of(cls, joint: Joint, side: int, rows: Ints, adds: Floats) -> Self:
        """`rows`, `adds`: of the steps that `joint.ranking(side)` knows."""
        band = joint.scale.band_of[joint.held(side)].astype(np.int64)
        return cls(joint.scale.bands, band, rows, adds)

    @cached_property
    def means(self) -> Floats:
        rows = np.bincount(self.band, weights=self.rows, minlength=self.bands)
        sums = np.bincount(self.band, weights=self.rows * self.adds, minlength=self.bands)
        return np.asarray(sums / np.maximum(rows, 1))

    @cached_property
    def rest(self) -> Floats:
        return np.asarray(self.adds - self.means[self.band])

    @property
    def within(self) -> float:
        return float((self.rows * self.rest**2).sum())

    @property
    def n(self) -> int:
        return int(self.rows.sum())

    @property
    def mean(self) -> float:
        return float((self.rows * self.adds).sum()) / self.n

    def power(self, order: int) -> float:
        """Mean of a power of the distance from the mean."""
        return float((self.rows * (self.adds - self.mean) ** order).sum()) / self.n

    @property
    def farthest(self) -> float:
        held = self.adds[self.rows > 0]
        return max(float(held.max()) - self.mean, self.mean - float(held.min()))


@dataclass(frozen=True)
class Moved:
    """Head minus base, of one class or of several together. `values`, `rows`: of pairs of bands."""

    sides: tuple[tuple[Banded, Banded], ...]
    values: Floats
    rows: Ints

    @classmethod
    def of(cls, *classes: tuple[Banded, Banded, Ints]) -> Self:
        """Each: base, head and the rows [bands, bands] of both."""
        values, rows = [], []
        for base, head, both in classes:
            held = np.nonzero(both)
            values.append(head.means[held[1]] - base.means[held[0]])
            rows.append(both[held])
        sides = tuple((base, head) for base, head, _ in classes)
        return cls(sides, np.concatenate(values), np.concatenate(rows))

    @property
    def n(self) -> int:
        return int(self.rows.sum())

    @cached_property
    def mean(self) -> float:
        return float((self.rows * self.values).sum()) / self.n

    @cached_property
    def _within(self) -> float:
        """At most so much does the standard deviation grow by what lies within the bands."""
        found = (sum(pair[side].within for pair in self.sides) for side in (0, 1))
        return sum(math.sqrt(one / self.n) for one in found)

    def power(self, order: int) -> float:
        """Of the second order at most, of the third as the bands have it."""
        found = float((self.rows * (self.values - self.mean) ** order).sum()) / self.n
        return (math.sqrt(found) + self._within) ** 2 if order == 2 else found

    @property
    def farthest(self) -> float:
        beyond = (
            float(np.abs(one.rest[one.rows > 0]).max()) for pair in self.sides for one in pair
        )
        return float(np.abs(self.values - self.mean).max()) + max(beyond) * 2


@dataclass(frozen=True)
class Between(Moments):
    """Moments of base's column, of head's difference from it, and so of head's: of these weights
    only."""

    known: dict[tuple[float, ...], Banded | Moved]

    def power(self, gradient: Floats, order: int) -> float:
        return self.known[tuple(map(float, gradient))].power(order)


@dataclass(frozen=True)
class Counted:
    """One class's rows for the ROC AUC, in the place of `ranking.Class`."""

    known: dict[tuple[float, ...], Banded | Moved]

    @property
    def moments(self) -> Moments:
        first = next(iter(self.known.values()))
        # To the order of the sums of as many rows.
        return Between(first.n, np.zeros(0), {(0,) * order_for(first.n): 0.0}, self.known)

    def farthest(self, weights: tuple[float, ...]) -> float:
        return self.known[weights].farthest
