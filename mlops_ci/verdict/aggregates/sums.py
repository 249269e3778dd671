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
# Added to a value in −1…1 it leaves the nearest whole number of 2⁻⁴⁶ in the low bits of the float.
MAGIC = 1.5 * 2.0 ** (52 - BITS)
# Columns whose range lies beyond these powers of two are scaled, lest their products overflow.
FAR = 200
ORDER = 4
SPARE = 6
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

    def holds(self, other: Grid) -> bool:
        """Whether every value of `other`'s range lies on this grid, and the range is no more than
        `SPARE` bits narrower: of values that hardly differ a grid of their own leaves more digits.
        """
        pairs = zip(self.low, self.high, other.low, other.high, strict=True)
        return all(
            low <= least <= most <= high
            # Zeros are exact on every grid.
            and (least == most == 0 or high - low <= 2**SPARE * (most - least))
            for low, high, least, most in pairs
        )

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
    centred, exponents = [], []
    for column, values in enumerate(columns):
        pivot, exponent = grid.pivot(column), grid.exponent(column)
        found = values - pivot if pivot else values
        far = abs(exponent) > FAR
        centred.append(found * math.ldexp(1.0, -exponent) if far else found)
        exponents.append(0 if far else exponent)
    totals: dict[tuple[int, ...], int] = {}
    _add_products(totals, (), (centred, exponents), order)
    return Sums(len(columns[0]), grid, {key: totals[key] for key in _keys(len(columns), order)})


def _add_products(
    totals: dict[tuple[int, ...], int],
    key: tuple[int, ...],
    columns: tuple[Sequence[Floats], Sequence[int]],
    order: int,
    product: Floats | None = None,
) -> None:
    """Of `product`, whose columns are `key`, with every further column: depth first, so that no
    more than `order` arrays are alive and all of them stay in the cache.
    """
    values, exponents = columns
    for column in range(key[-1] if key else 0, len(values)):
        longer = (*key, column)
        one = values[column] if product is None else product * values[column]
        magic = math.ldexp(MAGIC, sum(exponents[i] for i in longer))
        # The last product is needed no more.
        last = len(longer) == order and product is not None
        totals[longer] = _whole_sum(np.add(one, magic, out=one if last else None), magic)
        if len(longer) < order:
            _add_products(totals, longer, columns, order, one)


@cache
def _keys(columns: int, most: int) -> tuple[tuple[int, ...], ...]:
    """Of all products of up to `most` columns, by length."""
    return tuple(
        key
        for order in range(1, most + 1)
        for key in combinations_with_replacement(range(columns), order)
    )


def _whole_sum(lifted: Floats, magic: float) -> int:
    """Of values in −1…1 (in units of the power of two that `magic` is lifted by), each rounded to
    a whole number of units by the addition of `magic`: cheaper than a conversion. The sum may wrap;
    the result cannot.
    """
    wrapped = int(lifted.view(np.int64).sum()) - len(lifted) * int(np.float64(magic).view(np.int64))
    return (wrapped + 2**63) % 2**64 - 2**63


def sums_of(columns: Columns, n: int, rows: int | None = None) -> Sums:
    """Of finite values."""
    return sum_on(grid_of(columns, n, rows), columns, n, rows)
