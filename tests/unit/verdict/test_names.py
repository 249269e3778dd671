from __future__ import annotations

import pytest

from mlops_ci.config.model import Gate
from mlops_ci.errors import ConfigError
from mlops_ci.verdict import METRICS, canonical_metric, compare_numbers, higher_is_better
from mlops_ci.verdict.names import canonical_gate

CONTRACT = [
    "accuracy",
    "balanced_accuracy",
    "precision",
    "recall",
    "specificity",
    "f1",
    "mcc",
    "roc_auc",
    "average_precision",
    "log_loss",
    "brier",
    "ece",
    "mae",
    "mse",
    "rmse",
    "mape",
    "r2",
]


def test_the_names_of_the_contract() -> None:
    assert {canonical_metric(name) for name in CONTRACT} == set(CONTRACT)
    assert set(CONTRACT) <= set(METRICS)


def test_scorers_of_scikit_learn_have_their_direction() -> None:
    """A name that scikit-learn and we both know reads the same way round."""
    from sklearn.metrics import get_scorer, get_scorer_names

    known = []
    for name in get_scorer_names():
        try:
            metric = canonical_metric(name)
        except ConfigError:
            continue
        known.append(name)
        assert METRICS[metric].higher_is_better is (get_scorer(name)._sign == 1), name
    assert {
        "neg_log_loss", "roc_auc", "f1_macro", "f1_weighted", "neg_mean_absolute_error", "neg_brier_score",
        "neg_root_mean_squared_error", "balanced_accuracy", "matthews_corrcoef", "recall_macro", "roc_auc_ovr",
    } <= set(known)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "upwards"),
    [
        ("eval/val_loss", False), ("test.roc_auc", True), ("train:rmse", False), ("neg_log_loss", True),
        ("cv.neg_mean_absolute_error", True), ("ndcg@10", True), ("ndcg@1.5", None), ("pinball_loss@0.9", False), ("pinball_loss@2", None), ("banana", None), ("val_accuracy", True),
        ("metrics.test_f1_score", True), ("p95_latency", False), ("latency_ms", False), ("model_size_mb", False), ("training_seconds", False), ("ms", None), ("ROC-AUC", True), ("Log Loss", False),
    ],
)  # fmt: skip
def test_direction(name: str, upwards: bool | None) -> None:
    assert higher_is_better(name) is upwards


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        canonical_metric("log_los")
    assert "`log_loss`" in caught.value.fix


def test_a_margin_of_a_negated_scorer_stays_a_margin() -> None:
    drop = canonical_gate(Gate(metric="neg_log_loss", kind="max-drop", limit=0.1))
    assert (drop.metric, drop.kind, drop.limit) == ("log_loss", "max-drop", 0.1)


def test_numbers_without_rows() -> None:
    found = {
        one.metric: one
        for one in compare_numbers(
            {"a.auc": 0.8, "gone": 1.0, "nan": 1.0}, {"a.auc": 0.9, "new": 2.0, "nan": float("nan")}
        )
    }
    assert list(found) == ["a.auc", "gone", "nan", "new"]
    assert found["a.auc"].difference == pytest.approx(0.1)
    assert (found["a.auc"].evidence, found["a.auc"].higher_is_better, found["a.auc"].low) == (
        "point",
        True,
        None,
    )
    assert (found["gone"].head, found["gone"].difference) == (None, None)
    assert found["nan"].head is None
    assert all(found[name].note for name in ("gone", "nan", "new"))
    first = compare_numbers(None, {"accuracy": 0.9})
    assert (first[0].base, first[0].head, first[0].note) == (None, 0.9, None)
