"""The drop on changed rows, and under another prior: against scikit-learn and against chance."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss, precision_score, roc_auc_score

from mlops_ci.config import Policy, Waiver
from mlops_ci.config.robustness import Perturbation
from mlops_ci.records.results import MetricResult
from mlops_ci.verdict.contract import join_verdict
from mlops_ci.verdict.perturbation import (
    MainsDrop,
    Seen,
    Wanted,
    judge_drop,
    measure_changed,
    measure_prior,
    merge_perturbations,
    waive_drops,
)
from mlops_ci.verdict.rows import Outputs, PairedRows, SingleRows

POLICY = Policy()


def drawn(seed: int, n: int = 2_000, share: float = 0.2) -> SingleRows:
    rng = np.random.default_rng(seed)
    label = (rng.random(n) < share).astype(np.int64)
    score = 1 / (1 + np.exp(-(2.0 * label - 2.0 + rng.normal(0, 1.2, n))))
    answers = Outputs((score >= 0.5).astype(np.int64), score)
    return SingleRows("binary", ("0", "1"), label, answers)


def weighted(rows: SingleRows, metric: str, positive: float) -> float:
    share = rows.label.mean()
    weight = np.where(rows.label == 1, positive / share, (1 - positive) / (1 - share))
    score, said = rows.outputs.score, rows.outputs.prediction
    oracle = {
        "precision": lambda: precision_score(rows.label, said, sample_weight=weight),
        "log_loss": lambda: log_loss(rows.label, score, sample_weight=weight),
        "brier": lambda: brier_score_loss(rows.label, score, sample_weight=weight),
        "accuracy": lambda: np.average(rows.label == said, weights=weight),
        "roc_auc": lambda: roc_auc_score(rows.label, score, sample_weight=weight),
    }
    return float(oracle[metric]())


@pytest.mark.parametrize("metric", ["precision", "log_loss", "brier", "accuracy", "roc_auc"])
@pytest.mark.parametrize("positive", [0.05, 0.5])
def test_a_shifted_prior_is_scikit_learns_weights(metric: str, positive: float) -> None:
    rows = drawn(1)
    found = measure_prior(rows, POLICY, metric, positive).result
    assert found is not None
    assert found.head is not None
    assert found.head == pytest.approx(weighted(rows, metric, positive), abs=1e-12)
    assert found.difference == pytest.approx(found.head - (found.base or 0.0), abs=1e-12)


@pytest.mark.parametrize("metric", ["precision", "log_loss", "accuracy"])
def test_the_interval_of_a_shifted_prior_covers_the_truth(metric: str) -> None:
    big = drawn(99, 400_000)
    true = measure_prior(big, POLICY, metric, 0.5).result
    assert true is not None
    covered = 0
    for seed in range(200):
        found = measure_prior(drawn(seed, 800), POLICY, metric, 0.5).result
        assert found is not None
        assert found.low is not None
        covered += found.low <= (true.difference or 0.0) <= (found.high or 0.0)
    assert 180 <= covered <= 199, f"{covered} of 200 at 95 %"


def test_what_has_no_prior_does_not_move() -> None:
    for metric in ("roc_auc", "recall", "specificity"):
        found = measure_prior(drawn(3), POLICY, metric, 0.6).result
        assert found is not None
        assert (found.difference, found.low, found.high) == (0.0, 0.0, 0.0)


def test_no_prior_of_one_class_or_of_three() -> None:
    rows = drawn(4)
    one = SingleRows("binary", ("0", "1"), np.zeros(50, np.int64), Outputs(np.zeros(50, np.int64)))
    assert measure_prior(one, POLICY, "accuracy", 0.5).note == "there is only one class"
    three = SingleRows("multiclass", ("a", "b", "c"), rows.label, Outputs(rows.label))
    assert measure_prior(three, POLICY, "accuracy", 0.5).result is None
    assert measure_prior(rows, POLICY, "ece", 0.5).result is None


def test_the_drop_is_changed_minus_clean() -> None:
    clean = drawn(5)
    score = clean.outputs.score
    assert score is not None
    noisy = np.clip(score + np.random.default_rng(0).normal(0, 0.3, len(score)), 0, 1)
    rows = PairedRows(
        "binary", ("0", "1"), clean.label, Outputs(None, score), Outputs(None, noisy),
        slices={"r=a": clean.label == 0},
    )  # fmt: skip
    found = measure_changed(rows, POLICY, "auc")
    assert found is not None
    assert found.slice is None
    drop = roc_auc_score(clean.label, noisy) - roc_auc_score(clean.label, score)
    assert found.difference == pytest.approx(drop, abs=1e-12)
    assert found.high is not None
    assert found.high < 0


def test_the_same_answers_are_no_change_and_no_proof_of_none() -> None:
    """Other rows might have been answered otherwise: as wide as for no row of so many."""
    clean = drawn(6)
    score = clean.outputs.score
    assert score is not None
    for noise, exact in ((1e-15, True), (1e-3, False)):
        other = Outputs(None, score + noise * np.cos(np.arange(len(score))))
        rows = PairedRows("binary", ("0", "1"), clean.label, clean.outputs, other)
        found = measure_changed(rows, POLICY, "roc_auc")
        assert found is not None
        assert found.low is not None
        assert found.high is not None
        assert (found.difference == 0.0) is exact
        assert found.low < 0 < found.high or not exact
        assert found.high - found.low > 1e-3 or not exact


def test_answers_in_small_units_are_not_the_same() -> None:
    label = 1e-13 * np.random.default_rng(1).normal(size=300)
    sides = Outputs(label), Outputs(-label)
    found = measure_changed(PairedRows("regression", (), label, *sides), POLICY, "rmse")
    assert found is not None
    assert found.low is not None
    assert found.low > 0


def test_a_prior_of_few_rows_is_not_assessed() -> None:
    few = drawn(3, n=20, share=0.5)
    seen = measure_prior(few, POLICY, "accuracy", 0.3)
    assert seen.note == "not assessed: 20 rows, fewer than min-rows (30)"
    one = Wanted(Perturbation(kind="prior", amount=0.3, max_drop=0.9), "both", "accuracy")
    judged = judge_drop(one, seen, POLICY, None)
    assert (judged.verdict, judged.blocks) == ("inconclusive", True)
    assert measure_prior(drawn(3, n=400, share=0.05), POLICY, "f1", 0.3).result is None


def test_an_undecided_drop_leaves_the_verdict_undecided() -> None:
    undecided = judge_drop(wanted(max_drop=0.02), Seen(result(0.01, 0.02)), POLICY, None)
    assert (undecided.verdict, undecided.blocks) == ("inconclusive", False)
    assert join_verdict("pass", [undecided]) == "inconclusive"
    advisory = judge_drop(
        wanted(max_drop=0.02, required=False), Seen(result(0.01, 0.02)), POLICY, None
    )
    assert join_verdict("pass", [advisory]) == "pass"
    assert join_verdict("pass", [judge_drop(wanted(), Seen(None), POLICY, None)]) == "pass"


def wanted(**other: Any) -> Wanted:
    one = Perturbation(kind="noise", amount=0.1, **other)
    return Wanted(one, "both", "roc_auc")


def result(drop: float, half: float) -> MetricResult:
    return MetricResult(
        metric="roc_auc", base=0.9, head=0.9 - drop, difference=-drop, low=-drop - half,
        high=-drop + half, n=900, se=half / 1.96, evidence="paired", higher_is_better=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("drop", "half", "verdict", "blocks"),
    [
        (0.001, 0.004, "pass", False),
        (0.05, 0.01, "fail", True),
        (0.015, 0.01, "inconclusive", False),
        (0.025, 0.01, "inconclusive", True),
    ],
)
def test_a_drop_is_judged_as_gates_are(
    drop: float, half: float, verdict: str, blocks: bool
) -> None:
    judged = judge_drop(
        wanted(max_drop=0.02), Seen(result(drop, half)), POLICY, MainsDrop(-0.01, -0.02, 0.0)
    )
    assert (judged.verdict, judged.blocks, judged.base_difference) == (verdict, blocks, -0.01)
    assert (judged.base_low, judged.base_high) == (-0.02, 0.0)
    advisory = judge_drop(
        wanted(max_drop=0.02, required=False), Seen(result(drop, half)), POLICY, None
    )
    assert not advisory.blocks


def test_what_was_not_answered_blocks_where_it_is_a_gate() -> None:
    seen = Seen(None, "predict failed")
    gated = judge_drop(wanted(max_drop=0.02), seen, POLICY, None)
    assert (gated.verdict, gated.blocks, gated.note) == ("inconclusive", True, "predict failed")
    warned = judge_drop(wanted(max_drop=0.02), seen, Policy(on_inconclusive="warn"), None)
    assert warned.blocks, "nothing to judge is no warning"
    told = judge_drop(wanted(), seen, POLICY, None)
    assert (told.verdict, told.blocks) == ("ungated", False)


def test_head_cannot_drop_bases_perturbation() -> None:
    base = [Perturbation(kind="noise", amount=0.1, max_drop=0.01)]
    head = [Perturbation(kind="noise", amount=0.1, max_drop=0.5)]
    merged, changes = merge_perturbations(base, head)
    assert [(one.max_drop, source) for one, source in merged] == [(0.01, "base"), (0.5, "head")]
    assert "is removed; it holds until this is merged" in changes[0]
    assert merge_perturbations(base, base) == (((base[0], "both"),), ())


def test_a_waiver_lets_through_until_its_day() -> None:
    judged = judge_drop(wanted(max_drop=0.02), Seen(result(0.05, 0.01)), POLICY, None)
    for metric, day, blocks in (
        ("robustness", 1, False),
        ("robustness:noise", 1, False),
        ("robustness:swap", 1, True),
        ("robustness", 2, True),
    ):
        waiver = Waiver(metric=metric, owner="ana", reason="known", until=date(2026, 1, 1))
        (found,), _ = waive_drops([judged], [waiver], date(2026, 1, day))
        assert found.blocks is blocks
