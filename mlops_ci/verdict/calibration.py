"""Expected calibration error over ten equal bins of the score."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mlops_ci.verdict.aggregates.gaps import BINS, Gaps
from mlops_ci.verdict.clusters import ClusterGaps
from mlops_ci.verdict.intervals import Interval
from mlops_ci.verdict.quantiles import normal_quantile
from mlops_ci.verdict.rows import Floats

DRAWS = 10_000
SEED = 20_260_102
# A gap this many standard errors from 0 has a certain sign.
SURE = 3.0


def calibration_error(gaps: Gaps | ClusterGaps, side: int) -> float:
    return float(np.abs(gaps.mean[side * BINS : (side + 1) * BINS]).sum())


def calibration_intervals(gaps: Gaps | ClusterGaps, sides: int, level: float) -> list[Interval]:
    """Of each side's own error and, with two sides, of head − base (last).

    The bins' mean gaps are drawn from their joint normal distribution. Where a gap's sign is
    certain (3 SE) the error moves with the gap; where it is not, an absolute value may move by as
    much as the gap, either way: the interval covers both, so it is wide where the error has no
    derivative, rather than short.
    """
    covariance, mean = gaps.covariance, gaps.mean
    noise = _noise(covariance)
    certain = np.abs(mean) > SURE * np.sqrt(np.diag(covariance))
    sign = np.where(certain, np.sign(mean), 0.0)
    moved = [_moved(noise, sign, slice(side * BINS, (side + 1) * BINS)) for side in range(sides)]
    seen = [calibration_error(gaps, side) for side in range(sides)]
    found = [_interval(seen[side], moved[side], level) for side in range(sides)]
    found = [replace(one, low=max(0.0, one.low)) for one in found]
    if sides > 1:
        (base, open_base), (head, open_head) = moved
        found.append(_interval(seen[1] - seen[0], (head - base, open_head + open_base), level))
    return found


def _moved(noise: Floats, sign: Floats, bins: slice) -> tuple[Floats, Floats]:
    """Per draw: the error's excess from bins of certain sign, and the most that others may add."""
    part = noise[:, bins]
    certain = np.einsum("dk,k->d", part, sign[bins])
    return np.asarray(certain), np.abs(part[:, sign[bins] == 0]).sum(axis=1)


def _interval(seen: float, moved: tuple[Floats, Floats], level: float) -> Interval:
    certain, uncertain = moved
    tail = (1 + level) / 2
    low = seen - float(np.quantile(uncertain + certain, tail))
    high = seen + float(np.quantile(uncertain - certain, tail))
    se = (high - low) / (2 * normal_quantile(level))
    return Interval(low, high, se, f"normal draws over {BINS} bins")


def _noise(covariance: Floats) -> Floats:
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    draws = np.random.default_rng(SEED).standard_normal((DRAWS, len(values)))
    return np.asarray(np.einsum("dk,jk->dj", draws, root))
