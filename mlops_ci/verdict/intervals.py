"""Two-sided intervals, and the one idea behind most of them.

A metric's change is, to first order, the mean over rows of an *influence* (its gradient in the
empirical distribution; the delta method, Efron's infinitesimal jackknife). `score_interval` bounds
such a mean by inverting the score test of a multinomial whose support is known. It is Wilson's
interval for values {0, 1} and Tango's for {−1, 0, 1}, and never has width zero while a value that
was not seen is possible.

Wilson 1927, "Probable inference, the law of succession, and statistical inference" (JASA 22,
209–212, doi:10.1080/01621459.1927.10502953). Tango 1998, "Equivalence test and confidence interval
for the difference in proportions for the paired-sample design" (Statistics in Medicine 17, 891–908,
doi:10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B). Owen 1988, "Empirical
likelihood ratio confidence intervals for a single functional" (Biometrika 75, 237–249,
doi:10.1093/biomet/75.2.237). Hall 1992, "On the removal of skewness by transformation" (JRSS B 54,
221–228; also in his "The bootstrap and Edgeworth expansion", 3.9, doi:10.1007/978-1-4612-4384-7).
Zou & Donner 2008, "Construction of confidence limits about effect measures: a general approach"
(Statistics in Medicine 27, 1693–1702, doi:10.1002/sim.3095). Zou 2007, "Toward using confidence
intervals to compare correlations" (Psychological Methods 12, 399–413,
doi:10.1037/1082-989X.12.4.399). Abramowitz & Stegun 1964, "Handbook of mathematical functions"
(https://personal.math.ubc.ca/~cbm/aands/).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np

from mlops_ci.verdict.quantiles import normal_quantile
from mlops_ci.verdict.rows import Floats, Ints


@dataclass(frozen=True)
class Interval:
    """`carriers`: how many rows carry the variance; infinite where nobody counted."""

    low: float
    high: float
    se: float
    method: str
    carriers: float = math.inf

    def shifted(self, by: float) -> Interval:
        return replace(self, low=self.low + by, high=self.high + by)

    def widened(self, by: float) -> Interval:
        return replace(self, low=self.low - by, high=self.high + by)


# Under so many degrees of freedom the expansion of Student's t is off in its third digit.
EXPANDED = 10
# Below it the cube root loses more digits than the quadratic leaves out.
SLIGHT = 1e-6
EXACTLY_ZERO = Interval(0.0, 0.0, 0.0, "identical models")


@cache
def student_quantile(level: float, df: float) -> float:
    """Student's t (Abramowitz & Stegun 26.7.5): from 400 degrees of freedom on exact to 11 digits,
    from 10 to 3, without the tenth of a second that importing scipy.special takes.
    """
    if df < 1:
        return math.inf
    if df < EXPANDED:
        from scipy.special import stdtrit

        return float(stdtrit(df, (1 + level) / 2))
    z = normal_quantile(level)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / df ** (power + 1) for power, term in enumerate(terms))


def upper_tail(z: float) -> float:
    """Of the normal distribution. scipy would be a quarter of a second of start-up."""
    return math.erfc(z / math.sqrt(2)) / 2


def upper_t(t: float, freedom: float) -> float:
    """Of Student's t, by its z (Abramowitz & Stegun 1964, 26.7.8)."""
    return upper_tail(t * (1 - 1 / (4 * freedom)) / math.sqrt(1 + t * t / (2 * freedom)))


def wilson(successes: float, n: float, level: float) -> Interval:
    """Wilson 1927: a proportion of fixed rows."""
    z = normal_quantile(level)
    share = successes / n
    centre = (successes + z * z / 2) / (n + z * z)
    half = z * math.sqrt(n * share * (1 - share) + z * z / 4) / (n + z * z)
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    se = math.sqrt(share * (1 - share) / n) or (high - low) / (2 * z)
    # At 0 and n the bound is 0 and 1 exactly; rounding must not move it past the estimate.
    return Interval(min(low, share), max(high, share), se, "Wilson")


def logit_interval(estimate: float, se: float, quantile: float, method: str) -> Interval:
    """For a value strictly inside 0…1: symmetric in the logit, so it stays inside."""
    logit = math.log(estimate / (1 - estimate))
    half = quantile * se / (estimate * (1 - estimate))
    low, high = (1 / (1 + math.exp(-(logit + side * half))) for side in (-1, 1))
    return Interval(low, high, se, method)


def skewed_interval(se: float, skew: float, quantile: float, method: str) -> Interval:
    """Around 0, of an estimate with skewness `skew` (third cumulant / se³): Hall 1992, the cubic
    without a turning point.

    The studentised estimate T has P(T ≤ x) = Φ(x) + skew·(2x² + 1)/6·φ(x) + O(1/n), so that
    g(T) = ((1 + aT)³ − 1)/(3a) + skew/6 with a = skew/3 is normal to O(1/n); `quantile` is turned
    back through it.
    """
    a = skew / 3

    def turned(y: float) -> float:
        y -= skew / 6
        if abs(a) < SLIGHT:
            return y - a * y * y
        return (math.cbrt(1 + 3 * a * y) - 1) / a

    return Interval(-turned(quantile) * se, -turned(-quantile) * se, se, method)


@dataclass(frozen=True)
class Atoms:
    """Values that a row can contribute, how many rows do, and the range of the possible ones.

    `lowest`, `highest` may have been taken by no row.
    """

    values: Floats
    counts: Floats | Ints
    lowest: float
    highest: float

    @property
    def n(self) -> float:
        return float(self.counts.sum())

    @property
    def mean(self) -> float:
        return float((self.values * self.counts).sum()) / self.n

    @property
    def se(self) -> float:
        mean = self.mean
        return math.sqrt(float((self.counts * (self.values - mean) ** 2).sum())) / self.n


