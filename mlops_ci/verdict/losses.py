"""Losses per row, and metrics that are smooth functions of their means."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mlops_ci.verdict.intervals import Interval
from mlops_ci.verdict.moments import Moments, mean_interval, moments_of
from mlops_ci.verdict.rows import Floats, Outputs, View

EPSILON = float(np.finfo(np.float64).eps)
# What rounding may leave of a row of probabilities.
SUM_TOLERANCE = 1e-6


def log_losses(view: View, side: Outputs) -> Floats:
    p = _probabilities(side)
    if view.task == "multiclass":
        chosen = p[np.arange(view.n), view.label]
    else:
        chosen = np.where(view.actual, p, 1 - p)
    return np.asarray(-np.log(np.clip(chosen, EPSILON, 1 - EPSILON)))


def brier_losses(view: View, side: Outputs) -> Floats:
    """(p − y)²; for many classes summed over them, so between 0 and 2."""
    p = _probabilities(side)
    if view.task != "multiclass":
        return np.asarray((p - view.actual) ** 2)
    error = p.copy()
    error[np.arange(view.n), view.label] -= 1
    return np.asarray(np.einsum("nk,nk->n", error, error))


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
    per_row: Callable[[View, Outputs], Floats]
    smooth: Smooth = mean_of


LOSSES = {
    "log_loss": Loss(log_losses),
    "brier": Loss(brier_losses),
    "mae": Loss(absolute_errors),
    "mse": Loss(squared_errors),
    "rmse": Loss(squared_errors, smooth=root_of),
    "mape": Loss(relative_errors),
    "r2": Loss(squared_errors, smooth=explained_of),
}


@dataclass(frozen=True)
class Means:
    """The columns of one loss: a column for each side (and the label and its square for R²)."""

    columns: Floats
    moments: Moments
    smooth: Smooth
    largest: float

    def value(self, side: int) -> float:
        return self.smooth(self.moments.mean, side)[0]

    def own(self, side: int, level: float) -> Interval | None:
        value, gradient = self.smooth(self.moments.mean, side)
        influence = self._influence(gradient)
        at_stake = self.largest * float(gradient[side])
        reach = sorted((0.0, at_stake))
        centre = float(self.moments.mean[side] * gradient[side])
        found = mean_interval(influence, (reach[0] - centre, reach[1] - centre), level)
        return None if found is None else found.shifted(value)

    def change(self, level: float) -> Interval | None:
        (base, before), (head, after) = (self.smooth(self.moments.mean, side) for side in (0, 1))
        at_stake = self.largest * max(abs(float(before[0])), abs(float(after[1])))
        found = mean_interval(self._influence(after - before), (-at_stake, at_stake), level)
        return None if found is None else found.shifted(head - base)

    def _influence(self, gradient: Floats) -> Floats:
        centred = self.columns - self.moments.mean
        return np.asarray(np.einsum("nk,k->n", centred, gradient))


def means_of(name: str, view: View) -> Means:
    loss = LOSSES[name]
    columns = [loss.per_row(view, side) for side in view.sides]
    largest = float(max(column.max() for column in columns))
    if loss.smooth is explained_of:
        # Centred first: the square of a far-off label would drown its variance.
        label = view.label - view.label.mean()
        columns += [label, label**2]
    table = np.column_stack(columns)
    return Means(table, moments_of(table), loss.smooth, largest)


def not_probabilities(side: Outputs, task: str) -> str | None:
    """Why these scores cannot be read as probabilities, or None."""
    p = _probabilities(side)
    outside = int(((p < 0) | (p > 1)).sum())
    if outside:
        return f"{outside} scores lie outside 0…1"
    if task == "multiclass":
        off = int((np.abs(p.sum(axis=1) - 1) > SUM_TOLERANCE).sum())
        if off:
            return f"in {off} rows the scores do not sum to 1"
    return None
