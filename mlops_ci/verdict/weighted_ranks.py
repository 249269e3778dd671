"""ROC AUC and average precision where rows have weights, from the weight that each score has.

What a row adds to either is that of `ranking` and `precision` (papers there), of the weighted
distribution of the rows (`weights`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlops_ci.verdict.aggregates.exact import sum_of
from mlops_ci.verdict.rows import Floats, Mask


@dataclass(frozen=True)
class Placed:
    """`of_positive`, `of_negative` [scores]: the influence of a row there. `most`: no row's could
    lie farther from 0, as far as scores alone tell."""

    value: float
    of_positive: Floats
    of_negative: Floats
    most: float


def weighted_area(positive: Floats, negative: Floats) -> Placed:
    """The share of pairs, one positive and one negative, that are in order, each pair by the
    product of its weights. Of each score, rising: weight of its positive and its negative rows.
    """
    positives, negatives = sum_of(positive), sum_of(negative)
    n = positives + negatives
    below = np.cumsum(negative) - negative / 2
    above = _from_above(positive) - positive / 2
    area = min(sum_of(positive * below) / (positives * negatives), 1.0)
    return Placed(
        area,
        (below / negatives - area) * (n / positives),
        (above / positives - area) * (n / negatives),
        max(area, 1 - area) * n / min(positives, negatives),
    )


def weighted_precision(positive: Floats, negative: Floats) -> Placed:
    """Average precision, as in `precision.average_precision`."""
    here, rows = positive, positive + negative
    total = sum_of(positive)
    scale = (total + sum_of(negative)) / total
    hits, chosen = _from_above(here), _from_above(rows)
    precision = hits / chosen
    value = min(sum_of(here * precision) / total, 1.0)
    gain = np.cumsum(here / chosen)
    loss = np.cumsum(here * precision / chosen)
    return Placed(value, (precision - value + gain - loss) * scale, -loss * scale, scale)


def blur_of_area(positive: Floats, negative: Floats, mixed: Mask) -> float:
    """How far the area may lie from that of the scores inside the steps, of which some have
    several (`mixed`): no pair within one counts more than ½ too much or too little."""
    pairs = sum_of(np.where(mixed, positive * negative, 0.0))
    return pairs / 2 / (sum_of(positive) * sum_of(negative))


def blur_of_precision(positive: Floats, negative: Floats, mixed: Mask, least: float) -> float:
    """The same of average precision, with the positives of a step first or its negatives, as in
    `precision`. `least`: the least weight of a row."""
    hits, chosen = (_from_above(one)[mixed] for one in (positive, positive + negative))
    here, others = positive[mixed], negative[mixed]
    value = here * hits / chosen
    best = here * hits / np.maximum(chosen - others, hits)
    worst = here * (hits - here + least) / (chosen - here + least)
    above, below = float((best - value).sum()), float((value - worst).sum())
    return max(above, below, 0.0) / sum_of(positive)


def _from_above(column: Floats) -> Floats:
    """Of each score the sum of those at least as high."""
    return np.asarray(np.cumsum(column[::-1])[::-1])
