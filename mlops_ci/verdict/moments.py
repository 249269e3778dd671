"""Means of per-row quantities: their moments, and intervals from them.

Hall 1992, "On the removal of skewness by transformation" (JRSS B 54, 221–228; also in his "The
bootstrap and Edgeworth expansion", 3.9, doi:10.1007/978-1-4612-4384-7). Efron & Tibshirani 1993,
"An introduction to the bootstrap" (Chapman & Hall, ISBN 978-0-412-04231-7). How many degrees of
freedom a variance is worth: Satterthwaite 1946, "An approximate distribution of estimates of
variance components" (Biometrics Bulletin 2, 110–114, doi:10.2307/3002019), with the variance of a
variance that Box 1953 has ("Non-normality and tests on variances", Biometrika 40, 318–335,
doi:10.1093/biomet/40.3-4.318). Feller 1935, "Über den zentralen Grenzwertsatz der
Wahrscheinlichkeitsrechnung" (Mathematische Zeitschrift 40, 521–559, doi:10.1007/BF01201480). What
`large_interval` adds for heavy tails is our own, found by simulation; that no interval from the
rows alone can know them: Bahadur & Savage 1956 (Annals Math. Statistics 27, 1115–1122,
doi:10.1214/aoms/1177728077).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product

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
CARRIERS = 3
# What differs by less than this share of what a row could be differs by rounding: by nothing.
SLIGHT = 1e-12
# Fewer degrees of freedom than these are not estimated from a fourth moment: of placements, which
# are bounded, and of losses, which are not.
FEWEST = 10.0
FEWEST_OF_LOSSES = 2.0
# Of so many rows like them the skewness is known, of so few not even its sign.
KNOWN, UNKNOWN = 15.0, 3.0
# How much of the square of a mean's skewness the cubic leaves out, of a tail not seen to its end.
UNSEEN = 3.0
DRAWS = 4_000
BEYOND, MOST_BATCHES = 20, 25
SEED = 20_260_101
# More different values than this are taken together: a bound needs no more.
MAX_ATOMS = 1_000


@dataclass(frozen=True)
class Moments:
    """Of k columns over n rows: `mean` [k], and the means of products of centred columns by sorted
    tuple of columns, to the order of the sums.
    """

    n: int
    mean: Floats
    centred: dict[tuple[int, ...], float]

    def power(self, gradient: Floats, order: int) -> float:
        """Mean of a power of a row's influence (delta method)."""
        chosen = [i for i, weight in enumerate(gradient) if weight]
        return math.fsum(
            math.prod(float(gradient[i]) for i in key) * self.centred[tuple(sorted(key))]
            for key in product(chosen, repeat=order)
        )

    def variance(self, gradient: Floats) -> float:
        """Of a row's influence, with n − 1."""
        return max(self.power(gradient, 2), 0.0) * self.n / max(self.n - 1, 1)

    def spread(self, gradient: Floats) -> Spread:
        variance = self.variance(gradient)
        se, cube = math.sqrt(variance / self.n), self.power(gradient, 3) / math.sqrt(self.n)
        skew = cube / variance**1.5 if variance > 0 else 0.0
        return Spread(se, skew if math.isfinite(skew) else 0.0)

    def carriers(self, gradient: Floats) -> float:
        """How many rows carry the variance, (Σd²)²/Σd⁴ = n/κ: of k rows that differ alike k, a
        third of normal ones, one where one is all there is (Kish's count, of squares). Without
        sums of the fourth order all do.
        """
        if max(map(len, self.centred)) < 4:
            return math.inf
        fourth = self.power(gradient, 4)
        return self.n * self.power(gradient, 2) ** 2 / fourth if fourth > 0 else math.inf

    def freedom(self, gradient: Floats, fewest: float = FEWEST) -> float:
        """Degrees of freedom that the variance is worth: those of a χ² that varies as much as it
        does, 2n/(κ − 1) with the kurtosis κ, n for a normal (Satterthwaite 1946; Box 1953). Without
        sums of the fourth order n − 1: there are rows enough.
        """
        if max(map(len, self.centred)) < 4:
            return float(self.n - 1)
        square = self.power(gradient, 2)
        kurtosis = self.power(gradient, 4) / square**2 if square > 0 else 3.0
        worth = 2 * self.n / (kurtosis - 1) - 1 if kurtosis > 1 else math.inf
        return max(min(worth, float(self.n - 1)), fewest)


