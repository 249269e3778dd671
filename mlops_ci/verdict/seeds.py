"""Retraining noise: how much of a change another training of the same would make.

An interval over rows speaks of two trained models. Two *ways of training* also differ by the luck
of each one's seed (Bouthillier et al. 2021, "Accounting for variance in machine learning
benchmarks", arXiv:2103.03098), whose variance is estimated from trainings that differ in nothing
else, and added: var = se² + s²(head) + s²(base), with the degrees of freedom of Welch and
Satterthwaite (1946, Biometrics Bulletin 2, 110–114, doi:10.2307/3002019). The estimate stays the
one of the models at hand, so each side counts as one training, not as the mean of several.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from mlops_ci.records.findings import Retraining
from mlops_ci.records.results import MetricResult
from mlops_ci.value import Value, field
from mlops_ci.verdict.quantiles import normal_quantile, two_sided_p
from mlops_ci.verdict.structs import replaced

LEAST_RUNS = 5  # of main's history


class Noise(Value, frozen=True):
    """The variance of one training's value, in the metric's unit squared, with its degrees of
    freedom; `trainings` is what it was estimated from."""

    variance: float
    df: int
    trainings: int


def noise_of_seeds(values: Sequence[float]) -> Noise | None:
    """One metric of trainings that differ in their seed. None of fewer than two, or not finite."""
    if len(values) < 2 or not all(map(math.isfinite, values)):
        return None
    import statistics

    return Noise(statistics.variance(values), len(values) - 1, len(values))


def noise_of_history(groups: Iterable[Sequence[float]]) -> Noise | None:
    """Main's runs of one metric, grouped by training key: the variance within groups, pooled.

    Runs of different keys differ by more than luck, so only those of one key are set against each
    other. None with fewer than LEAST_RUNS − 1 degrees of freedom (five runs of one key, or more of
    several), or where every run repeats another exactly: a fixed seed shows no luck.
    """
    found = [noise for noise in map(noise_of_seeds, groups) if noise is not None]
    df = sum(noise.df for noise in found)
    if df < LEAST_RUNS - 1:
        return None
    variance = sum(noise.variance * noise.df for noise in found) / df
    trainings = sum(noise.trainings for noise in found)
    return Noise(variance, df, trainings) if variance > 0 else None


class Trainings(Value, frozen=True):
    """What is known of both sides. (metric, slice) → its value in each training, seed 0 first;
    `history`: metric on all rows → main's noise, where a side was trained once."""

    head: Mapping[tuple[str, str | None], Sequence[float]] = field(default_factory=dict)
    base: Mapping[tuple[str, str | None], Sequence[float]] = field(default_factory=dict)
    history: Mapping[str, Noise] = field(default_factory=dict)

    def of(self, side: Literal["head", "base"], result: MetricResult) -> Noise | None:
        values = (self.head if side == "head" else self.base).get((result.metric, result.slice))
        found = noise_of_seeds(values) if values is not None else None
        if found is None and result.slice is None:
            return self.history.get(result.metric)
        return found


def widen_all(
    results: Iterable[MetricResult], trainings: Trainings, level: float
) -> tuple[tuple[MetricResult, ...], Retraining | None]:
    """Every change with the noise that is known of it, and whose that is."""
    if not (trainings.head or trainings.base or trainings.history):
        return tuple(results), None
    widened, known = [], dict[Literal["head", "base"], Noise]()
    for result in results:
        sides = {"head": trainings.of("head", result), "base": trainings.of("base", result)}
        noise = {side: found for side, found in sides.items() if found is not None}
        changed = widen(result, tuple(noise.values()), level)
        if changed.seeds is not None:
            known = noise | known  # type: ignore[assignment]
        widened.append(changed)
    if not known:
        return tuple(widened), None
    seen = trainings.history.values()
    return tuple(widened), Retraining(
        head=known["head"].trainings if "head" in known else None,
        base=known["base"].trainings if "base" in known else None,
        history=tuple(side for side, one in known.items() if any(one is old for old in seen)),
    )


def apart_by_luck(noise: Noise, level: float) -> float:
    """How far two trainings of the same lie apart at most, by luck alone, with probability `level`:
    t · s · √2, the prediction interval of their difference."""
    return student(level, noise.df) * math.sqrt(2 * noise.variance)


def widen(result: MetricResult, sides: Sequence[Noise], level: float) -> MetricResult:
    """The interval of the change with the noise of each side of which it is known.

    Each arm by itself, so that a skewed interval stays skewed: (arm / z)² is the rows' variance on
    that side, with no limit on its degrees of freedom since z, t or score have been paid for
    already. Never narrower. Two models that answer the same by construction are left as they are.
    """
    if not sides or result.low is None or result.high is None or result.difference is None:
        return result
    if result.low == result.high:
        return result
    z, at = normal_quantile(level), result.difference
    arms = [(at - result.low) / z, (result.high - at) / z]
    down, up = (_arm(max(arm, 0.0), sides, level) for arm in arms)
    variance = sum(noise.variance for noise in sides)
    return replaced(
        result,
        low=at - down,
        high=at + up,
        seeds=sum(noise.trainings for noise in sides),
        seed_sd=math.sqrt(variance),
        seed_df=_freedom(max(arms), sides) if variance else None,
    )


def _arm(se: float, sides: Sequence[Noise], level: float) -> float:
    total = se * se + sum(noise.variance for noise in sides)
    if total == se * se:
        return se * normal_quantile(level)
    return student(level, _freedom(se, sides)) * math.sqrt(total)


def _freedom(se: float, sides: Sequence[Noise]) -> float:
    """Satterthwaite's; the rows' own variance counts as known. Scaled: squares of squares of small
    numbers are nothing in floating point."""
    largest = max(se, *(math.sqrt(noise.variance) for noise in sides))
    parts = [(noise.variance / largest**2, noise.df) for noise in sides] if largest else []
    total = (se / largest) ** 2 + sum(part for part, _ in parts) if largest else 0.0
    spread = sum(part * part / df for part, df in parts)
    return total * total / spread if spread else math.inf


def student(level: float, df: float) -> float:
    """Student's t for any df ≥ 1; a hundred times slower than the series of `intervals`, and exact
    where two or three seeds need it."""
    if math.isinf(df):
        return normal_quantile(level)
    from scipy.special import stdtrit

    return max(float(stdtrit(df, 0.5 + level / 2)), normal_quantile(level))


def p_of_change(result: MetricResult) -> float:
    """Two-sided, of no change at all."""
    if not result.se or result.difference is None:
        return 1.0
    if not result.seed_sd or result.seed_df is None:
        return two_sided_p(result.difference / result.se)
    from scipy.special import stdtr

    t = abs(result.difference) / math.hypot(result.se, result.seed_sd)
    return 2 * float(stdtr(result.seed_df, -t))
