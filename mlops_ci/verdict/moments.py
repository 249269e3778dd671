"""Means of per-row quantities: moments that merge, and intervals from them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mlops_ci.verdict.intervals import Atoms, Interval, score_interval, student_quantile
from mlops_ci.verdict.rows import Floats

# Below this many rows Student's t does not yet cover a skewed loss; resampling does.
FEW_ROWS = 500
# With fewer rows than this that differ, a variance is a guess.
FEW_CHANGES = 10
DRAWS = 4_000
SEED = 20_260_101


@dataclass(frozen=True)
class Moments:
    """Mean [k] and scatter (sum of centred cross-products) [k, k] of k columns over n rows."""

    n: int
    mean: Floats
    scatter: Floats

    def merged(self, other: Moments) -> Moments:
        """Chan, Golub & LeVeque 1979."""
        n = self.n + other.n
        step = other.mean - self.mean
        cross = np.outer(step, step) * (self.n * other.n / n)
        mean = self.mean + step * (other.n / n)
        return Moments(n, mean, self.scatter + other.scatter + cross)

    def se(self, gradient: Floats) -> float:
        """Standard error of a smooth function of the means (delta method)."""
        variance = float(np.einsum("i,ij,j->", gradient, self.scatter, gradient)) / (self.n - 1)
        return math.sqrt(max(variance, 0.0) / self.n)


def moments_of(columns: Floats) -> Moments:
    """`columns` [n, k]. Rows are summed in sorted order where order could show: see `mean`."""
    n = len(columns)
    mean = columns.sum(axis=0) / n
    centred = columns - mean
    return Moments(n, mean, np.einsum("ni,nj->ij", centred, centred))


def mean_interval(influence: Floats, reach: tuple[float, float], level: float) -> Interval | None:
    """An interval around 0 for the mean of `influence` [n], whose sample mean is 0.

    `reach`: the smallest and largest value a row could have. Student's t; below 500 rows the
    studentised bootstrap (Efron & Tibshirani 1993, 12.5); where fewer than ten rows differ, the
    score interval on what a row could be, or None when nothing bounds it.
    """
    n = len(influence)
    ordered = np.sort(influence)
    scale = float(np.abs(ordered[[0, -1]]).max())
    varying = int((np.abs(ordered - ordered[n // 2]) > 1e-12 * scale).sum()) if scale else 0
    if varying < FEW_CHANGES:
        return _bounded(ordered, reach, level)
    se = float(ordered.std(ddof=1)) / math.sqrt(n)
    if n < FEW_ROWS:
        return _studentised(ordered, se, level)
    half = student_quantile(level, n - 1) * se
    return Interval(-half, half, se, "t")


def _bounded(ordered: Floats, reach: tuple[float, float], level: float) -> Interval | None:
    if reach[1] <= reach[0]:
        return None
    values, counts = np.unique(ordered, return_counts=True)
    interval = score_interval(Atoms(values, counts, *reach), level, "score")
    return interval.shifted(-float(ordered.mean()))


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
