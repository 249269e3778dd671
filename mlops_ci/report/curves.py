"""Labels and answers → the points of a picture. numpy only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
POINTS = 300  # of a curve: more than a picture has columns
BINS = 10
CLASSES = 12  # shown in a confusion table; the rest is counted together


@dataclass(frozen=True)
class Curve:
    x: Floats
    y: Floats


@dataclass(frozen=True)
class Calibration:
    """Mean score against share of positives in bins of equally many rows; `low`, `high` is Wilson's
    95 % interval of the share.
    """

    score: Floats
    share: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Bands:
    """10 %, 50 % and 90 % quantile of the residual in bins of the prediction."""

    center: Floats
    low: Floats
    middle: Floats
    high: Floats


def roc_curve(actual: NDArray[np.bool_], score: Floats) -> Curve:
    """False against true positive rate, at every distinct score."""
    true, false = _cumulated(actual, score)
    curve = Curve(np.r_[0.0, false / max(false[-1], 1)], np.r_[0.0, true / max(true[-1], 1)])
    return thin(curve)


def precision_recall_curve(actual: NDArray[np.bool_], score: Floats) -> Curve:
    """Recall against precision, at every distinct score."""
    true, false = _cumulated(actual, score)
    return thin(Curve(true / max(true[-1], 1), true / (true + false)))


def _cumulated(actual: NDArray[np.bool_], score: Floats) -> tuple[Floats, Floats]:
    order = np.argsort(-score, kind="stable")
    ends = np.r_[np.flatnonzero(np.diff(score[order])), len(score) - 1]
    true = np.cumsum(actual[order])[ends].astype(float)
    return true, 1.0 + ends - true


def thin(curve: Curve, points: int = POINTS) -> Curve:
    """Evenly along the curve, with both ends."""
    if len(curve.x) <= points:
        return curve
    length = np.r_[0.0, np.cumsum(np.hypot(np.diff(curve.x), np.diff(curve.y)))]
    kept = np.searchsorted(length, np.linspace(0.0, length[-1], points))
    kept = np.unique(np.r_[0, np.minimum(kept, len(length) - 1), len(length) - 1])
    return Curve(curve.x[kept], curve.y[kept])


def difference_curve(base: Curve, head: Curve, points: int = 201) -> Curve:
    """head − base at equal x. Where a curve rises at one x, its highest point there counts."""
    x = np.linspace(0.0, 1.0, points)
    return Curve(x, height_at(head, x) - height_at(base, x))


def height_at(curve: Curve, x: Floats) -> Floats:
    """Between the points of the curve; before its first and behind its last they go on level."""
    order = np.lexsort((curve.y, curve.x))
    at, height = curve.x[order], curve.y[order]
    last = np.r_[np.flatnonzero(np.diff(at)), len(at) - 1]
    found: Floats = np.interp(x, at[last], height[last])
    return found


def calibration(actual: NDArray[np.bool_], score: Floats) -> Calibration:
    order = np.argsort(score, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    counts = np.array([len(part) for part in parts], dtype=float)
    share = np.array([actual[part].mean() for part in parts])
    middle = np.array([score[part].mean() for part in parts])
    z = 1.959963984540054
    spread = 1 + z**2 / counts
    center = (share + z**2 / (2 * counts)) / spread
    half = z * np.sqrt(share * (1 - share) / counts + z**2 / (4 * counts**2)) / spread
    return Calibration(middle, share, center - half, center + half)


def confusion(label: NDArray[Any], prediction: NDArray[Any], classes: int) -> Floats:
    """Shares of each actual class, [actual, predicted]; rows without rows are 0."""
    cells = np.bincount(label * classes + prediction, minlength=classes * classes)
    table = cells.reshape(classes, classes).astype(float)
    totals: Floats = table.sum(axis=1, keepdims=True)
    shares: Floats = np.divide(table, totals, out=np.zeros_like(table), where=totals > 0)
    return shares


def bands(prediction: Floats, residual: Floats) -> Bands:
    order = np.argsort(prediction, kind="stable")
    parts = [part for part in np.array_split(order, BINS) if len(part)]
    quantiles = np.array([np.quantile(residual[part], (0.1, 0.5, 0.9)) for part in parts])
    center = np.array([prediction[part].mean() for part in parts])
    return Bands(center, quantiles[:, 0], quantiles[:, 1], quantiles[:, 2])
