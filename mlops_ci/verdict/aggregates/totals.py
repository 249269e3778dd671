"""Sums of columns and of their products, of which nothing need be known before the first row.

Every value is cut at fixed powers of two, 2⁴⁶ apart, into whole numbers, and of these the two
uppermost cuts that the extremes of the columns allow are summed (Demmel & Nguyen 2015, "Parallel
reproducible summation", IEEE Trans. Comput. 64, 2060–2070, doi:10.1109/TC.2014.2345391): 46 bits
below the largest value at the least. What a row adds to a cut depends on that row alone, so neither
order nor chunks leave a trace.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement

import numpy as np

from mlops_ci.verdict.aggregates.sums import ORDER, Grid, extent_of
from mlops_ci.verdict.rows import Floats

WIDTH = 46
# Added to a value it leaves whole units of 2ˢ in the low bits of a float: 1.5 · 2⁵² units.
MAGIC = 52
# Cuts below this one are not told from 0: their units would not be normal floats.
LOWEST = -21
# A column with a larger power of two has products that no float holds.
FAR = 250
Key = tuple[int, ...]


@dataclass(frozen=True)
class Totals:
    """Of n rows. `extent`: of the columns, of which the first `summed` are. `sums`: a sorted tuple
    of columns → the sum of their product in units of its upper and of its lower cut; none where
    there is no such sum.
    """

    n: int
    extent: Grid
    summed: int
    sums: dict[Key, tuple[int, int]]

    def merged(self, other: Totals) -> Totals:
        extent = self.extent.merged(other.extent)
        found = {}
        if is_near(extent, self.summed):
            for key in self.sums:
                at = top_of(extent, key)
                pairs = [one.at(key, at) for one in (self, other)]
                found[key] = pairs[0][0] + pairs[1][0], pairs[0][1] + pairs[1][1]
        return Totals(self.n + other.n, extent, self.summed, found)

    def at(self, key: Key, top: int) -> tuple[int, int]:
        """In the units of a cut that is no lower than its own."""
        upper, lower = self.sums[key]
        above = top - top_of(self.extent, key)
        return ((upper, lower), (0, upper), (0, 0))[min(above, 2)]

    def whole(self, key: Key) -> int:
        """In units of the lower cut."""
        upper, lower = self.sums[key]
        return (upper << WIDTH) + lower

    def only(self, columns: Sequence[int], summed: int) -> Totals:
        """Of some `columns`, the first `summed` of which were the first before, too."""
        low, high = (
            tuple(end[at] for at in columns) for end in (self.extent.low, self.extent.high)
        )
        sums = {key: pair for key, pair in self.sums.items() if max(key) < summed}
        return Totals(self.n, Grid(low, high), summed, sums)


def is_near(extent: Grid, summed: int) -> bool:
    ends = (*extent.low[:summed], *extent.high[:summed])
    return all(abs(end) < 2.0**FAR for end in ends)


def top_of(extent: Grid, key: Key) -> int:
    """The upper cut t of a product: no value is more than half a unit of the cut above it, and a
    unit of t is 2^(WIDTH·t)."""
    exponent = sum(_exponent(max(-extent.low[at], extent.high[at])) for at in key)
    return max(-(-(exponent + 1) // WIDTH) - 1, LOWEST)


def _exponent(most: float) -> int:
    return math.frexp(most)[1] if most > 0 else -1_100


def total_columns(columns: Sequence[Floats], summed: int) -> Totals:
    """Of at most 2¹⁷ rows: whole numbers of 46 bits then add up within 64."""
    extent, sums = extent_of(columns), {}
    if is_near(extent, summed):
        cut = np.empty(len(columns[0]))
        for key, product in _products(columns[:summed]):
            sums[key] = _cut_sums(product, top_of(extent, key), cut)
    return Totals(len(columns[0]), extent, summed, sums)


def total_singly(columns: Sequence[Floats]) -> Totals:
    """The same of no products: of each column its sum alone."""
    extent = extent_of(columns)
    sums: dict[Key, tuple[int, int]] = {}
    if is_near(extent, len(columns)):
        cut = np.empty(len(columns[0]))
        for at, column in enumerate(columns):
            sums[at,] = _cut_sums(column, top_of(extent, (at,)), cut)
    return Totals(len(columns[0]), extent, len(columns), sums)


def _cut_sums(product: Floats, top: int, cut: Floats) -> tuple[int, int]:
    """In units of the upper cut `top`, and of the one below. `cut`: room for the work."""
    upper, lower = _magic(top), _magic(top - 1)
    np.add(product, upper, out=cut)
    whole = _units(cut, len(cut), upper)
    cut -= upper
    np.subtract(product, cut, out=cut)
    cut += lower
    return whole, _units(cut, len(cut), lower)


def is_even(key: Key) -> bool:
    """Whether no product of these columns is below 0."""
    return all(key.count(at) % 2 == 0 for at in key)


def _magic(cut: int) -> float:
    return math.ldexp(1.5, MAGIC + WIDTH * cut)


def _units(cut: Floats, n: int, magic: float) -> int:
    """The sum may wrap; the result cannot."""
    wrapped = int(np.add.reduce(cut.view(np.int64))) - n * int(np.float64(magic).view(np.int64))
    return (wrapped + 2**63) % 2**64 - 2**63


def _products(columns: Sequence[Floats]) -> Iterator[tuple[Key, Floats]]:
    """Depth first, so that no more than ORDER of them are alive and all stay in the cache."""
    alive = [np.empty_like(columns[0]) for _ in range(ORDER)]
    for key in keys_of(len(columns)):
        depth, column = len(key) - 1, columns[key[-1]]
        if depth:
            np.multiply(alive[depth - 1], column, out=alive[depth])
        else:
            alive[0] = column
        yield key, alive[depth]


@lru_cache(maxsize=8)
def keys_of(columns: int) -> tuple[Key, ...]:
    """Of all products of up to ORDER columns, sorted as words are: (0), (0, 0), (0, 1), (1)."""
    found = (
        key
        for order in range(1, ORDER + 1)
        for key in combinations_with_replacement(range(columns), order)
    )
    return tuple(sorted(found))
