"""How well scores rank the rows: ROC AUC and average precision, exact, n log n."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mlops_ci.verdict.intervals import (
    Atoms,
    Interval,
    logit_interval,
    normal_interval,
    score_interval,
    wilson,
)
from mlops_ci.verdict.moments import FEW_CHANGES
from mlops_ci.verdict.rows import Floats, Ints, Mask


@dataclass(frozen=True)
class Ranking:
    """Rows by falling score, ties together; counts [groups] and each row's group [n]."""

    group: Ints
    positives: Floats
    negatives: Floats


def rank(score: Floats, actual: Mask) -> Ranking:
    order = np.argsort(-score)
    ordered = score[order]
    starts = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    number = np.cumsum(starts) - 1
    group = np.empty(len(score), dtype=np.int64)
    group[order] = number
    rows = np.bincount(number).astype(np.float64)
    positives = np.bincount(number, weights=actual[order]).astype(np.float64)
    return Ranking(group, positives, rows - positives)


@dataclass(frozen=True)
class Placements:
    """DeLong's structural components: of a positive row the share of negatives below it, of a
    negative row the share of positives above it; ties count half. Their means are the AUC.
    """

    positive: Floats
    negative: Floats

    @property
    def area(self) -> float:
        return float(self.positive.sum()) / len(self.positive)


def placements(score: Floats, actual: Mask) -> Placements:
    ranking = rank(score, actual)
    p, n = ranking.positives, ranking.negatives
    below = n.sum() - np.cumsum(n) + n / 2
    above = np.cumsum(p) - p / 2
    return Placements(
        (below / n.sum())[ranking.group[actual]], (above / p.sum())[ranking.group[~actual]]
    )


def delong_se(positive: Floats, negative: Floats) -> float:
    """DeLong, DeLong & Clarke-Pearson 1988, in Sun & Xu's n log n form (2014)."""
    return math.sqrt(positive.var(ddof=1) / len(positive) + negative.var(ddof=1) / len(negative))


def area_interval(placed: Placements, level: float) -> Interval:
    """Of one AUC, symmetric in the logit. Where under ten rows are out of place the variance is a
    guess: Wilson's interval with the largest variance there can be, θ(1 − θ)/min(P, N)
    (van Dantzig 1951; Birnbaum & Klose 1957).
    """
    misplaced = sum(int((part != 1).sum()) for part in (placed.positive, placed.negative))
    wellplaced = sum(int((part != 0).sum()) for part in (placed.positive, placed.negative))
    se = delong_se(placed.positive, placed.negative)
    if min(misplaced, wellplaced) < FEW_CHANGES or se == 0:
        rows = min(len(placed.positive), len(placed.negative))
        return wilson(placed.area * rows, rows, level)
    return logit_interval(placed.area, se, level, "DeLong, logit")


def area_change_interval(base: Placements, head: Placements, level: float) -> Interval:
    """Of head − base, by the covariance of the placements of the same rows."""
    positive, negative = head.positive - base.positive, head.negative - base.negative
    # The sums are the same number; two roundings of it would break the symmetry of a swap.
    change = head.area - base.area
    moved = int((positive != 0).sum() + (negative != 0).sum())
    if moved < FEW_CHANGES:
        return combine(
            change, [bounded_mean(part, level) for part in (positive, negative)], "score"
        )
    return normal_interval(change, delong_se(positive, negative), level, "DeLong")


def bounded_mean(moved: Floats, level: float) -> Interval:
    """The mean of values in −1…1 of which few are not 0."""
    values, counts = np.unique(moved, return_counts=True)
    return score_interval(Atoms(values, counts, -1.0, 1.0), level)


def combine(change: float, parts: list[Interval], method: str) -> Interval:
    """Independent sources of error around one estimate, added in squares."""
    low = change - math.hypot(*(max(change - part.low, 0.0) for part in parts))
    high = change + math.hypot(*(max(part.high - change, 0.0) for part in parts))
    return Interval(low, high, math.hypot(*(part.se for part in parts)), method)


@dataclass(frozen=True)
class Precision:
    """Average precision with, of each positive row, the precision at its score, and the influence
    of every row (infinitesimal jackknife, Jaeckel 1972: the limit of deleting blocks, and without
    the choice of blocks).
    """

    value: float
    at_positive: Floats
    influence: Floats


def average_precision(score: Floats, actual: Mask) -> Precision:
    """AP = mean over positives of the precision among the rows that score at least as high."""
    ranking = rank(score, actual)
    true = np.cumsum(ranking.positives)
    chosen = np.cumsum(ranking.positives + ranking.negatives)
    precision = true / chosen
    total = float(true[-1])
    at_row = precision[ranking.group]
    value = float((ranking.positives * precision).sum()) / total
    # A row adds to the chosen of every positive that scores no higher than itself.
    gain = np.cumsum((ranking.positives / chosen)[::-1])[::-1]
    loss = np.cumsum((ranking.positives * precision / chosen)[::-1])[::-1]
    n = len(score)
    own = np.where(actual, at_row - value + gain[ranking.group], 0.0)
    influence = (own - loss[ranking.group]) * (n / total)
    return Precision(value, at_row[actual], influence)


def precision_interval(found: Precision, level: float) -> Interval:
    positives = len(found.at_positive)
    se = influence_se(found.influence)
    if int((found.at_positive != 1).sum()) < FEW_CHANGES or se == 0:
        return wilson(found.value * positives, positives, level)
    return logit_interval(found.value, se, level, "infinitesimal jackknife, logit")


def precision_change_interval(base: Precision, head: Precision, level: float) -> Interval:
    moved = head.at_positive - base.at_positive
    change = head.value - base.value
    if int((moved != 0).sum()) < FEW_CHANGES:
        return combine(change, [bounded_mean(moved, level)], "score")
    se = influence_se(head.influence - base.influence)
    return normal_interval(change, se, level, "infinitesimal jackknife")


def influence_se(influence: Floats) -> float:
    n = len(influence)
    return math.sqrt(float(np.einsum("i,i->", influence, influence))) / n
