"""Expected calibration error over ten equal bins of the score.

Naeini, Cooper & Hauskrecht 2015, "Obtaining well calibrated probabilities using Bayesian binning"
(AAAI 29, doi:10.1609/aaai.v29i1.9602): of each bin the share of rows beside the mean score of the
positive class; of many classes the likeliest one's score, and whether it was right: Guo et al.
2017, "On calibration of modern neural networks" (ICML 34, arXiv:1706.04599), equation 3. What was
not seen: Wilson 1927 (JASA 22, 209–212, doi:10.1080/01621459.1927.10502953). The interval is our
own: `calibration_intervals` says how it is made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mlops_ci.verdict.aggregates.exact import sum_by, sum_of
from mlops_ci.verdict.aggregates.gaps import BINS, Gaps
from mlops_ci.verdict.clusters import ClusterGaps, Clusters
from mlops_ci.verdict.intervals import Interval
from mlops_ci.verdict.moments import FEW_CHANGES
from mlops_ci.verdict.quantiles import normal_quantile
from mlops_ci.verdict.rows import Floats, View

DRAWS = 10_000
SEED = 20_260_102
# A gap this many standard errors from 0 has a certain sign.
SURE = 3.0


def calibration_error(gaps: Gaps | ClusterGaps, side: int) -> float:
    return float(np.abs(gaps.mean[side * BINS : (side + 1) * BINS]).sum())


@dataclass(frozen=True)
class Sampled:
    """What was sampled: `units` rows, or groups of them; `most`: the weight of the heaviest unit,
    the mean one's being 1.
    """

    units: int
    most: float = 1.0

    def unseen(self, level: float) -> float:
        """How much of the weight may be with units of a kind that was not seen: Wilson's (1927)
        upper bound of a share of which there is none."""
        z = normal_quantile(level) ** 2
        return self.most * z / (self.units + z)

    def few_vary(self, covariance: Floats) -> bool:
        """Whether so few units as tell no variance could make up that of all changes of gaps: one
        adds at most 2 to the sum of their squares."""
        base, head = covariance[:BINS, :BINS], covariance[BINS:, BINS:]
        squares = float(np.trace(base) + np.trace(head) - 2 * np.trace(covariance[:BINS, BINS:]))
        return squares * (self.units / self.most) ** 2 < 2 * FEW_CHANGES


def sampled_of(view: View, clusters: Clusters | None) -> Sampled:
    weight = view.weight
    if clusters is None:
        if weight is None:
            return Sampled(view.n)
        return Sampled(view.n, float(weight.max()) * view.n / sum_of(weight))
    weight = np.ones(view.n) if weight is None else weight
    sums = sum_by(clusters.codes, weight, clusters.groups)
    return Sampled(clusters.groups, float(sums.max()) * clusters.groups / sum_of(weight))


def calibration_intervals(
    gaps: Gaps | ClusterGaps, sides: int, level: float, sampled: Sampled
) -> list[Interval]:
    """Of each side's own error and, with two sides, of head − base (last).

    The bins' mean gaps are drawn from their joint normal distribution. Where a gap's sign is
    certain (3 SE) the error moves with the gap; where it is not, an absolute value may move by as
    much as the gap, either way: the interval covers both, so it is wide where the error has no
    derivative, rather than short. What no row has shown is added in squares, so that no error is
    certain: a row can be worth 1 of an error, and 2 of a change where hardly a row's varies.
    """
    unseen = sampled.unseen(level)
    covariance, mean = gaps.covariance, gaps.mean
    noise = _noise(covariance)
    certain = np.abs(mean) > SURE * np.sqrt(np.diag(covariance))
    sign = np.where(certain, np.sign(mean), 0.0)
    moved = [_moved(noise, sign, slice(side * BINS, (side + 1) * BINS)) for side in range(sides)]
    seen = [calibration_error(gaps, side) for side in range(sides)]
    found = [_interval(seen[side], moved[side], level, unseen) for side in range(sides)]
    found = [Interval(max(0.0, one.low), min(1.0, one.high), one.se, one.method) for one in found]
    if sides > 1:
        (base, open_base), (head, open_head) = moved
        both = head - base, open_head + open_base
        more = 2 * unseen if sampled.few_vary(covariance) else 0.0
        found.append(_interval(seen[1] - seen[0], both, level, more))
    return found


def _moved(noise: Floats, sign: Floats, bins: slice) -> tuple[Floats, Floats]:
    """Per draw: the error's excess from bins of certain sign, and the most that others may add."""
    part = noise[:, bins]
    certain = np.einsum("dk,k->d", part, sign[bins])
    return np.asarray(certain), np.abs(part[:, sign[bins] == 0]).sum(axis=1)


def _interval(seen: float, moved: tuple[Floats, Floats], level: float, unseen: float) -> Interval:
    certain, uncertain = moved
    tail = (1 + level) / 2
    low = seen - math.hypot(max(0.0, float(np.quantile(uncertain + certain, tail))), unseen)
    high = seen + math.hypot(max(0.0, float(np.quantile(uncertain - certain, tail))), unseen)
    se = (high - low) / (2 * normal_quantile(level))
    return Interval(low, high, se, f"normal draws over {BINS} bins")


def _noise(covariance: Floats) -> Floats:
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    draws = np.random.default_rng(SEED).standard_normal((DRAWS, len(values)))
    return np.asarray(np.einsum("dk,jk->dj", draws, root))
