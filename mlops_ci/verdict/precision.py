"""Average precision, and its influence function."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlops_ci.verdict.aggregates.order import Ranking
from mlops_ci.verdict.intervals import (
    Interval,
    logit_interval,
    skewed_interval,
    student_quantile,
    wilson,
)
from mlops_ci.verdict.moments import FEW_CHANGES, bounded_interval, moments_of_column
from mlops_ci.verdict.ranking import combine
from mlops_ci.verdict.rows import Floats, Mask


@dataclass(frozen=True)
class Precision:
    """Average precision with, of each positive row, the precision at its score, and the influence
    of every row (infinitesimal jackknife, Jaeckel 1972: the limit of deleting blocks, and without
    the choice of blocks).
    """

    value: float
    at_positive: Floats
    influence: Floats


def average_precision(ranking: Ranking, actual: Mask) -> Precision:
    """AP = mean over positives of the precision among the rows that score at least as high."""
    here, rows = ranking.positives, ranking.positives + ranking.negatives
    n, total = len(actual), float(here.sum())
    chosen = n - np.cumsum(rows) + rows
    precision = (total - np.cumsum(here) + here) / chosen
    value = float((here * precision).sum()) / total
    # A row adds to the chosen of every positive that scores no higher than itself.
    gain = np.cumsum(here / chosen)
    loss = np.cumsum(here * precision / chosen)
    group = ranking.group_of(slice(0, n))
    influence = np.where(actual, (precision - value + gain)[group], 0.0)
    influence -= loss[group]
    influence *= n / total
    return Precision(value, precision[group[actual]], influence)


def precision_interval(found: Precision, level: float) -> Interval:
    positives = len(found.at_positive)
    moments, alone = moments_of_column(found.influence), np.ones(1)
    se = moments.spread(alone).se
    few = int((found.at_positive != 1).sum()) < FEW_CHANGES
    if few or se == 0 or not 0 < found.value < 1:
        return wilson(found.value * positives, positives, level)
    quantile = student_quantile(level, min(positives - 1, moments.freedom(alone)))
    return logit_interval(found.value, se, quantile, "infinitesimal jackknife, logit")


def precision_change_interval(base: Precision, head: Precision, level: float) -> Interval:
    moved = head.at_positive - base.at_positive
    change = head.value - base.value
    if int((moved != 0).sum()) < FEW_CHANGES:
        bound = bounded_interval(moved - change, (-1 - change, 1 - change), level)
        return combine(change, [bound.shifted(change)] if bound else [], "score")
    moments, alone = moments_of_column(head.influence - base.influence), np.ones(1)
    spread = moments.spread(alone)
    quantile = student_quantile(level, min(len(moved) - 1, moments.freedom(alone)))
    found = skewed_interval(spread.se, spread.skew, quantile, "infinitesimal jackknife")
    return found.shifted(change)
