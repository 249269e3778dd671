"""Sums over rows that count more than others, of rows whose heaviest is known.

Sums are of whole numbers of units that rest on bounds alone, so neither order nor chunks leave a
trace: 2⁻⁵⁶ of the largest number is the least that is told from 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mlops_ci.verdict.aggregates.gaps import BINS, gap_of
from mlops_ci.verdict.aggregates.losses import Scheme
from mlops_ci.verdict.aggregates.scale import Scale
from mlops_ci.verdict.aggregates.totals import Totals
from mlops_ci.verdict.rows import Floats, Ints, Outputs, View

if TYPE_CHECKING:
    from mlops_ci.verdict.aggregates.grouped import Grouped
    from mlops_ci.verdict.aggregates.sufficient import Sufficient

BITS = 28  # of a whole number: 2³⁴ of them add up within 63 bits
ROWS = 1 << 16  # that are summed at once: they stay in a core's cache
WIDE = 1 << 20  # and that are counted into tables of all steps


class Tally:
    """Sums of numbers by their place in 0 … size − 1; none is farther from 0 than `most`."""

    def __init__(self, size: int, most: float = 1.0) -> None:
        self._exponent = math.frexp(most)[1] - BITS
        self._whole = np.zeros((2, size), dtype=np.int64)

    def add(self, values: Floats, where: Ints | None = None) -> None:
        """At most 2²⁴ of them."""
        rest = values
        for level, unit in enumerate(self._units):
            whole = np.rint(rest / unit)
            if where is None:
                self._whole[level] += int(whole.sum())
            else:
                sums = np.bincount(where, weights=whole, minlength=self._whole.shape[1])
                self._whole[level] += sums.astype(np.int64)
            rest = rest - whole * unit
            if not rest.any():
                return

    @property
    def _units(self) -> tuple[float, float]:
        return math.ldexp(1.0, self._exponent), math.ldexp(1.0, self._exponent - BITS)

    @property
    def sums(self) -> Floats:
        first, second = self._units
        return np.asarray(self._whole[0] * first + self._whole[1] * second)


class Weighed:
    """Of rows with weights above 0 and at most 1 (only their ratios matter). `found`: what was
    counted of the same rows, or of more of them. `by_rows`: rows are what was sampled, not groups.
    `grouped`: what a last pass has summed of what they add to metrics.
    """

    def __init__(self, found: Sufficient, scale: Scale, *, by_rows: bool) -> None:
        asked = found.question
        self.n, self.least, self.most = 0, math.inf, 0.0
        self.by_rows = by_rows
        self.grouped: Grouped | None = None
        self._schemes, self._centre = asked.schemes, asked.centre
        self._scale, sides = scale, asked.sides
        places = max(1, len(asked.classes))
        self._classes, self._squares = Tally(places), Tally(places)
        self._called = [Tally(places) for _ in range(sides if asked.classed else 0)]
        self._hits = [Tally(places) for _ in self._called]
        ranked = found.joint is not None
        self._steps = [Tally(2 * scale.steps) for _ in range(sides if ranked else 0)]
        known = {name: one for name, one in found.losses.items() if one.sums}
        self._losses = {
            name: [Tally(1, most) for most in _bounds(one, self._schemes[name], sides)]
            for name, one in known.items()
        }
        size = BINS * sides
        self._gaps = None if found.gaps is None else Tally(size)
        products = found.gaps is not None and by_rows
        self._lined = Tally(size) if products else None
        self._products = Tally(size**2) if products else None

    def add(self, view: View) -> None:
        """`view.weight` is there."""
        for part in _chunks(view.n, WIDE):
            self._rank(view.part(part))
        for part in _chunks(view.n, ROWS):
            self._add(view.part(part))

    def _add(self, view: View) -> None:
        weight = weight_of(view)
        self.n += view.n
        self.least = min(self.least, float(weight.min()))
        self.most = max(self.most, float(weight.max()))
        errors = view.task == "regression"
        where = np.zeros(view.n, dtype=np.int64) if errors else view.label
        self._classes.add(weight, where)
        self._squares.add(np.square(weight), where)
        for called, hits, side in zip(self._called, self._hits, view.sides, strict=False):
            said = side.prediction
            if said is None:
                raise ValueError("no prediction")
            right = said == view.label
            called.add(weight, said)
            hits.add(weight[right], said[right])
        for name, tallies in self._losses.items():
            for tally, column in zip(tallies, self._columns(name, view), strict=True):
                tally.add(weight * column)
        if self._gaps is not None:
            self._miss(view, weight, self._gaps)

    def _rank(self, view: View) -> None:
        weight = weight_of(view)
        for tally, side in zip(self._steps, view.sides, strict=False):
            if side.score is None:
                raise ValueError("no score")
            tally.add(weight, 2 * self._scale.step_of(side.score) + view.actual)

    def _columns(self, name: str, view: View) -> Iterator[Floats]:
        scheme = self._schemes[name]
        for side in view.sides:
            yield scheme.loss.per_row(view, side)
        if scheme.explains:
            label = np.asarray(view.label - self._centre, dtype=np.float64)
            yield label
            yield label**2

    def _miss(self, view: View, weight: Floats, gaps: Tally) -> None:
        """Of each bin the weighted gaps; of rows alone their products, too."""
        size = BINS * len(view.sides)
        found = [_placed(view, side, at) for at, side in enumerate(view.sides)]
        moved = [(where, weight * gap) for where, gap in found]
        for where, one in moved:
            gaps.add(one, where)
            if self._lined is None or self._products is None:
                continue
            self._lined.add(weight * one, where)
            for other, second in moved:
                self._products.add(one * second, where * size + other)

    @property
    def unequal(self) -> bool:
        return self.least < self.most

    @cached_property
    def of_classes(self) -> tuple[Floats, Floats]:
        """Of each class the sum of its rows' weights, and of their squares."""
        return self._classes.sums, self._squares.sums

    @property
    def total(self) -> float:
        return float(self.of_classes[0].sum())

    @property
    def worth(self) -> float:
        """How many rows of equal weight these are worth (Kish 1965, see `exact`)."""
        return self.total**2 / float(self.of_classes[1].sum())

    @property
    def scale(self) -> float:
        """Weights, times this, have the mean 1."""
        return self.n / self.total

    def margins(self, side: int) -> tuple[Floats, Floats, Floats]:
        """Shares of the weight: labels, classes that a side said, and those that it said rightly
        [classes]."""
        found = self.of_classes[0], self._called[side].sums, self._hits[side].sums
        actual, called, hits = (one / self.total for one in found)
        return actual, called, hits

    def ranked(self, side: int, held: Ints) -> tuple[Floats, Floats]:
        """The weight of the positive and of the negative rows of each of these steps."""
        table = self._steps[side].sums.reshape(-1, 2)[held]
        return np.ascontiguousarray(table[:, 1]), np.ascontiguousarray(table[:, 0])

    def means(self, name: str) -> Floats:
        """Of a loss, by `key_of`: of each side, then for R² of the label's distance from the centre
        and of its square."""
        return np.array([one.sums[0] / self.total for one in self._losses[name]])

    @property
    def gaps(self) -> Floats:
        """The mean gap in each bin of each side [sides · BINS]."""
        if self._gaps is None:
            raise ValueError("no gaps were counted")
        return np.asarray(self._gaps.sums / self.total)

    @property
    def products(self) -> tuple[Floats, Floats]:
        """Sums of weight · weighted gap, and of the products of two weighted gaps."""
        if self._lined is None or self._products is None:
            raise ValueError("no products of gaps were counted")
        lined = self._lined.sums
        return lined, self._products.sums.reshape(len(lined), len(lined))


def weight_of(view: View) -> Floats:
    if view.weight is None:
        raise ValueError("no weights")
    return view.weight


def _placed(view: View, side: Outputs, at: int) -> tuple[Ints, Floats]:
    inside, gap = gap_of(view, side)
    return inside + BINS * at, gap


def _bounds(found: Totals, scheme: Scheme, sides: int) -> list[float]:
    """Of each side's loss, and of the label and its square."""
    extent = found.extent
    far = [max(abs(low), abs(high)) for low, high in zip(extent.low, extent.high, strict=True)]
    centre = abs(scheme.centre) if scheme.loss.signed else 0.0
    own = [far[0] + centre] if sides == 1 else [far[0] + centre, far[-1] + centre]
    return [*own, *(far[sides : sides + 2] if scheme.explains else [])]


def _chunks(n: int, rows: int) -> Iterator[slice]:
    return (slice(start, min(start + rows, n)) for start in range(0, n, rows))
