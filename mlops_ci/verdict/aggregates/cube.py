"""Rows by the combination of their slices, and on how many of them head's loss rose or fell: all
that the search for weak slices and their pairs needs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.verdict.losses import absolute_errors
from mlops_ci.verdict.rows import Floats, Ints, Mask, View

MOST = 1 << 16  # combinations that occur
PLACES = 1 << 62  # and that may occur
# Sums as in `totals`, of cuts that are narrow enough for a float to count many rows in.
WIDTH, CUTS, MAGIC = 24, 3, 52
LOWEST = -40
FAR = 2.0**250
Names = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Cube:
    """`columns`: of each column the names of its slices. `places` [cells]: which combination a cell
    is, the last column running fastest; they rise. `counts` [cells, 3]: rows, and those on which
    the loss rose and fell. Of a regression `sums` [2, cells, CUTS]: of the changes of the absolute
    error, none larger than `reach`, and of their squares, in units of their cuts. `lost`: there are
    too many combinations, or changes without a sum.
    """

    columns: Names
    places: Ints
    counts: Ints
    sums: Ints | None = None
    reach: float = 0.0
    lost: bool = False

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(map(len, self.columns))

    @property
    def n(self) -> int:
        return int(self.counts[:, 0].sum())

    def merged(self, other: Cube) -> Cube:
        if self.columns != other.columns:
            raise ValueError("these rows are cut into other slices")
        reach = max(self.reach, other.reach)
        if self.lost or other.lost:
            return _lost(self.columns)
        both = np.concatenate([self.places, other.places])
        places, where = np.unique(both, return_inverse=True)
        if len(places) > MOST:
            return _lost(self.columns)
        counts = np.zeros((len(places), 3), dtype=np.int64)
        np.add.at(counts, where.reshape(-1), np.concatenate([self.counts, other.counts]))
        if self.sums is None or other.sums is None:
            return Cube(self.columns, places, counts)
        sums = np.zeros((2, len(places), CUTS), dtype=np.int64)
        parts = [one.raised(reach) for one in (self, other)]
        for power in (0, 1):
            np.add.at(sums[power], where.reshape(-1), np.concatenate([p[power] for p in parts]))
        return Cube(self.columns, places, counts, sums, reach)

    def raised(self, reach: float) -> Ints:
        """`sums` in the units that a larger `reach` has."""
        if self.sums is None:
            raise ValueError("nothing was summed")
        found = np.zeros_like(self.sums)
        for power in (0, 1):
            above = min(_top(reach, power) - _top(self.reach, power), CUTS)
            found[power, :, above:] = self.sums[power, :, : CUTS - above]
        return found

    @cached_property
    def changes(self) -> tuple[Floats, Floats]:
        """Of each cell the sum of the changes of the loss, and of their squares."""
        worse, better = (self.counts[:, at].astype(np.float64) for at in (1, 2))
        if self.sums is None:
            return worse - better, worse + better
        first, second = (
            np.array([_number(cell, _top(self.reach, power)) for cell in self.sums[power].tolist()])
            for power in (0, 1)
        )
        return first, second

    def masks(self) -> dict[str, Mask]:
        """The cells of each slice."""
        codes = np.unravel_index(self.places, self.sizes)
        return {
            name: np.asarray(of_column == code)
            for names, of_column in zip(self.columns, codes, strict=True)
            for code, name in enumerate(names)
        }


def count_cube(view: View, columns: Names, codes: Sequence[NDArray[np.integer]]) -> Cube:
    """`codes`: of each column the slice of every row. Both sides must have predictions."""
    sizes = tuple(map(len, columns))
    if math.prod(sizes) > PLACES:
        return _lost(columns)
    flat = np.zeros(view.n, dtype=np.int64)
    for size, column in zip(sizes, codes, strict=True):
        flat *= size
        flat += column
    base, head = view.sides
    if view.task == "regression":
        with np.errstate(over="ignore", invalid="ignore"):
            change = absolute_errors(view, head) - absolute_errors(view, base)
        worse, better = change > 0, change < 0
    else:
        change = None
        wrong = [np.asarray(side.prediction != view.label) for side in (base, head)]
        worse, better = wrong[1] & ~wrong[0], wrong[0] & ~wrong[1]
    places, where, size = _dense(flat, math.prod(sizes))
    if len(places) > MOST:
        return _lost(columns)
    counts = np.column_stack(
        [np.bincount(one, minlength=size) for one in (where, where[worse], where[better])]
    )
    found = Cube(columns, places, counts)
    if change is not None:
        found = _with_sums(found, change, where)
        if found.lost:
            return found
    kept = np.flatnonzero(counts[:, 0])
    sums = None if found.sums is None else found.sums[:, kept]
    return replace(found, places=places[kept], counts=counts[kept], sums=sums)


def _dense(flat: Ints, size: int) -> tuple[Ints, Ints, int]:
    """Places, the number of each row's, and how many there are."""
    if size <= MOST:
        return np.arange(size), flat, size
    places, where = np.unique(flat, return_inverse=True)
    return places, where.reshape(-1), len(places)


def _with_sums(cube: Cube, change: Floats, where: Ints) -> Cube:
    reach = float(np.abs(change).max(initial=0.0))
    if not reach < FAR:  # nor is a NaN
        return _lost(cube.columns)
    size = len(cube.places)
    sums = np.zeros((2, size, CUTS), dtype=np.int64)
    for power, values in enumerate((change, change * change)):
        rest, top = values, _top(reach, power)
        for cut in range(CUTS):
            unit = math.ldexp(1.0, WIDTH * (top - cut))
            magic = math.ldexp(1.5, MAGIC) * unit
            upper = (rest + magic) - magic
            rest = rest - upper
            sums[power, :, cut] = np.bincount(where, weights=upper / unit, minlength=size)
    return replace(cube, sums=sums, reach=reach)


def _top(reach: float, power: int) -> int:
    """The uppermost cut of changes up to `reach`, or of their squares."""
    if reach <= 0:
        return LOWEST
    exponent = math.frexp(reach)[1] * (power + 1)
    return max(-(-(exponent + 1) // WIDTH) - 1, LOWEST)


def _number(cuts: list[int], top: int) -> float:
    whole = 0
    for one in cuts:
        whole = (whole << WIDTH) + one
    lowest = WIDTH * (top - CUTS + 1)
    return float(whole << lowest) if lowest > 0 else whole / (1 << -lowest)


def _lost(columns: Names) -> Cube:
    nothing: Any = np.zeros(0, dtype=np.int64)
    return Cube(columns, nothing, np.zeros((0, 3), dtype=np.int64), lost=True)
