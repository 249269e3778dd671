"""Means of per-row quantities: their moments, and intervals from them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mlops_ci.verdict.aggregates.sums import BITS, Sums, sums_of
from mlops_ci.verdict.intervals import (
    Atoms,
    Interval,
    score_interval,
    skewed_interval,
    student_quantile,
)
from mlops_ci.verdict.rows import Floats, Ints

# Below this many rows Student's t does not yet cover a skewed loss; resampling does.
FEW_ROWS = 500
# With fewer rows than this that differ, a variance is a guess.
FEW_CHANGES = 10
# A variance that so few rows like its farthest would make up is one, too.
CARRIERS = 5
DRAWS = 4_000
SEED = 20_260_101
# More different values than this are taken together: a bound needs no more.
MAX_ATOMS = 1_000


@dataclass(frozen=True)
class Moments:
    """Of k columns over n rows: mean [k], scatter (sum of centred products) [k, k], and the mean of
    centred triple products [k, k, k].
    """

    n: int
    mean: Floats
    scatter: Floats
    third: Floats

    def variance(self, gradient: Floats) -> float:
        """Of a row's influence (delta method), with n − 1."""
        square = float(np.einsum("i,ij,j->", gradient, self.scatter, gradient))
        return max(square, 0.0) / max(self.n - 1, 1)

    def spread(self, gradient: Floats) -> Spread:
        variance = self.variance(gradient)
        cube = float(np.einsum("i,j,k,ijk->", gradient, gradient, gradient, self.third))
        return spread_of(self.n, variance, cube)


@dataclass(frozen=True)
class Spread:
    """Of an estimate: standard error, and skewness (third cumulant / se³)."""

    se: float
    skew: float


def spread_of(n: int, variance: float, cube: float) -> Spread:
    skew = cube / variance**1.5 / math.sqrt(n) if variance > 0 else 0.0
    return Spread(math.sqrt(variance / n), skew if math.isfinite(skew) else 0.0)


def moments_of(sums: Sums) -> Moments:
    """In whole numbers to the last step, so that nothing is lost to cancellation."""
    k, n, unit = len(sums.grid.low), sums.n, 1 << BITS
    total = sums.totals
    scale = [math.ldexp(1.0, sums.grid.exponent(i)) for i in range(k)]
    mean = np.array([sums.grid.pivot(i) + scale[i] * (total[(i,)] / (n * unit)) for i in range(k)])
    scatter, third = np.zeros((k, k)), np.zeros((k, k, k))
    for i, j in np.ndindex(k, k):
        both = _sorted(total, i, j)
        centred = n * both * unit - total[(i,)] * total[(j,)]
        scatter[i, j] = centred / (n * unit**2) * scale[i] * scale[j]
    for i, j, m in np.ndindex(k, k, k):
        one = [total[(c,)] for c in (i, j, m)]
        two = [_sorted(total, j, m), _sorted(total, i, m), _sorted(total, i, j)]
        centred = (
            n * n * _sorted(total, i, j, m) * unit**2
            - n * unit * sum(a * b for a, b in zip(one, two, strict=True))
            + 2 * one[0] * one[1] * one[2]
        )
        third[i, j, m] = centred / (n**3 * unit**3) * scale[i] * scale[j] * scale[m]
    return Moments(n, mean, scatter, third)


def _sorted(total: dict[tuple[int, ...], int], *key: int) -> int:
    return total[tuple(sorted(key))]


def moments_of_column(values: Floats) -> Moments:
    """Of finite values."""
    return moments_of(sums_of(lambda part: [values[part]], len(values)))


