"""Every point metric against scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mlops_ci.config.model import Policy
from mlops_ci.records import MetricResult
from mlops_ci.verdict import PairedRows, compare_paired, compare_single
from tests.unit.verdict.rows_for_tests import (
    binary_rows,
    multiclass_rows,
    regression_rows,
    side_of,
)

NAMED = (
    "f1_macro",
    "f1_weighted",
    "f1_micro",
    "precision_macro",
    "precision_weighted",
    "recall_macro",
    "recall_weighted",
)


def oracle(name: str, average: str) -> Callable[[Any, Any, Any], float]:
    from sklearn import metrics as sk

    base, _, suffix = name.partition("_")
    if suffix in ("macro", "weighted", "micro"):
        average, name = suffix, base
    many = {"average": average, "zero_division": 0}
    found: dict[str, Callable[[Any, Any, Any], float]] = {
        "accuracy": lambda y, p, _: sk.accuracy_score(y, p),
        "balanced_accuracy": lambda y, p, _: sk.balanced_accuracy_score(y, p),
        "precision": lambda y, p, _: sk.precision_score(y, p, **many),
        "recall": lambda y, p, _: sk.recall_score(y, p, **many),
        "specificity": lambda y, p, _: sk.recall_score(y, p, pos_label=0),
        "f1": lambda y, p, _: sk.f1_score(y, p, **many),
        "mcc": lambda y, p, _: sk.matthews_corrcoef(y, p),
        "roc_auc": lambda y, _, s: sk.roc_auc_score(
            y, s, **({"multi_class": "ovr"} if s.ndim > 1 else {})
        ),
        "average_precision": lambda y, _, s: sk.average_precision_score(y, s),
        "log_loss": lambda y, _, s: sk.log_loss(y, s),
        "brier": lambda y, _, s: sk.brier_score_loss(y, s),
        "mae": lambda y, p, _: sk.mean_absolute_error(y, p),
        "mse": lambda y, p, _: sk.mean_squared_error(y, p),
        "rmse": lambda y, p, _: sk.root_mean_squared_error(y, p),
        "mape": lambda y, p, _: sk.mean_absolute_percentage_error(y, p),
        "r2": lambda y, p, _: sk.r2_score(y, p),
    }
    return found[name]


def check(rows: PairedRows, results: tuple[MetricResult, ...], average: str) -> set[str]:
    seen = set()
    for result in results:
        if result.metric == "ece":
            continue
        truth = oracle(result.metric, average)
        for side, value in ((rows.base, result.base), (rows.head, result.head)):
            assert value == pytest.approx(
                truth(rows.label, side.prediction, side.score), abs=1e-12, rel=1e-12
            ), result
        assert result.difference == pytest.approx(result.head - result.base, abs=1e-15)  # type: ignore[operator]
        seen.add(result.metric)
    return seen


@pytest.mark.parametrize("seed", range(5))
def test_binary_metrics_are_those_of_scikit_learn(seed: int) -> None:
    rows = binary_rows(seed)
    seen = check(rows, compare_paired(rows, Policy(), NAMED), "binary")
    assert {
        "accuracy",
        "balanced_accuracy",
        "precision",
        "recall",
        "specificity",
        "f1",
        "mcc",
        "roc_auc",
    } < seen
    assert {"average_precision", "log_loss", "brier", *NAMED} < seen


@pytest.mark.parametrize("average", ["macro", "weighted"])
@pytest.mark.parametrize("seed", range(3))
def test_multiclass_metrics_are_those_of_scikit_learn(seed: int, average: str) -> None:
    rows = multiclass_rows(seed)
    results = compare_paired(rows, Policy(average=average), NAMED)  # type: ignore[arg-type]
    seen = check(rows, results, average)
    assert {
        "accuracy",
        "balanced_accuracy",
        "precision",
        "recall",
        "f1",
        "mcc",
        "roc_auc",
        "log_loss",
        "brier",
    } < seen
    assert {one.average for one in results if one.metric == "f1"} == {average}
    assert {one.average for one in results if one.metric == "f1_macro"} == {"macro"}


@pytest.mark.parametrize("seed", range(5))
def test_regression_metrics_are_those_of_scikit_learn(seed: int) -> None:
    rows = regression_rows(seed)
    assert check(rows, compare_paired(rows, Policy()), "") == {"mae", "mse", "rmse", "mape", "r2"}


def test_calibration_error_by_hand() -> None:
    rows = binary_rows(3)
    assert rows.head.score is not None
    inside = np.minimum((rows.head.score * 10).astype(int), 9)
    truth = sum(
        abs((rows.label - rows.head.score)[inside == k].sum()) / len(inside) for k in range(10)
    )
    found = {one.metric: one for one in compare_single(side_of(rows, "head"), Policy())}
    assert found["ece"].head == pytest.approx(truth, abs=1e-12)


def test_a_single_side_has_the_numbers_that_it_has_in_a_pair() -> None:
    rows = binary_rows(1)
    alone = compare_single(side_of(rows, "head"), Policy())
    for one, both in zip(alone, compare_paired(rows, Policy()), strict=True):
        assert (one.metric, one.base, one.difference, one.low) == (both.metric, None, None, None)
        assert one.head == pytest.approx(both.head, abs=1e-15)
        # The draws of the calibration error come in another shape; the others are the same.
        tolerance = 5e-3 if one.metric == "ece" else 1e-12
        assert one.head_low == pytest.approx(both.head_low, abs=tolerance)
        assert one.head_high == pytest.approx(both.head_high, abs=tolerance)


@pytest.mark.parametrize("make", [binary_rows, multiclass_rows])
def test_metrics_of_one_class_are_those_of_scikit_learn(make: Callable[..., PairedRows]) -> None:
    from sklearn.metrics import precision_recall_fscore_support

    rows = make(2)
    names = [f"{name}@{label}" for name in ("precision", "recall", "f1") for label in rows.classes]
    found = {one.metric: one for one in compare_paired(rows, Policy(), names)}
    for side in ("base", "head"):
        said = getattr(rows, side).prediction
        truth = precision_recall_fscore_support(rows.label, said, average=None)
        for name, values in zip(("precision", "recall", "f1"), truth, strict=False):
            for label, value in zip(rows.classes, values, strict=True):
                one = found[f"{name}@{label}"]
                assert getattr(one, side) == pytest.approx(value, abs=1e-12)
                assert one.low is not None
                assert one.low < one.difference < one.high  # type: ignore[operator]
    recall, whole = found[f"recall@{rows.classes[1]}"], found["recall"]
    if make is binary_rows:
        assert (recall.low, recall.high) == (whole.low, whole.high)


def test_a_class_that_is_not_there_has_no_metric() -> None:
    rows = multiclass_rows(0)
    found = {one.metric: one for one in compare_paired(rows, Policy(), ["f1@Cat", "recall@a"])}
    assert found["f1@Cat"].head is None
    assert found["f1@Cat"].note == "there is no class 'Cat'"
    assert found["recall@a"].low is not None
