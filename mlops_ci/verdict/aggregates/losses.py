"""Which losses of rows are summed, and how: for metrics that are functions of means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mlops_ci.verdict.aggregates.totals import Totals, total_columns
from mlops_ci.verdict.losses import (
    LOSSES,
    Loss,
    columns_of,
    explained_of,
    pinball_losses,
    values_of,
)
from mlops_ci.verdict.names import Metric, known_metric
from mlops_ci.verdict.rows import View

PROBABILITIES = ("log_loss", "brier")
ERRORS = ("mae", "mape")
# Squared errors and the labels beside them are enough for all three.
SQUARES = {"mse": "r2", "rmse": "r2"}


@dataclass(frozen=True)
class Value:
    """A column of numbers; `better`: whether more of it is, None: not known. `centre`: any number
    amid them; what is summed are the distances from it, lest their spread drown."""

    name: str
    better: bool | None = None
    centre: float = 0.0


@dataclass(frozen=True)
class Scheme:
    """How one loss is summed: base's (or the one side's), head's difference, and for R² the label
    and its square; head's own has its extremes noted. `centre`: of labels, or values."""

    loss: Loss
    centre: float = 0.0

    def total(self, view: View) -> Totals:
        """Of at most 2¹⁷ rows."""
        # What no float holds has no sum, which the extremes tell.
        with np.errstate(over="ignore", invalid="ignore"):
            columns = columns_of(self.loss, view, self.centre)
        if self.loss.signed and self.centre:
            for side in {0, -1}:
                columns[side] = columns[side] - self.centre
        return total_columns(columns, len(columns) - (len(view.sides) > 1))

    @property
    def explains(self) -> bool:
        return self.loss.smooth is explained_of


def key_of(metric: Metric) -> str:
    """Under which name a metric's losses are summed."""
    if metric.needs == "value":
        return _of_column(metric.name)
    if metric.name.startswith("pinball_loss"):
        return _of_quantile(metric.number or 0.5)
    return SQUARES.get(metric.name, metric.name)


def _of_column(name: str) -> str:
    return f"value {name}"


def _of_quantile(quantile: float) -> str:
    return f"pinball_loss@{quantile!r}"


def quantiles_of(names: Iterable[str]) -> tuple[float, ...]:
    """Those whose pinball loss is among the metrics of these names."""
    known = [metric for metric in map(known_metric, names) if metric is not None]
    found = {one.number or 0.5 for one in known if one.name.startswith("pinball_loss")}
    return tuple(sorted(found))


def of_probabilities() -> Mapping[str, Scheme]:
    return {name: Scheme(LOSSES[name]) for name in PROBABILITIES}


def of_errors(centre: float, quantiles: Sequence[float]) -> Mapping[str, Scheme]:
    """`centre`: a number amid the labels. `quantiles`: those whose pinball loss is asked for."""
    found = {name: Scheme(LOSSES[name]) for name in ERRORS}
    found["r2"] = Scheme(LOSSES["r2"], centre)
    return found | {_of_quantile(one): Scheme(Loss(pinball_losses(one))) for one in quantiles}


def of_values(values: Sequence[Value]) -> Mapping[str, Scheme]:
    return {
        _of_column(one.name): Scheme(Loss(values_of(one.name), signed=True), one.centre)
        for one in values
    }


def without_labels(found: Totals, sides: int) -> Totals:
    """As if the label and its square had not been summed: those of squared errors alone."""
    own = [len(found.extent.low) - 1] if sides > 1 else []
    return found.only([*range(sides), *own], sides)


def centre_of(low: float, high: float) -> float:
    """Of a column with these extremes; 0 where it is among them, so that nothing is rounded."""
    if low <= 0 <= high or not np.isfinite([low, high]).all():
        return 0.0
    return float(low / 2 + high / 2)