def mean_interval(influence: Floats, reach: tuple[float, float], level: float) -> Interval | None:
    """An interval around 0 for the mean of `influence` [n], whose sample mean is 0.

    `reach`: the smallest and largest value a row could have. From 500 rows on `large_interval`;
    below the studentised bootstrap (Efron & Tibshirani 1993, 12.5); where a few rows make up the
    variance, the score interval on what a row could be, or None when nothing bounds it.
    """
    n = len(influence)
    if not np.isfinite(influence).all():
        return None
    if n >= FEW_ROWS:
        return _of_many(influence, reach, level)
    ordered = np.sort(influence)
    scale = float(np.abs(ordered[[0, -1]]).max())
    varying = int((np.abs(ordered - ordered[n // 2]) > 1e-12 * scale).sum()) if scale else 0
    if varying < FEW_CHANGES:
        return bounded_interval(influence, reach, level)
    return _studentised(ordered, float(ordered.std(ddof=1)) / math.sqrt(n), level)


def _of_many(influence: Floats, reach: tuple[float, float], level: float) -> Interval | None:
    n, alone = len(influence), np.ones(1)
    moments = moments_of_column(influence)
    if few_rows_decide(moments.variance(alone) * (n - 1), float(np.abs(influence).max())):
        return bounded_interval(influence, reach, level)
    return large_interval(moments.spread(alone), n, level)


def few_rows_decide(square: float, extreme: float) -> bool:
    """Whether under `CARRIERS` rows like the farthest would make up the whole sum of squares:
    Lindeberg's condition, without which no mean is normal (Feller 1935). Down to it the skewness
    is enough of a correction: of 5 events in many rows Hall's interval is 1.5 … 13.7, the exact
    one 1.6 … 11.7.

    `extreme`: the largest distance from the mean.
    """
    return square <= CARRIERS * extreme * extreme * (1 - 1e-9)


def large_interval(spread: Spread, df: float, level: float) -> Interval:
    """Around 0: Student's t of a skewed mean, by Hall's monotone transformation (1992)."""
    return skewed_interval(
        spread.se, spread.skew, student_quantile(level, df - 1), "t, skew-adjusted"
    )


def bounded_interval(
    influence: Floats, reach: tuple[float, float], level: float
) -> Interval | None:
    """Around 0, from what a row could be; None when nothing bounds that."""
    if reach[1] <= reach[0]:
        return None
    values, counts = _atoms(influence)
    interval = score_interval(Atoms(values, counts, *reach), level, "score")
    return interval.shifted(-float((values * counts).sum() / counts.sum()))


def _atoms(values: Floats) -> tuple[Floats, Floats | Ints]:
    """Different values and how often each occurs; too many are taken together by their means."""
    unique, counts = np.unique(values, return_counts=True)
    if len(unique) <= MAX_ATOMS:
        return unique, counts.astype(np.float64)
    low, width = unique[0], (unique[-1] - unique[0]) / MAX_ATOMS
    where = np.minimum(((unique - low) / width).astype(np.int64), MAX_ATOMS - 1)
    rows = np.bincount(where, weights=counts)
    sums = np.bincount(where, weights=counts * unique)
    seen = rows > 0
    return np.asarray(sums[seen] / rows[seen]), np.asarray(rows[seen])


def _studentised(ordered: Floats, se: float, level: float) -> Interval:
    # The draws know positions; turned so that the tail points up, a sample and its mirror image
    # (base and head exchanged) get mirrored intervals.
    mirrored = float((ordered**3).sum()) < 0
    z = -ordered[::-1] if mirrored else ordered
    weights = _resamples(len(z))
    mean = np.einsum("bi,i->b", weights, z) / len(z)
    square = np.einsum("bi,i->b", weights, z * z) / len(z)
    spread = np.sqrt(np.maximum(square - mean * mean, 0.0) / (len(z) - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(spread > 0, mean / spread, np.sign(mean) * np.inf)
    lower, upper = np.quantile(t, [(1 - level) / 2, (1 + level) / 2])
    low, high = float(-upper * se), float(-lower * se)
    low, high = (-high, -low) if mirrored else (low, high)
    return Interval(low, high, se, "studentised bootstrap")


@lru_cache(maxsize=4)
def _resamples(n: int) -> Floats:
    """How often each of n rows is drawn, [DRAWS, n]: the same for every sample of n rows."""
    rows = np.random.default_rng(SEED).integers(0, n, size=(DRAWS, n))
    rows += np.arange(DRAWS)[:, None] * n
    counts = np.bincount(rows.ravel(), minlength=DRAWS * n)
    return counts.reshape(DRAWS, n).astype(np.float64)
