"""Sums of columns and of their products to the fourth order, exact and in any order.

Each value is rounded to a whole number of units of its column's grid, 2⁻⁴⁶ of the column's range,
and whole numbers are summed: addition of floats depends on its order, that of integers does not
(the idea of Demmel & Nguyen 2013, IEEE ARITH 21, doi:10.1109/ARITH.2013.9, with one limb). In SQL a
sum is `sum(CAST(round((x - pivot) * scale * pow(2, 46)) AS HUGEINT))`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement

import numpy as np

from mlops_ci.verdict.aggregates.chunks import fold
from mlops_ci.verdict.rows import Floats, Ints, Mask

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
        """And twice each is: a power of two lies above it."""
        return all(math.isfinite(2 * end) for end in (*self.low, *self.high))

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
        tuple(float(np.minimum.reduce(one)) for one in columns),
        tuple(float(np.maximum.reduce(one)) for one in columns),
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
    plan, n = _plan(grid, order), len(columns[0])
    lifted = _lifted(plan, columns)
    totals = {step.key: _whole(_sum(bits), n, step) for step, bits in lifted}
    return Sums(n, grid, totals)


def mask_of(chosen: Mask) -> Ints:
    """All bits of a row are set where it is chosen."""
    return np.negative(chosen.view(np.int8), dtype=np.int64)


def sum_classes(grid: Grid, column: Floats, mask: Ints, order: int) -> tuple[Sums, Sums]:
    """As `sum_chunk`, of the rows that `mask` chooses and of the others: without a copy of them."""
    plan, n, some = _plan(grid, order), len(column), -int(mask.sum())
    ours, others = {}, {}
    for step, bits in _lifted(plan, [column]):
        total, part = _sum(bits), _sum(np.bitwise_and(bits, mask, out=bits))
        ours[step.key] = _whole(part, some, step)
        others[step.key] = _whole(total - part, n - some, step)
    return Sums(some, grid, ours), Sums(n - some, grid, others)


@dataclass(frozen=True)
class Step:
    """To make the product `key` from the one without its last `column`, and to round it: by adding
    `magic`, whose bits are `bits`.
    """

    key: tuple[int, ...]
    column: int
    magic: float
    bits: int


@dataclass(frozen=True)
class Plan:
    """Depth first, so that no more than `order` products are alive and all stay in the cache."""

    order: int
    pivots: tuple[float, ...]
    scales: tuple[float, ...]
    steps: tuple[Step, ...]


@lru_cache(maxsize=256)
def _plan(grid: Grid, order: int) -> Plan:
    size = len(grid.low)
    exponents = [grid.exponent(column) for column in range(size)]
    far = [abs(exponent) > FAR for exponent in exponents]
    left = [0 if scaled else exponent for exponent, scaled in zip(exponents, far, strict=True)]
    steps = []
    # Sorted as words are: (0), (0, 0), (0, 0, 1), (0, 1).
    for key in sorted(_keys(size, order)):
        magic = math.ldexp(MAGIC, sum(left[column] for column in key))
        steps.append(Step(key, key[-1], magic, int(np.float64(magic).view(np.int64))))
    scales = (
        math.ldexp(1.0, -exponent) if scaled else 1.0
        for exponent, scaled in zip(exponents, far, strict=True)
    )
    return Plan(order, tuple(map(grid.pivot, range(size))), tuple(scales), tuple(steps))


def _keys(columns: int, most: int) -> tuple[tuple[int, ...], ...]:
    """Of all products of up to `most` columns."""
    return tuple(
        key
        for order in range(1, most + 1)
        for key in combinations_with_replacement(range(columns), order)
    )


def _lifted(plan: Plan, columns: Sequence[Floats]) -> Iterator[tuple[Step, Ints]]:
    """Every product of the plan, each value in −1…1 (in units of its power of two) rounded to whole
    units in the low bits of a float: cheaper than a conversion.
    """
    values = [
        _centred(column, pivot, scale)
        for column, pivot, scale in zip(columns, plan.pivots, plan.scales, strict=True)
    ]
    products: list[Floats] = [np.empty(0)] * plan.order
    for step in plan.steps:
        depth = len(step.key) - 1
        one = values[step.column]
        if depth:
            one = products[depth - 1] * one
        products[depth] = one
        # The last product is needed no more.
        last = depth and depth == plan.order - 1
        yield step, np.add(one, step.magic, out=one if last else None).view(np.int64)


def _centred(values: Floats, pivot: float, scale: float) -> Floats:
    """The same array where there is nothing to do."""
    centred = values - pivot if pivot else values
    return centred * scale if scale != 1 else centred


def _sum(bits: Ints) -> int:
    return int(np.add.reduce(bits))


def _whole(wrapped: int, n: int, step: Step) -> int:
    """The sum of n rounded values may wrap; the result cannot."""
    return (wrapped - n * step.bits + 2**63) % 2**64 - 2**63


def sums_of(columns: Columns, n: int, rows: int | None = None) -> Sums:
    """Of finite values."""
    return sum_on(grid_of(columns, n, rows), columns, n, rows)
