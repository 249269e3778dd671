"""Sums of columns and of their products to the fourth order, exact and in any order.

Each value is rounded to a whole number of units of its column's grid, 2⁻⁴⁶ of the column's range,
and whole numbers are summed: addition of floats depends on its order, that of integers does not
(the idea of Demmel & Nguyen 2013, IEEE ARITH, with one limb). In SQL a sum is
`sum(CAST(round((x - pivot) * scale * pow(2, 46)) AS HUGEINT))`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement

import numpy as np

from mlops_ci.verdict.aggregates.chunks import fold
from mlops_ci.verdict.rows import Floats

BITS = 46
UNIT = float(2**BITS)
MAGIC = 1.5 * 2**52
MAGIC_BITS = int(np.float64(MAGIC).view(np.int64))
ORDER = 4
# From here on the fourth order, how sure a variance is, is not worth its time.
MANY = 1 << 18
# 2¹⁰²² is the largest power of two whose inverse is a float of full precision.
SMALLEST = -1022

# Rows of a chunk → the columns' values of these rows.
Columns = Callable[[slice], Sequence[Floats]]


@dataclass(frozen=True)
class Grid:
    """The smallest and largest value of each of k columns. They merge; shards that are to be summed
    on one grid agree on it first.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]

    def merged(self, other: Grid) -> Grid:
        # numpy's, because Python's min loses a NaN.
        low, high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        return Grid(tuple(map(float, low)), tuple(map(float, high)))

    @property
    def without_last(self) -> Grid:
        return Grid(self.low[:-1], self.high[:-1])

    @property
    def finite(self) -> bool:
        return all(map(math.isfinite, (*self.low, *self.high)))

    def pivot(self, column: int) -> float:
        """The middle; 0 where 0 is inside the range, so that equal and opposite values stay so."""
        low, high = self.low[column], self.high[column]
        return 0.0 if low <= 0 <= high else low / 2 + high / 2

    def exponent(self, column: int) -> int:
        """The power of two that no value's distance from the pivot exceeds."""
        pivot = self.pivot(column)
        reach = max(self.high[column] - pivot, pivot - self.low[column])
        return max(math.frexp(reach)[1], SMALLEST)


@dataclass(frozen=True)
class Sums:
    """`totals`: a sorted tuple of columns → the sum of their product, in units of 2⁻⁴⁶ of the
    product of their scales; (0,) is Σ x₀, (0, 0, 1) is Σ x₀²x₁.
    """

    n: int
    grid: Grid
    totals: dict[tuple[int, ...], int]

    def merged(self, other: Sums) -> Sums:
        if self.grid != other.grid:
            raise ValueError("sums of different grids do not add up")
        both = {key: total + other.totals[key] for key, total in self.totals.items()}
        return Sums(self.n + other.n, self.grid, both)


def extent_of(columns: Sequence[Floats]) -> Grid:
    return Grid(
        tuple(float(one.min()) for one in columns), tuple(float(one.max()) for one in columns)
    )


def grid_of(columns: Columns, n: int, rows: int | None = None) -> Grid:
    return fold(lambda part: extent_of(columns(part)), Grid.merged, n, rows)


def order_for(n: int) -> int:
    return ORDER if n < MANY else ORDER - 1


def sum_on(grid: Grid, columns: Columns, n: int, rows: int | None = None) -> Sums:
    """`grid` must hold every value; with a NaN or an infinity in it there is no sum."""
    order = order_for(n)
    return fold(lambda part: sum_chunk(grid, columns(part), order), Sums.merged, n, rows)


def sum_chunk(grid: Grid, columns: Sequence[Floats], order: int) -> Sums:
    """Products to `order`. Of at most 2¹⁷ rows: their units then fit into 64 bits."""
    products: dict[tuple[int, ...], Floats] = {
        (column,): (values - grid.pivot(column)) * math.ldexp(1.0, -grid.exponent(column))
        for column, values in enumerate(columns)
    }
    totals = {}
    for key in _keys(len(columns), order):
        if len(key) > 1:
            products[key] = products[key[:-1]] * products[key[-1:]]
        totals[key] = _whole_sum(products[key])
    return Sums(len(columns[0]), grid, totals)


@cache
def _keys(columns: int, most: int) -> tuple[tuple[int, ...], ...]:
    """Of all products of up to `most` columns, each after the one that it is made from."""
    return tuple(
        key
        for order in range(1, most + 1)
        for key in combinations_with_replacement(range(columns), order)
    )


def _whole_sum(values: Floats) -> int:
    """Of values in −1…1, each in whole units. Adding 1.5·2⁵² leaves the nearest whole number in the
    low bits of a float: cheaper than a conversion. The sum may wrap; the result cannot.
    """
    bits = values * UNIT
    bits += MAGIC
    wrapped = int(bits.view(np.int64).sum()) - len(values) * MAGIC_BITS
    return (wrapped + 2**63) % 2**64 - 2**63


def sums_of(columns: Columns, n: int, rows: int | None = None) -> Sums:
    """Of finite values."""
    return sum_on(grid_of(columns, n, rows), columns, n, rows)
