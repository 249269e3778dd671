"""Intervals of rows with weights and of rows in groups, slowly: what each row adds by nudging its
weight, summed by group, and Hall's interval of the mean of that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mlops_ci.config.model import Policy
from mlops_ci.verdict import Outputs, PairedRows, compare_paired
from tests.unit.verdict.rows_for_tests import binary_rows, multiclass_rows, regression_rows
from tests.unit.verdict.test_textbook import (
    explained,
    loss_by_hand,
    mean,
    of_table,
    pairs_in_order,
    precisions,
    root_mean_square,
    slopes_of,
)

N, GROUPS = 520, 505
Value = Callable[[Any, Any, Any], Any]


def table_of(y: Any, said: Any, w: Any) -> Any:
    k = int(y.max()) + 1
    return np.array([[w[(y == i) & (said == j)].sum() for j in range(k)] for i in range(k)])


def of_cells(name: str, average: str = "binary") -> Value:
    return lambda y, said, w: of_table(name, table_of(y, said, w), average)


def areas(y: Any, score: Any, w: Any) -> Any:
    return sum(pairs_in_order(y == k, score[:, k], w) for k in range(score.shape[1])) / 4


BINARY: dict[str, tuple[str, Value]] = {
    "accuracy": ("prediction", lambda y, p, w: mean(y == p, w)),
    "recall": ("prediction", lambda y, p, w: mean(p == 1, w * (y == 1))),
    "specificity": ("prediction", lambda y, p, w: mean(p == 0, w * (y == 0))),
    "precision": ("prediction", of_cells("precision")),
    "f1": ("prediction", of_cells("f1")),
    "mcc": ("prediction", of_cells("mcc")),
    "balanced_accuracy": ("prediction", of_cells("balanced_accuracy")),
    "f1_macro": ("prediction", of_cells("f1", "macro")),
    "roc_auc": ("score", lambda y, s, w: pairs_in_order(y == 1, s, w)),
    "average_precision": ("score", lambda y, s, w: precisions(y == 1, s, w)),
    "brier": ("score", lambda y, s, w: mean((y - s) ** 2, w)),
    "log_loss": ("score", lambda y, s, w: -mean(np.log(np.where(y == 1, s, 1 - s)), w)),
}
MANY: dict[str, tuple[str, Value]] = {
    "mcc": ("prediction", of_cells("mcc")),
    "f1_weighted": ("prediction", of_cells("f1", "weighted")),
    "precision_macro": ("prediction", of_cells("precision", "macro")),
    "roc_auc": ("score", areas),
}
NUMBERS: dict[str, tuple[str, Value]] = {
    "mae": ("prediction", lambda y, p, w: mean(abs(y - p), w)),
    "mse": ("prediction", lambda y, p, w: mean((y - p) ** 2, w)),
    "rmse": ("prediction", root_mean_square),
    "mape": ("prediction", lambda y, p, w: mean(abs((y - p) / y), w)),
    "r2": ("prediction", explained),
    "pinball_loss@0.9": (
        "prediction",
        lambda y, p, w: mean(np.maximum(0.9 * (y - p), 0.1 * (p - y)), w),
    ),
}
# By groups all metrics go one way: some of each kind. What takes long is nudged once.
GROUPED = ("accuracy", "f1", "brier", "rmse", "pinball_loss@0.9")
LONG = (areas, BINARY["average_precision"][1])
HOW = ("weights", "groups", "weights and groups")
CASES = [
    (make, name, *found, how)
    for make, values in (
        (binary_rows, BINARY),
        (multiclass_rows, MANY),
        (regression_rows, NUMBERS),
    )
    for name, found in values.items()
    for how in (HOW[2:] if found[1] in LONG else HOW if name in GROUPED else HOW[:1])
]


def inside(rows: PairedRows) -> PairedRows:
    """Away from 0 and 1, where a logarithm is cut; labels away from 0, of which a share is taken."""
    if rows.task == "multiclass":
        return rows
    if rows.task == "regression":
        far = [Outputs(np.asarray(side.prediction) + 20) for side in (rows.base, rows.head)]
        return replace(rows, label=rows.label + 20, base=far[0], head=far[1])
    sides = [
        replace(side, score=np.clip(np.asarray(side.score), 0.01, 0.99))
        for side in (rows.base, rows.head)
    ]
    return replace(rows, base=sides[0], head=sides[1])


@pytest.mark.parametrize(("make", "name", "column", "value_of", "how"), CASES)
def test_the_interval_is_that_of_what_each_unit_adds(
    make: Callable[..., PairedRows], name: str, column: str, value_of: Value, how: str
) -> None:
    rng, rows, w = np.random.default_rng(31), inside(make(30, n=N)), np.ones(N)
    group = rng.permutation(np.arange(N) % GROUPS)
    if "weights" in how:
        w = np.exp(0.3 * rng.normal(size=N))
        rows = replace(rows, weight=w)
    if "groups" in how:
        rows = replace(rows, group=group)
    sides = [getattr(side, column) for side in (rows.base, rows.head)]
    values = [float(np.real(value_of(rows.label, said, w))) for said in sides]
    adds = [slopes_of(value_of, rows.label, said, w) for said in sides]
    if "groups" in how:
        adds = [np.bincount(group, weights=one) * (GROUPS / N) for one in adds]
    found = next(one for one in compare_paired(rows, Policy(), [name]) if one.metric == name)
    assert (found.base, found.head) == pytest.approx(values, abs=1e-12)
    truth = loss_by_hand(values[1] - values[0], adds[1] - adds[0])
    assert (found.low, found.high) == pytest.approx(truth, abs=1e-9)
    own = loss_by_hand(values[1], adds[1])
    assert (found.head_low, found.head_high) == pytest.approx(own, abs=1e-9)
