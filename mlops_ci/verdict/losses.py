"""Losses per row, and metrics that are smooth functions of their means.

Log loss: Good 1952, "Rational decisions" (JRSS B 14, 107–114,
doi:10.1111/j.2517-6161.1952.tb00104.x). Brier 1950, "Verification of forecasts expressed in terms
of probability" (Monthly Weather Review 78, 1–3,
doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2): his sum over all classes where there are many;
of two classes, as in scikit-learn, half of it. Pinball loss: Koenker & Bassett 1978, "Regression
quantiles" (Econometrica 46, 33–50, doi:10.2307/1913643). MAE, MSE, RMSE and MAPE (a share here, not
percent): Hyndman & Koehler 2006, "Another look at measures of forecast accuracy" (Int. J.
Forecasting 22, 679–688, doi:10.1016/j.ijforecast.2006.03.001). R² is the first of the eight of
Kvålseth 1985, "Cautionary note about R²" (The American Statistician 39, 279–285,
doi:10.1080/00031305.1985.10479448).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mlops_ci.verdict.names import Metric
from mlops_ci.verdict.rows import Floats, Outputs, View

PerRow = Callable[[View, Outputs], Floats]
EPSILON = float(np.finfo(np.float64).eps)


def log_losses(view: View, side: Outputs) -> Floats:
    chosen = _chosen(view, side)
    np.clip(chosen, EPSILON, 1 - EPSILON, out=chosen)
    np.log(chosen, out=chosen)
    return np.asarray(np.negative(chosen, out=chosen))


def brier_losses(view: View, side: Outputs) -> Floats:
    """(p − y)²; for many classes summed over them, so between 0 and 2."""
    if view.task != "multiclass":
        error = _chosen(view, side)
        error -= 1
        error *= error
        return error
    error = _probabilities(side).copy()
    error[np.arange(view.n), view.label] -= 1
    return np.asarray(np.einsum("nk,nk->n", error, error))


def _chosen(view: View, side: Outputs) -> Floats:
    """The probability that was given to what is true."""
    p = _probabilities(side)
    if view.task == "multiclass":
        return np.asarray(p[np.arange(view.n), view.label])
    chosen = p - view.negative
    return np.asarray(np.abs(chosen, out=chosen))


def _probabilities(side: Outputs) -> Floats:
    if side.score is None:
        raise ValueError("no score")
    return side.score


def _errors(view: View, side: Outputs) -> Floats:
    if side.prediction is None:
        raise ValueError("no prediction")
    return np.asarray(side.prediction - view.label, dtype=np.float64)


def absolute_errors(view: View, side: Outputs) -> Floats:
    return np.asarray(np.abs(_errors(view, side)))


def squared_errors(view: View, side: Outputs) -> Floats:
    return np.asarray(_errors(view, side) ** 2)


def relative_errors(view: View, side: Outputs) -> Floats:
    relative = np.abs(_errors(view, side)) / np.maximum(np.abs(view.label), EPSILON)
    return np.asarray(relative)


def pinball_losses(quantile: float) -> PerRow:
    """Of a forecast of this quantile: Koenker & Bassett 1978. At ½ half the absolute error."""

    def losses(view: View, side: Outputs) -> Floats:
        error = -_errors(view, side)
        return np.asarray(np.maximum(quantile * error, (quantile - 1) * error))

    return losses


def values_of(name: str) -> PerRow:
    """A row's own number, such as a judge's score or a cost."""
    return lambda _, side: np.asarray(side.values[name], dtype=np.float64)


# Means [k] → the metric's value and its gradient [k], for the loss in column `side`.
Smooth = Callable[[Floats, int], tuple[float, Floats]]


def mean_of(means: Floats, side: int) -> tuple[float, Floats]:
    return float(means[side]), _unit(len(means), side)


def root_of(means: Floats, side: int) -> tuple[float, Floats]:
    value = math.sqrt(means[side])
    return value, _unit(len(means), side) / (2 * value) if value else np.zeros(len(means))


def explained_of(means: Floats, side: int) -> tuple[float, Floats]:
    """1 − MSE / variance of the label; the last two columns are the label and its square."""
    variance = float(means[-1] - means[-2] ** 2)
    if variance <= 0:
        return math.nan, np.zeros(len(means))
    gradient = -_unit(len(means), side) / variance
    gradient[-1] += means[side] / variance**2
    gradient[-2] -= 2 * means[-2] * means[side] / variance**2
    return 1 - float(means[side]) / variance, gradient


def _unit(size: int, at: int) -> Floats:
    unit = np.zeros(size)
    unit[at] = 1.0
    return unit


@dataclass(frozen=True)
class Loss:
    """`signed`: a row may be worth less than nothing; a loss is at least 0. `most`: what no row's
    loss exceeds, whatever the rows; None where that is not known.
    """

    per_row: PerRow
    smooth: Smooth = mean_of
    signed: bool = False
    most: float | None = None


def columns_of(loss: Loss, rows: View, centre: float = 0.0) -> list[Floats]:
    """Base's losses (or those of the one side), head's difference, for R² the label's distance from
    `centre` and its square; and of two sides head's losses in the end.
    """
    columns = [loss.per_row(rows, side) for side in rows.sides]
    head = columns[-1]
    if len(columns) > 1:
        columns[1] = head - columns[0]
    if loss.smooth is explained_of:
        label = rows.label - centre
        columns += [label, label**2]
    return [*columns, head] if len(rows.sides) > 1 else columns


LOSSES = {
    "log_loss": Loss(log_losses, most=-math.log(EPSILON)),
    "brier": Loss(brier_losses, most=2.0),
    "mae": Loss(absolute_errors),
    "mse": Loss(squared_errors),
    "rmse": Loss(squared_errors, smooth=root_of),
    "mape": Loss(relative_errors),
    "r2": Loss(squared_errors, smooth=explained_of),
}


def is_of_losses(metric: Metric) -> bool:
    """Whether it is a function of means over rows."""
    of_quantile = metric.name.startswith("pinball_loss")
    return metric.name in LOSSES or metric.needs == "value" or of_quantile


def loss_of(metric: Metric) -> Loss:
    if metric.needs == "value":
        return Loss(values_of(metric.name), signed=True)
    if metric.name.startswith("pinball_loss"):
        return Loss(pinball_losses(metric.number or 0.5))
    return LOSSES[metric.name]