@dataclass(frozen=True)
class Spread:
    """Of an estimate: standard error, and skewness (third cumulant / se³)."""

    se: float
    skew: float


def moments_of(sums: Sums) -> Moments:
    scale = [math.ldexp(1.0, sums.grid.exponent(i)) for i in range(len(sums.grid.low))]
    mean = np.array(
        [
            sums.grid.pivot(i) + one * (sums.totals[(i,)] / (sums.n << BITS))
            for i, one in enumerate(scale)
        ]
    )
    centred = {
        key: _centred(sums, key) * math.prod(scale[i] for i in key)
        for key in sums.totals
        if len(key) > 1
    }
    return Moments(sums.n, mean, centred)


def _centred(sums: Sums, key: tuple[int, ...]) -> float:
    """Mean of Π(xᵢ − x̄ᵢ), multiplied out over the subsets of factors that give their mean. In whole
    numbers to the last step, so that nothing is lost to cancellation.
    """
    order, unit = len(key), sums.n << BITS
    whole: int = 0
    for taken in product((False, True), repeat=order):
        means: int = math.prod(
            -sums.totals[(i,)] for i, take in zip(key, taken, strict=True) if take
        )
        rest = tuple(i for i, take in zip(key, taken, strict=True) if not take)
        total = sums.totals[rest] if rest else unit
        whole += means * total * unit ** (order - sum(taken)) // unit
    mean: float = whole / unit**order
    return mean


def moments_of_column(values: Floats) -> Moments:
    """Of finite values."""
    return moments_of(sums_of(lambda part: [values[part]], len(values)))


