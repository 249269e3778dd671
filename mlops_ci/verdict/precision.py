"""Average precision, and its influence function.

Buckley & Voorhees 2000, "Evaluating evaluation measure stability" (SIGIR 23, 33–40,
doi:10.1145/345508.345543), equal scores taken together as in scikit-learn. Its interval: Jaeckel
1972, "The infinitesimal jackknife" (Bell Laboratories MM 72-1215-11); Efron 1982, "The jackknife,
the bootstrap and other resampling plans", ch. 6 (SIAM, doi:10.1137/1.9781611970319). In the logit:
Boyd, Eng & Page 2013, "Area under the precision-recall curve: point estimates and confidence
intervals" (ECML PKDD, doi:10.1007/978-3-642-40994-3_29). Skewness: Hall 1992 (`intervals`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mlops_ci.verdict.aggregates.chunks import fold
from mlops_ci.verdict.aggregates.order import Ranking, by_turns
from mlops_ci.verdict.aggregates.sums import sums_of
from mlops_ci.verdict.intervals import (
    Interval,
    logit_interval,
    skewed_interval,
    student_quantile,
    wilson,
)
from mlops_ci.verdict.moments import FEW_CHANGES, FEWEST, bounded_interval, moments_of
from mlops_ci.verdict.ranking import combine
from mlops_ci.verdict.rows import Floats, Ints, Mask


@dataclass(frozen=True)
class Precision:
    """Average precision and, of each group of rows, the precision at its score and the influence of
    a positive and of a negative row of it (infinitesimal jackknife, Jaeckel 1972: the limit of
    deleting blocks, and without the choice of blocks). `blur`: how far the value may lie from that
    of the scores inside the groups.
    """

    ranking: Ranking
    value: float
    at: Floats
    of_positive: Floats
    of_negative: Floats
    blur: float

    @property
    def positives(self) -> int:
        return int(self.ranking.positives.sum())

    def influence(self, actual: Mask, rows: slice) -> Floats:
        group = self.ranking.group_of(rows)
        found = np.where(actual[rows], self.of_positive[group], self.of_negative[group])
        return np.asarray(found, dtype=np.float64)

    def power(self, order: int) -> float:
        """Mean of a power of the influence."""
        total = (self.ranking.positives * self.of_positive**order).sum()
        total += (self.ranking.negatives * self.of_negative**order).sum()
        return float(total) / float(self.ranking.positives.sum() + self.ranking.negatives.sum())


def average_precision(ranking: Ranking) -> Precision:
    """AP = mean over positives of the precision among the rows that score at least as high."""
    here, rows = ranking.positives, ranking.positives + ranking.negatives
    n, total = int(rows.sum()), float(here.sum())
    # At least 1: the highest bins may be empty.
    chosen = np.maximum(n - np.cumsum(rows) + rows, 1)
    hits = total - np.cumsum(here) + here
    precision = hits / chosen
    value = float((here * precision).sum()) / total
    # A row adds to the chosen of every positive that scores no higher than itself.
    gain = np.cumsum(here / chosen)
    loss = np.cumsum(here * precision / chosen)
    scale = n / total
    own = (precision - value + gain - loss) * scale
    blur = _blur(ranking, np.asarray(hits), np.asarray(chosen))
    return Precision(ranking, value, precision, own, -loss * scale, blur)


def _blur(ranking: Ranking, hits: Floats, chosen: Ints) -> float:
    """With the positives of a group first and the last of them counted for all, none can do better;
    with its negatives first and the first positive counted for all, none worse.
    """
    if ranking.mixed is None:
        return 0.0
    total, mixed = float(ranking.positives.sum()), ranking.mixed
    here, negatives = ranking.positives[mixed], ranking.negatives[mixed]
    hits, chosen = hits[mixed], chosen[mixed]
    value = here * hits / chosen
    best = here * hits / np.maximum(chosen - negatives, 1)
    worst = here * (hits - here + 1) / (chosen - here + 1)
    return max(float((best - value).sum()), float((value - worst).sum())) / total


def precision_interval(found: Precision, level: float) -> Interval:
    misplaced = int(found.ranking.positives[found.at != 1].sum())
    n, square = len_of(found.ranking), found.power(2)
    if misplaced < FEW_CHANGES or square == 0 or not 0 < found.value < 1:
        interval = wilson(found.value * found.positives, found.positives, level)
    else:
        kurtosis = found.power(4) / square**2
        worth = max(2 * n / (kurtosis - 1) - 1, FEWEST) if kurtosis > 1 else math.inf
        quantile = student_quantile(level, min(found.positives - 1, worth))
        se = math.sqrt(square / (n - 1))
        interval = logit_interval(found.value, se, quantile, "infinitesimal jackknife, logit")
    return interval.widened(found.blur)


def len_of(ranking: Ranking) -> int:
    return int(ranking.positives.sum() + ranking.negatives.sum())


def precision_change_interval(
    base: Precision, head: Precision, actual: Mask, level: float
) -> Interval:
    change, blur = head.value - base.value, base.blur + head.blur
    adds = [by_turns(one.of_negative, one.of_positive) for one in (base, head)]
    at = [by_turns(np.zeros_like(one.at), one.at) for one in (base, head)]

    def moved(tables: list[Floats], rows: slice) -> Floats:
        """Head's value minus base's, of each row by the place of its score."""
        before, after = (
            table.take(one.ranking.place_of(rows, actual), mode="clip")
            for table, one in zip(tables, (base, head), strict=True)
        )
        after -= before
        return after

    n = len(actual)
    if fold(lambda rows: int(np.count_nonzero(moved(at, rows))), int.__add__, n) < FEW_CHANGES:
        reach = (-1 - change, 1 - change)
        positive = moved(at, slice(0, n))[actual]
        bound = bounded_interval(positive - change, reach, level)
        found = combine(change, [bound.shifted(change)] if bound else [], "score")
        return found.widened(blur)
    sums = sums_of(lambda rows: [moved(adds, rows)], n)
    moments, alone = moments_of(sums), np.ones(1)
    spread = moments.spread(alone)
    quantile = student_quantile(level, min(head.positives - 1, moments.freedom(alone)))
    found = skewed_interval(spread.se, spread.skew, quantile, "infinitesimal jackknife")
    return found.shifted(change).widened(blur)