def score_interval(atoms: Atoms, level: float, method: str = "score") -> Interval:
    """Bounds of the mean: all δ that the score test does not reject.

    The restricted likelihood's maximum for a given mean is p ∝ count / (s + distance from the
    extreme), s ≥ 0 (the weights of Owen 1988, whose test is the likelihood ratio's); once s = 0
    what remains goes to the extreme itself. For {−1, 0, 1} this is Tango 1998, for {0, 1} Wilson
    1927.
    """
    z = normal_quantile(level)
    mean = atoms.mean
    seen = atoms.counts > 0
    values, counts = atoms.values[seen], np.asarray(atoms.counts[seen], dtype=np.float64)
    up = _upper_reach(max(atoms.highest, float(values.max())) - values, counts, z)
    down = _upper_reach(values - min(atoms.lowest, float(values.min())), counts, z)
    se = atoms.se or (up + down) / (2 * z)
    return Interval(mean - down, mean + up, se, method)


# Up to so many atoms Python's own floats are quicker than arrays.
FEW_ATOMS = 32
# Of a root that is sought: the logarithm lies in −40…40, and near the guess where rows are many.
MOST, FIRST_STEP = 40.0, 0.125


def _upper_reach(distance: Floats, counts: Floats, z: float) -> float:
    """How far above the mean the bound lies; `distance` ≥ 0 is measured from the highest value."""
    scale = float(distance.max())
    if scale <= 0:
        return 0.0
    distance, z = distance / scale, z / math.sqrt(float(counts.sum()))
    centre = float((counts * distance).sum() / counts.sum())
    if len(counts) <= FEW_ATOMS:
        tilted = partial(_tilted_few, list(zip(distance.tolist(), counts.tolist(), strict=True)))
    else:
        tilted = partial(_tilted, distance, counts)
    if distance.min() > 0:
        mean, square = tilted(0.0)
        if centre - mean <= z * math.sqrt(max(square - mean * mean, 0.0)):
            return _reach_beyond(centre, mean, square, z) * scale

    def excess(log_s: float) -> float:
        mean, square = tilted(math.exp(log_s))
        return centre - mean - z * math.sqrt(max(square - mean * mean, 0.0))

    # Of many rows s is about the standard deviation of one in units of z/√n.
    spread = math.sqrt(float((counts * (distance - centre) ** 2).sum() / counts.sum()))
    guess = math.log(spread / z) if spread > 0 else 0.0
    return (centre - tilted(math.exp(_root_of(excess, guess)))[0]) * scale


def _tilted(distance: Floats, counts: Floats, s: float) -> tuple[float, float]:
    """Mean and mean square of the distance in the likeliest distribution for `s`."""
    tilt = counts / (s + distance)
    total = float(tilt.sum())
    tilt *= distance
    mean = float(tilt.sum()) / total
    tilt *= distance
    return mean, float(tilt.sum()) / total


def _tilted_few(atoms: list[tuple[float, float]], s: float) -> tuple[float, float]:
    total = first = second = 0.0
    for distance, count in atoms:
        tilt = count / (s + distance)
        total += tilt
        first += tilt * distance
        second += tilt * distance * distance
    return first / total, second / total


def _reach_beyond(centre: float, mean: float, square: float, z: float) -> float:
    """The reach when a share ε of the rows must take the highest value, which none has taken yet.

    Solves (d + ε·m)² = z²·((1 − ε)·q − (1 − ε)²·m²) with d = c − m, z in units of √n.
    """
    d, variance = centre - mean, max(square - mean * mean, 0.0)
    a = mean * mean * (1 + z * z)
    b = 2 * d * mean - z * z * (2 * mean * mean - square)
    c = d * d - z * z * variance
    root = math.sqrt(max(b * b - 4 * a * c, 0.0))
    share = -2 * c / (b + root) if b > 0 else (root - b) / (2 * a)
    return d + share * mean


def _root_of(falling: Callable[[float], float], guess: float) -> float:
    """Where a falling function crosses zero between −40 and 40: steps from the guess that double,
    then Illinois steps.
    """
    low = high = min(max(guess, -MOST), MOST)
    at_low = at_high = falling(low)
    step = FIRST_STEP
    while at_high > 0 and high < MOST:
        low, at_low = high, at_high
        high = min(high + step, MOST)
        at_high, step = falling(high), 2 * step
    while at_low <= 0 and low > -MOST:
        high, at_high = low, at_low
        low = max(low - step, -MOST)
        at_low, step = falling(low), 2 * step
    middle = high
    for _ in range(60):
        if high - low < 1e-12 or at_high == at_low:
            break
        previous, middle = middle, (low * at_high - high * at_low) / (at_high - at_low)
        value = falling(middle)
        if value == 0 or abs(middle - previous) < 1e-13:
            break
        if value > 0:
            low, at_low, at_high = middle, value, at_high / 2
        else:
            high, at_high, at_low = middle, value, at_low / 2
    return middle


def mover(
    base: tuple[float, Interval], head: tuple[float, Interval], correlation: float = 0.0
) -> Interval:
    """head − base of two samples, from their own intervals (Zou & Donner 2008); of estimates that
    are not independent with their correlation (Zou 2007).
    """
    (b, own_b), (h, own_h) = base, head

    def joined(one: float, other: float) -> float:
        return math.sqrt(max(one * one + other * other - 2 * correlation * one * other, 0.0))

    low = (h - b) - joined(h - own_h.low, own_b.high - b)
    high = (h - b) + joined(own_h.high - h, b - own_b.low)
    said = "two samples, MOVER" if not correlation else "samples with common rows, MOVER"
    return Interval(low, high, joined(own_b.se, own_h.se), said)
