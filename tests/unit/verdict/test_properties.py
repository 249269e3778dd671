"""What must hold for any rows: order, symmetry, names of classes, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci.config.model import Gate, Policy
from mlops_ci.errors import ComparisonError, ConfigError
from mlops_ci.records import MetricResult
from mlops_ci.verdict import (
    METRICS,
    Outputs,
    PairedRows,
    SingleRows,
    compare_paired,
    compare_single,
    compare_unpaired,
    judge,
)
from mlops_ci.verdict.names import FAIRNESS, TASKS
from tests.unit.verdict.rows_for_tests import (
    binary_rows,
    multiclass_rows,
    regression_rows,
    reordered,
    side_of,
    swapped,
)

MAKERS = [binary_rows, multiclass_rows, regression_rows]
SEEDS = st.integers(0, 2**32 - 1)
# By task what is measured only where it is asked for.
NAMED = {
    task: [
        name
        for name, one in METRICS.items()
        if task in one.tasks and name not in FAIRNESS and one.needs != "group"
    ]
    for task in TASKS
}


@pytest.mark.parametrize("make", MAKERS)
@given(seed=SEEDS, n=st.sampled_from([40, 130, 620]))
@settings(max_examples=12, deadline=None)
def test_the_order_of_the_rows_changes_nothing_at_all(make: Any, seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    rows = replace(
        make(seed % 7, n=n), slices={"x=b": rng.random(n) < 0.4, "x=a": rng.random(n) < 0.6}
    )
    shuffled = reordered(rows, rng.permutation(n))
    names = [*NAMED[rows.task], *(f"f1@{label}" for label in rows.classes)]
    found = compare_paired(rows, Policy(), names)
    assert {*names} <= {one.metric for one in found}
    assert found == compare_paired(shuffled, Policy(), names)
    assert compare_single(side_of(rows, "head"), Policy()) == compare_single(
        side_of(shuffled, "head"), Policy()
    )


@pytest.mark.parametrize("make", MAKERS)
@given(seed=SEEDS, n=st.sampled_from([60, 180, 700]))
@settings(max_examples=12, deadline=None)
def test_exchanging_base_and_head_mirrors_every_change(make: Any, seed: int, n: int) -> None:
    rows = make(seed % 1000, n=n)
    for one, other in zip(
        compare_paired(rows, Policy()), compare_paired(swapped(rows), Policy()), strict=True
    ):
        # Draws over bins fall on other bins when the sides change places.
        tolerance = 0.03 if one.metric == "ece" else 1e-9
        assert (one.base, one.base_low, one.base_high) == pytest.approx(
            (other.head, other.head_low, other.head_high), abs=tolerance
        )
        if one.difference is None:
            assert other.difference is None
            continue
        assert one.difference == pytest.approx(-other.difference, abs=1e-12)  # type: ignore[operator]
        if one.low is None or one.high is None:
            assert other.low is None
            continue
        assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=tolerance)  # type: ignore[operator]


@given(seed=SEEDS, shift=st.integers(1, 5))
@settings(max_examples=15, deadline=None)
def test_other_codes_for_the_same_classes_change_nothing(seed: int, shift: int) -> None:
    """Classes that do not occur are put before the others."""
    rows = replace(
        multiclass_rows(seed % 100),
        base=Outputs(multiclass_rows(seed % 100).base.prediction),
        head=Outputs(multiclass_rows(seed % 100).head.prediction),
    )
    more = tuple(f"never{i}" for i in range(shift)) + rows.classes
    assert rows.base.prediction is not None
    assert rows.head.prediction is not None
    shifted = replace(
        rows,
        classes=more,
        label=rows.label + shift,
        base=Outputs(rows.base.prediction + shift),
        head=Outputs(rows.head.prediction + shift),
    )
    for one, other in zip(
        compare_paired(rows, Policy()), compare_paired(shifted, Policy()), strict=True
    ):
        assert (one.base, one.head, one.low, one.high) == pytest.approx(
            (other.base, other.head, other.low, other.high), abs=1e-10
        ), one.metric


@given(seed=SEEDS)
@settings(max_examples=15, deadline=None)
def test_which_class_is_positive_turns_the_table_round(seed: int) -> None:
    rows = binary_rows(seed % 1000, n=300)
    one = by_name(compare_paired(rows, Policy()))
    assert rows.base.score is not None
    assert rows.head.score is not None
    other = by_name(
        compare_paired(
            replace(
                rows,
                positive=0,
                base=Outputs(rows.base.prediction, 1 - rows.base.score),
                head=Outputs(rows.head.prediction, 1 - rows.head.score),
            ),
            Policy(),
        )
    )
    for name, partner in (
        ("recall", "specificity"),
        ("roc_auc", "roc_auc"),
        ("mcc", "mcc"),
        ("accuracy", "accuracy"),
    ):
        assert (one[name].difference, one[name].low) == pytest.approx(
            (other[partner].difference, other[partner].low), abs=1e-9
        )


def by_name(results: tuple[MetricResult, ...]) -> dict[str, MetricResult]:
    return {one.metric: one for one in results if one.slice is None}


@given(seed=SEEDS, n=st.integers(1, 60), share=st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_nothing_leaves_that_is_not_a_number_with_an_interval_around_it(
    seed: int, n: int, share: float
) -> None:
    rows = binary_rows(seed % 5000, n=n, share=share)
    for one in (
        *compare_paired(rows, Policy(min_rows=1)),
        *compare_unpaired(side_of(rows, "base"), side_of(rows, "head"), Policy(min_rows=1)),
    ):
        check_sound(one)


@given(seed=SEEDS, n=st.integers(1, 60))
@settings(max_examples=30, deadline=None)
def test_nor_for_regression_and_many_classes(seed: int, n: int) -> None:
    for rows in (regression_rows(seed % 5000, n=n), multiclass_rows(seed % 5000, n=n)):
        for one in compare_paired(rows, Policy(min_rows=1)):
            check_sound(one)


def check_sound(one: MetricResult) -> None:
    for value in (
        one.base,
        one.head,
        one.difference,
        one.low,
        one.high,
        one.se,
        one.head_low,
        one.head_high,
    ):
        assert value is None or math.isfinite(value), one
    if one.low is not None:
        assert one.low <= one.difference + 1e-12, one  # type: ignore[operator]
        assert one.high >= one.difference - 1e-12, one  # type: ignore[operator]
        assert one.high > one.low, one  # type: ignore[operator]
    else:
        assert one.note, one
    if one.head_low is not None:
        assert one.head_low - 1e-12 <= one.head <= one.head_high + 1e-12, one  # type: ignore[operator]
        assert one.head_high > one.head_low, one  # type: ignore[operator]


def test_too_few_rows_are_not_assessed_and_their_number_is_still_shown() -> None:
    few = compare_paired(regression_rows(0, n=29), Policy())
    assert all(
        one.head is not None and one.low is None and "29 rows" in str(one.note) for one in few
    )
    assert all(one.low is not None for one in compare_paired(regression_rows(0, n=30), Policy()))
    assert all(
        one.low is None for one in compare_paired(regression_rows(0, n=99), Policy(min_rows=100))
    )


def test_a_rare_class_is_not_assessed() -> None:
    label = np.zeros(1000, dtype=np.int64)
    label[:29] = 1
    rows = binary_rows(0, n=1000)
    rows = replace(rows, label=label, slices={"all=1": np.ones(1000, dtype=bool)})
    whole, part = (
        {one.metric: one for one in compare_paired(rows, Policy()) if one.slice == name}
        for name in (None, "all=1")
    )
    for name in (
        "recall",
        "precision",
        "f1",
        "roc_auc",
        "average_precision",
        "mcc",
        "balanced_accuracy",
    ):
        assert whole[name].low is None
        assert "29 rows of the rarer class" in str(whole[name].note)
    assert whole["accuracy"].low is not None
    assert all(one.low is None for one in part.values())
    label[29] = 1
    assert by_name(compare_paired(replace(rows, label=label), Policy()))["roc_auc"].low is not None


def test_scores_that_are_no_probabilities() -> None:
    rows = binary_rows(0)
    assert rows.head.score is not None
    odd = Outputs(rows.head.prediction, rows.head.score * 3)
    found = by_name(compare_paired(replace(rows, head=odd), Policy()))
    for name in ("log_loss", "brier", "ece"):
        assert found[name].head is None
        assert "outside 0…1" in str(found[name].note)
    assert found["roc_auc"].low is not None


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_score_that_is_not_a_number_never_passes(bad: float) -> None:
    rows = binary_rows(0)
    assert rows.head.score is not None
    score = rows.head.score.copy()
    score[3] = bad
    results = compare_paired(replace(rows, head=Outputs(rows.head.prediction, score)), Policy())
    assert by_name(results)["roc_auc"].head is None
    found = judge(
        results,
        [Gate(metric="roc_auc", kind="max-drop", limit=1.0)],
        Policy(on_inconclusive="warn"),
    )
    assert (found.verdict, found.blocks) == ("inconclusive", True)


def test_no_threshold_no_confusion_table() -> None:
    rows = binary_rows(0)
    bare = replace(rows, base=Outputs(None, rows.base.score), head=Outputs(None, rows.head.score))
    found = by_name(compare_paired(bare, Policy()))
    assert found["recall"].head is None
    assert "no prediction" in str(found["recall"].note)
    assert found["roc_auc"].low is not None


def test_a_model_that_never_says_positive_has_no_precision() -> None:
    rows = binary_rows(0)
    silent = Outputs(np.zeros(600, dtype=np.int64), rows.head.score)
    found = by_name(compare_paired(replace(rows, head=silent), Policy()))
    assert (found["precision"].head, found["precision"].low) == (None, None)
    assert found["recall"].head == 0
    assert found["recall"].high is not None
    assert found["recall"].high < 0
    assert found["f1"].head == 0


def test_unpaired_joins_the_own_intervals() -> None:
    base, head = side_of(binary_rows(0), "base"), side_of(binary_rows(1), "head")
    found = by_name(compare_unpaired(base, head, Policy()))
    alone = by_name(compare_single(head, Policy()))
    for name, one in found.items():
        assert one.evidence == "unpaired"
        assert one.low is not None
        assert one.low < one.difference < one.high  # type: ignore[operator]
        assert one.head_low == alone[name].head_low


def test_a_slice_of_one_side_only_is_there_without_a_value() -> None:
    base, head = side_of(binary_rows(0), "base"), side_of(binary_rows(1), "head")
    base = replace(base, slices={"region=gone": np.ones(600, dtype=bool)})
    results = compare_unpaired(base, head, Policy())
    assert {one.slice for one in results} == {None, "region=gone"}
    found = judge(
        results, [Gate(metric="recall", kind="min", limit=0.1, slice="region=*")], Policy()
    )
    assert [(one.slice, one.verdict, one.blocks) for one in found.gates] == [
        ("region=gone", "inconclusive", True)
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"label": np.zeros(5, dtype=np.int64)},
        {"label": np.full(600, 2)},
        {"label": np.full(600, 0.5)},
        {"classes": ("a",)},
        {"base": Outputs(np.full(600, -1))},
        {"base": Outputs(np.zeros(600, dtype=np.int64), np.zeros((600, 2)))},
        {"slices": {"x=1": np.ones(3, dtype=bool)}},
        {"positive": 2},
        {"group": np.zeros(5, dtype=np.int64)},
        {"group": np.zeros(600)},
        {"values": {"cost": None}},
    ],
)
def test_rows_that_do_not_fit_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ComparisonError):
        replace(binary_rows(0), **change)


def test_an_empty_set_of_rows_is_no_pass() -> None:
    none = np.zeros(0, dtype=np.int64)
    side = Outputs(none, none.astype(float))
    results = compare_paired(PairedRows("binary", ("a", "b"), none, side, side), Policy())
    found = judge(
        results,
        [Gate(metric="accuracy", kind="max-drop", limit=1.0)],
        Policy(on_inconclusive="warn"),
    )
    assert (found.verdict, found.blocks) == ("inconclusive", True)


def test_many_classes_stay_small() -> None:
    rng = np.random.default_rng(0)
    label, base, head = (rng.integers(0, 10_000, 3_000) for _ in range(3))
    head = np.where(rng.random(3_000) < 0.5, label, head)
    names = tuple(map(str, range(10_000)))
    found = by_name(
        compare_paired(
            PairedRows("multiclass", names, label, Outputs(base), Outputs(head)), Policy()
        )
    )
    assert found["accuracy"].low is not None
    assert found["accuracy"].low > 0.4
    assert found["f1"].head_low is None
    assert "of the rarer class, fewer than 30" in str(found["f1"].note)


def test_metrics_that_are_asked_for_are_added() -> None:
    rows = binary_rows(0)
    assert "f1_macro" not in by_name(compare_paired(rows, Policy()))
    assert "f1_macro" in by_name(compare_paired(rows, Policy(), ["f1_macro", "auc"]))
    assert (
        by_name(compare_paired(rows, Policy(), ["mae"]))["mae"].note
        == "not defined for a binary task"
    )
    with pytest.raises(ConfigError, match="banana"):
        compare_paired(rows, Policy(), ["banana"])


def test_different_questions_are_not_compared() -> None:
    one = side_of(binary_rows(0), "base")
    with pytest.raises(ComparisonError):
        compare_unpaired(one, side_of(regression_rows(0), "head"), Policy())
    assert isinstance(one, SingleRows)
