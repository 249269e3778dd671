"""Numbers: errors of a normal distribution around evenly spread labels, or in proportion to labels
with a long tail (prices, durations); and a column of numbers of the rows' own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from benchmarks.coverage.tally import Truth
from benchmarks.coverage.worlds import MOOD, SPREAD, WORTH, Floats
from mlops_ci.config.model import Policy
from mlops_ci.records.results import MetricResult
from mlops_ci.verdict import Outputs, PairedRows
from mlops_ci.verdict.comparing import result_of
from mlops_ci.verdict.measuring import measure
from mlops_ci.verdict.part import Part
from mlops_ci.verdict.rows import view_of

LOW, HIGH = 5.0, 15.0
SIGMA = 0.5  # of the logarithm of a label, and of a row's cost
BIAS, BASE, HEAD = 0.1, 0.30, 0.31  # of errors: mean, standard deviations
SCALE = 4.0  # and how much larger they are where they do not grow with the label
DEARER = 1.02
COST = "cost"


@dataclass(frozen=True)
class Numbers:
    """`tailed`: labels are lognormal, and errors are in proportion to them."""

    n: int
    correlation: float
    tailed: bool = False
    group: int = 1
    weighted: bool = False
    estimators: tuple[str, ...] = ("mae", "mse", "rmse", "mape", "r2", "pinball_loss@0.9", COST)

    @property
    def table(self) -> str:
        if self.weighted:
            return "numbers, rows with weights"
        return "numbers" if self.group == 1 else "numbers, ten rows a group"

    @property
    def units(self) -> int:
        return int(self.n * WORTH) if self.weighted else self.n // self.group

    @property
    def region(self) -> str:
        return "long tail" if self.tailed else "normal errors"

    @property
    def weight(self) -> float:
        return min(1.0, float((5_000 / self.n) ** 0.5))

    def truths(self) -> dict[str, Truth]:
        base, head = (_population(spread, tailed=self.tailed) for spread in (BASE, HEAD))
        return {name: Truth(base[name], head[name]) for name in base} | {
            COST: Truth(_mean_cost(), DEARER * _mean_cost())
        }

    def median_error(self) -> Truth:
        return Truth(*(_median(spread, tailed=self.tailed) for spread in (BASE, HEAD)))

    def sample(self, rng: np.random.Generator) -> Iterable[MetricResult]:
        part = Part(view_of(self.draw(rng)), Policy(), None)
        return (result_of(name, part, measure(part, name), "paired") for name in self.estimators)

    def draw(self, rng: np.random.Generator) -> PairedRows:
        n = self.n
        label = rng.lognormal(0, SIGMA, n) if self.tailed else rng.uniform(LOW, HIGH, n)
        sides = [
            Outputs(
                label - (BIAS + spread * z) * (label if self.tailed else SCALE),
                values={COST: dearer * np.exp(SIGMA * cost)},
            )
            for spread, dearer, z, cost in zip(
                (BASE, HEAD), (1.0, DEARER), self._pair(rng), self._pair(rng), strict=True
            )
        ]
        return PairedRows(
            "regression",
            (),
            label,
            sides[0],
            sides[1],
            group=np.arange(n) // self.group if self.group > 1 else None,
            weight=rng.lognormal(0, SPREAD, n) if self.weighted else None,
            values={COST: False},
        )

    def _pair(self, rng: np.random.Generator) -> tuple[Floats, Floats]:
        shared = math.sqrt(self.correlation) * self._noise(rng)
        own = math.sqrt(1 - self.correlation)
        return shared + own * self._noise(rng), shared + own * self._noise(rng)

    def _noise(self, rng: np.random.Generator) -> Floats:
        noise = rng.normal(size=self.n)
        if self.group == 1:
            return noise
        mood = np.repeat(rng.normal(size=-(-self.n // self.group)), self.group)[: self.n]
        return np.asarray(math.sqrt(MOOD) * mood + math.sqrt(1 - MOOD) * noise)


def _mean_cost() -> float:
    return math.exp(SIGMA**2 / 2)


@lru_cache(maxsize=8)
def _population(spread: float, *, tailed: bool) -> dict[str, float]:
    """Of errors with mean BIAS and this standard deviation, times the label or SCALE."""
    from scipy.special import ndtr

    t = BIAS / spread
    under = spread * math.exp(-t * t / 2) / math.sqrt(2 * math.pi) + BIAS * float(ndtr(t))
    over = under - BIAS
    square = BIAS**2 + spread**2
    if tailed:
        first, second, inverse = _mean_cost(), math.exp(2 * SIGMA**2), 1.0
        variance = second - first**2
    else:
        first, second = SCALE, SCALE**2
        inverse = SCALE * math.log(HIGH / LOW) / (HIGH - LOW)
        variance = (HIGH - LOW) ** 2 / 12
    mse = square * second
    return {
        "mae": (under + over) * first,
        "mse": mse,
        "rmse": math.sqrt(mse),
        "mape": (under + over) * inverse,
        "r2": 1 - mse / variance,
        "pinball_loss@0.9": (0.9 * under + 0.1 * over) * first,
        "wape": (under + over) * first / (_mean_cost() if tailed else (LOW + HIGH) / 2),
    }


@lru_cache(maxsize=8)
def _median(spread: float, *, tailed: bool) -> float:
    """Of the absolute error: where its distribution function is a half."""
    from scipy.special import ndtr

    logs = np.linspace(-8, 8, 4_001)
    weight = np.exp(-(logs**2) / 2)
    scale = np.exp(SIGMA * logs) if tailed else np.full_like(logs, SCALE)
    low, high = 0.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        inside = ndtr((middle / scale - BIAS) / spread) - ndtr((-middle / scale - BIAS) / spread)
        below = float((weight * inside).sum() / weight.sum())
        low, high = (middle, high) if below < 0.5 else (low, middle)
    return low


def scenes(*, quick: bool) -> list[Numbers]:
    sizes = (200, 1_000) if quick else (200, 500, 1_000, 5_000, 20_000, 100_000)
    plain = [
        Numbers(n, correlation, tailed)
        for n in sizes
        for correlation in (0.0, 0.5, 0.95)
        for tailed in (False, True)
    ]
    users = [
        Numbers(n, 0.5, tailed, group=10)
        for n in ((1_000,) if quick else (1_000, 5_000, 20_000))
        for tailed in (False, True)
    ]
    weighed = [
        Numbers(n, 0.5, tailed, weighted=True)
        for n in ((1_000,) if quick else (1_000, 5_000, 20_000))
        for tailed in (False, True)
    ]
    return [*plain, *users, *weighed]