def mean_interval(influence: Floats, reach: tuple[float, float], level: float) -> Interval | None:
    """An interval around 0 for the mean of `influence` [n], whose sample mean is 0.

    `reach`: the smallest and largest value a row could have. From 500 rows on `large_interval`;
    below, on each side, the longer of it and the studentised bootstrap (Efron & Tibshirani 1993,
    12.5), which cannot draw a tail that was not seen; where a few rows make up the variance, the
    score interval on what a row could be, or None when nothing bounds it.
    """
    n = len(influence)
    if not np.isfinite(influence).all():
        return None
    ordered = np.sort(influence)
    extreme, apart = float(np.abs(ordered[[0, -1]]).max()), reach[1] - reach[0]
    moments = moments_of_column(influence)
    if n < FEW_ROWS:
        slight = SLIGHT * max(extreme, apart)
        few = int((np.abs(ordered - ordered[n // 2]) > slight).sum()) < FEW_CHANGES
    else:
        few = few_rows_decide(moments.variance(np.ones(1)) * (n - 1), extreme, apart)
    if few:
        return bounded_interval(influence, reach, level)
    found = large_interval(moments, np.ones(1), reach, level)
    if n >= FEW_ROWS:
        return found
    drawn = _studentised(ordered, float(ordered.std(ddof=1)) / math.sqrt(n), level)
    low, high = min(drawn.low, found.low), max(drawn.high, found.high)
    return replace(drawn, low=low, high=high, carriers=found.carriers)


def few_rows_decide(square: float, extreme: float, reach: float) -> bool:
    """Whether no row differs by more than rounding (`prediction = label + 0.1` is not off by 0.1
    exactly), or under `CARRIERS` rows like the farthest would make up the whole sum of squares:
    Lindeberg's condition, without which no mean is normal (Feller 1935). Down to it the skewness
    is enough of a correction: of 3 events in many rows Hall's interval is 0.5 … 17, the exact one
    0.6 … 8.8.

    `extreme`: the largest distance from the mean. `reach`: how far apart two rows could lie.
    """
    return extreme <= SLIGHT * reach or square <= CARRIERS * extreme * extreme * (1 - 1e-9)


def large_interval(
    moments: Moments, gradient: Floats, reach: tuple[float, float], level: float
) -> Interval:
    """Around 0: Student's t of a skewed mean, by Hall's monotone transformation (1992), and what it
    leaves out where few rows carry the variance, so that the heaviest rows of all may not be seen.

    On the side of the long tail the next term, which goes with the square of the skewness. On the
    other side the skewness shortens: of the difference of two heavy-tailed losses it may have the
    wrong sign, that of its one largest row, so it counts the less the fewer `Moments.carriers` are
    (and the farther a row could be on that side: `reach`). Found by simulation of normal,
    exponential, log-normal and Student t(3) errors of 60 … 1,000 rows.
    """
    spread = moments.spread(gradient)
    quantile = student_quantile(level, moments.freedom(gradient, FEWEST_OF_LOSSES))
    found = skewed_interval(spread.se, spread.skew, quantile, "t, skew-adjusted")
    tail, other = (found.high, -found.low) if spread.skew > 0 else (-found.low, found.high)
    ahead, behind = (reach[1], -reach[0]) if spread.skew > 0 else (-reach[0], reach[1])
    tail *= 1 + UNSEEN * spread.skew**2
    carriers = moments.carriers(gradient)
    doubt = (KNOWN - carriers) / (KNOWN - UNKNOWN)
    if ahead > 0:
        doubt *= min(max(behind / ahead, 0.0), 1.0)
    other += min(max(doubt, 0.0), 1.0) * max(tail - other, 0.0)
    low, high = (-other, tail) if spread.skew > 0 else (-tail, other)
    return replace(found, low=low, high=high, carriers=carriers)


def bounded_interval(
    influence: Floats, reach: tuple[float, float], level: float
) -> Interval | None:
    """Around 0, from what a row could be; None when nothing bounds that."""
    if reach[1] <= reach[0]:
        return None
    middle = np.sort(influence)[len(influence) // 2]
    slight = np.abs(influence - middle) <= SLIGHT * (reach[1] - reach[0])
    values, counts = _atoms(np.where(slight, middle, influence))
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
    t = np.concatenate(
        [
            _t_of(z, _resamples(len(z)) if batch == 0 else _drawn(len(z), [SEED, batch]))
            for batch in range(_batches(level))
        ]
    )
    lower, upper = np.quantile(t, [(1 - level) / 2, (1 + level) / 2])
    low, high = float(-upper * se), float(-lower * se)
    low, high = (-high, -low) if mirrored else (low, high)
    return Interval(low, high, se, "studentised bootstrap")


def _t_of(z: Floats, weights: Floats) -> Floats:
    mean = np.einsum("bi,i->b", weights, z) / len(z)
    square = np.einsum("bi,i->b", weights, z * z) / len(z)
    spread = np.sqrt(np.maximum(square - mean * mean, 0.0) / (len(z) - 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(spread > 0, mean / spread, np.sign(mean) * np.inf))


def _batches(level: float) -> int:
    """So many that `BEYOND` draws lie in each tail: of a shared error rate these are thin."""
    return min(MOST_BATCHES, max(1, math.ceil(2 * BEYOND / (1 - level) / DRAWS - 1e-9)))


@lru_cache(maxsize=4)
def _resamples(n: int) -> Floats:
    return _drawn(n, SEED)


def _drawn(n: int, seed: int | list[int]) -> Floats:
    """How often each of n rows is drawn, [DRAWS, n]: the same for every sample of n rows."""
    rows = np.random.default_rng(seed).integers(0, n, size=(DRAWS, n))
    rows += np.arange(DRAWS)[:, None] * n
    counts = np.bincount(rows.ravel(), minlength=DRAWS * n)
    return counts.reshape(DRAWS, n).astype(np.float64)
