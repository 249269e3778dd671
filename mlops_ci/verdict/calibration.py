"""Expected calibration error over ten equal bins of the score."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mlops_ci.verdict.intervals import Interval
from mlops_ci.verdict.moments import Moments, moments_of
from mlops_ci.verdict.rows import Floats, Outputs, View

BINS = 10
DRAWS = 10_000
SEED = 20_260_102


def gaps(view: View, side: Outputs) -> Floats:
    """Outcome − confidence in the row's bin, 0 in the other nine: [n, BINS].

    Binary: the positive class's score; many classes: the score of the likeliest one.
    """
    if side.score is None:
        raise ValueError("no score")
    if view.task == "multiclass":
        confidence = side.score.max(axis=1)
        outcome = side.score.argmax(axis=1) == view.label
    else:
        confidence, outcome = side.score, view.actual
    table = np.zeros((view.n, BINS))
    inside = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    table[np.arange(view.n), inside] = outcome - confidence
    return table


def calibration_moments(view: View) -> Moments:
    """Moments of all bins of all sides: [sides · BINS]. They merge."""
    return moments_of(np.concatenate([gaps(view, side) for side in view.sides], axis=1))


def calibration_error(moments: Moments, side: int) -> float:
    return float(np.abs(moments.mean[side * BINS : (side + 1) * BINS]).sum())


def calibration_intervals(moments: Moments, sides: int, level: float) -> list[Interval]:
    """Of each side's own error and, with two sides, of head − base (last).

    Draws the bins' mean gaps from their joint normal distribution. A sum of absolute values is
    biased upwards, more so the nearer the gaps are to 0, so the interval spans the percentile
    interval and its reflection; and what is seen exceeds a side's true error by at most the sum of
    the absolute noise (triangle inequality), so its lower bound goes as far down: wide rather than
    short.
    """
    noise = _noise(moments)
    draws, excess = (_summed(gaps, sides) for gaps in (noise + moments.mean, noise))
    seen = [calibration_error(moments, side) for side in range(sides)]
    found = [_span(draws[:, side], seen[side], level) for side in range(sides)]
    worst = np.quantile(excess, (1 + level) / 2, axis=0)
    found = [
        replace(one, low=max(0.0, min(one.low, value - float(most))))
        for one, value, most in zip(found, seen, worst, strict=True)
    ]
    if sides > 1:
        found.append(_span(draws[:, 1] - draws[:, 0], seen[1] - seen[0], level))
    return found


def _summed(gaps: Floats, sides: int) -> Floats:
    return np.asarray(np.abs(gaps).reshape(DRAWS, sides, BINS).sum(axis=2))


def _noise(moments: Moments) -> Floats:
    covariance = moments.scatter / (moments.n - 1) / moments.n
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    noise = np.random.default_rng(SEED).standard_normal((DRAWS, len(values)))
    return np.asarray(np.einsum("dk,jk->dj", noise, root))


def _span(draws: Floats, seen: float, level: float) -> Interval:
    low, high = (float(q) for q in np.quantile(draws, [(1 - level) / 2, (1 + level) / 2]))
    reflected = 2 * seen - high, 2 * seen - low
    return Interval(
        min(low, reflected[0]),
        max(high, reflected[1]),
        float(draws.std()),
        "normal draws over bins",
    )
