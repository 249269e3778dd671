"""Rows with weights: scikit-learn's values, textbook intervals, and 95 % that are 95 %."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci.config.model import Policy
from mlops_ci.errors import ComparisonError
from mlops_ci.records import MetricResult
from mlops_ci.verdict import Outputs, PairedRows, compare_paired, compare_unpaired
from mlops_ci.verdict.aggregates.exact import effective_rows, sum_by
from mlops_ci.verdict.measuring import measure
from mlops_ci.verdict.names import metric_of
from mlops_ci.verdict.part import Part
from mlops_ci.verdict.rows import view_of
from mlops_ci.verdict.weights import linear_of
from tests.unit.verdict.rows_for_tests import (
    binary_rows,
    multiclass_rows,
    regression_rows,
    reordered,
    side_of,
)

Oracle = Callable[..., Any]


def weighted(rows: PairedRows, seed: int = 0, spread: float = 0.8) -> PairedRows:
    """Heavier where the label is higher, so that weights move every value."""
    rng = np.random.default_rng(seed)
    n = len(rows.label)
    lift = 0.3 * (rows.label - rows.label.mean()) / rows.label.std()
    return replace(rows, weight=np.exp(spread * rng.normal(size=n) + lift))


def weighed_by(rows: PairedRows, order: Any) -> PairedRows:
    assert rows.weight is not None
    return replace(reordered(rows, order), weight=rows.weight[order])


def by_name(rows: PairedRows, *names: str, **policy: Any) -> dict[str, MetricResult]:
    found = compare_paired(rows, Policy(**policy), names)
    return {one.metric: one for one in found if one.slice is None}


def oracle(name: str) -> Oracle:
    """Of (label, prediction, score, weight)."""
    from sklearn import metrics as sk

    base, _, average = name.partition("_")
    if average in ("macro", "weighted", "micro"):
        score = getattr(sk, f"{base}_score")
        return lambda y, p, _, w: score(y, p, average=average, sample_weight=w, zero_division=0)
    found: dict[str, Oracle] = {
        "accuracy": lambda y, p, _, w: sk.accuracy_score(y, p, sample_weight=w),
        "balanced_accuracy": lambda y, p, _, w: sk.balanced_accuracy_score(y, p, sample_weight=w),
        "precision": lambda y, p, _, w: sk.precision_score(y, p, sample_weight=w),
        "recall": lambda y, p, _, w: sk.recall_score(y, p, sample_weight=w),
        "specificity": lambda y, p, _, w: sk.recall_score(y, p, pos_label=0, sample_weight=w),
        "f1": lambda y, p, _, w: sk.f1_score(y, p, sample_weight=w),
        "mcc": lambda y, p, _, w: sk.matthews_corrcoef(y, p, sample_weight=w),
        "roc_auc": lambda y, _, s, w: sk.roc_auc_score(
            y, s, sample_weight=w, **({"multi_class": "ovr"} if s.ndim > 1 else {})
        ),
        "average_precision": lambda y, _, s, w: sk.average_precision_score(y, s, sample_weight=w),
        "log_loss": lambda y, _, s, w: sk.log_loss(y, s, sample_weight=w),
        "brier": lambda y, _, s, w: sk.brier_score_loss(y, s, sample_weight=w),
        "mae": lambda y, p, _, w: sk.mean_absolute_error(y, p, sample_weight=w),
        "mse": lambda y, p, _, w: sk.mean_squared_error(y, p, sample_weight=w),
        "rmse": lambda y, p, _, w: sk.root_mean_squared_error(y, p, sample_weight=w),
        "mape": lambda y, p, _, w: sk.mean_absolute_percentage_error(y, p, sample_weight=w),
        "r2": lambda y, p, _, w: sk.r2_score(y, p, sample_weight=w),
        "pinball_loss@0.9": lambda y, p, _, w: sk.mean_pinball_loss(
            y, p, sample_weight=w, alpha=0.9
        ),
        "ece": expected_calibration_error,
    }
    return found[name]


def expected_calibration_error(y: Any, _: Any, s: Any, w: Any) -> float:
    inside = np.minimum((s * 10).astype(int), 9)
    gaps = [abs((w * (y - s))[inside == k].sum()) for k in range(10)]
    return float(sum(gaps) / w.sum())


BINARY = (
    "accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "mcc", "roc_auc",
    "average_precision", "log_loss", "brier", "ece", "f1_macro", "recall_weighted",
)  # fmt: skip
MULTICLASS = (
    "accuracy", "balanced_accuracy", "precision_macro", "precision_weighted", "f1_weighted",
    "f1_micro", "recall_macro", "mcc", "roc_auc", "log_loss",
)  # fmt: skip
REGRESSION = ("mae", "mse", "rmse", "mape", "r2", "pinball_loss@0.9")
CASES = [
    *((name, binary_rows) for name in BINARY),
    *((name, multiclass_rows) for name in MULTICLASS),
    *((name, regression_rows) for name in REGRESSION),
]


@pytest.mark.parametrize(("name", "make"), CASES)
def test_values_are_scikit_learns(name: str, make: Any) -> None:
    rows = weighted(make(1))
    found = by_name(rows, name)[name]
    for value, side in ((found.base, rows.base), (found.head, rows.head)):
        wanted = oracle(name)(rows.label, side.prediction, side.score, rows.weight)
        assert value == pytest.approx(wanted, rel=1e-12, abs=1e-12)
    assert value != pytest.approx(by_name(replace(rows, weight=None), name)[name].head, rel=1e-4)
    assert found.low is not None, found.note
    assert found.high is not None
    assert found.low < (found.difference or 0.0) < found.high
    assert str(found.method).endswith("weighted")


SMOOTH = [(name, make) for name, make in CASES if name != "ece"]


@pytest.mark.parametrize(("name", "make"), SMOOTH)
def test_an_influence_is_what_a_little_more_weight_does(name: str, make: Any) -> None:
    """Jaeckel 1972: the derivative of scikit-learn's value in a row's weight, by differences."""
    rows = weighted(make(2))
    weight, step = rows.weight, 1e-5
    assert weight is not None
    part = Part(view_of(rows), Policy(), None)
    found = linear_of(part, 1, metric_of(name, {}))
    assert found is not None
    assert abs(np.average(found.influence, weights=weight)) < 1e-12 * found.most
    assert np.abs(found.influence).max() <= found.most * (1 + 1e-12)
    for i in np.random.default_rng(0).choice(len(weight), 25, replace=False):
        near = []
        for factor in (1 + step, 1 - step):
            other = weight.copy()
            other[i] *= factor
            side = rows.head
            near.append(oracle(name)(rows.label, side.prediction, side.score, other))
        slope = (near[0] - near[1]) / (2 * step)
        wanted = slope * weight.sum() / weight[i]
        assert found.influence[i] == pytest.approx(wanted, rel=1e-4, abs=1e-5 * found.most), i
    change = measure(part, name).change
    before = linear_of(part, 0, metric_of(name, {}))
    assert change is not None
    assert before is not None
    moved = weight / weight.mean() * (found.influence - before.influence)
    assert change.se == pytest.approx(moved.std(ddof=1) / math.sqrt(len(moved)), rel=1e-3)


@pytest.mark.parametrize("groups", [None, 300])
def test_a_mean_is_that_of_weighted_regression(groups: int | None) -> None:
    """Hájek's ratio with its linearised variance: White 1980's, of a regression on a constant."""
    import statsmodels.api as sm

    rows = weighted(regression_rows(1, n=4_000))
    assert rows.base.prediction is not None
    assert rows.head.prediction is not None
    moved = np.abs(rows.head.prediction - rows.label) - np.abs(rows.base.prediction - rows.label)
    model = sm.WLS(moved, np.ones((4_000, 1)), weights=rows.weight)
    if groups is None:
        fitted = model.fit(cov_type="HC1")
    else:
        codes = np.random.default_rng(3).integers(0, groups, 4_000)
        rows = replace(rows, group=codes)
        fitted = model.fit(cov_type="cluster", cov_kwds={"groups": codes})
    found = by_name(rows)["mae"]
    assert found.difference == pytest.approx(float(fitted.params[0]), abs=1e-12)
    assert found.se == pytest.approx(float(fitted.bse[0]), rel=1e-9)


@pytest.mark.parametrize("make", [binary_rows, multiclass_rows, regression_rows])
def test_a_weight_stands_for_copies(make: Any) -> None:
    rows = make(3)
    copies = np.random.default_rng(0).integers(1, 4, len(rows.label))
    alone = by_name(reordered(rows, np.repeat(np.arange(len(copies)), copies)))
    found = by_name(replace(rows, weight=copies.astype(float)))
    for name, one in found.items():
        assert (one.base, one.head) == pytest.approx((alone[name].base, alone[name].head)), name


@pytest.mark.parametrize("make", [binary_rows, multiclass_rows, regression_rows])
def test_equal_weights_are_none_and_a_weight_of_0_is_no_row(make: Any) -> None:
    rows = make(4)
    n = len(rows.label)
    alone = compare_paired(rows, Policy())
    assert compare_paired(replace(rows, weight=np.full(n, 0.3)), Policy()) == alone
    some = np.arange(n) % 3 > 0
    fewer = reordered(rows, np.flatnonzero(some))
    assert compare_paired(replace(rows, weight=some.astype(float)), Policy()) == compare_paired(
        fewer, Policy()
    )


@given(seed=st.integers(0, 2**32 - 1), grouped=st.booleans())
@settings(max_examples=10, deadline=None)
def test_neither_order_nor_unit_matter(seed: int, grouped: bool) -> None:
    rng = np.random.default_rng(seed)
    rows = weighted(binary_rows(seed % 50), seed)
    assert rows.weight is not None
    if grouped:
        rows = replace(rows, group=rng.integers(0, 90, 600))
    expected = compare_paired(rows, Policy())
    assert compare_paired(weighed_by(rows, rng.permutation(600)), Policy()) == expected
    assert rows.weight is not None
    double = replace(rows, weight=rows.weight * 3)
    for one, other in zip(compare_paired(double, Policy()), expected, strict=True):
        assert (one.low, one.high) == pytest.approx((other.low, other.high), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("make", [binary_rows, multiclass_rows, regression_rows])
def test_nearly_equal_weights_say_nearly_what_rows_say(make: Any) -> None:
    rows = make(3, n=3_000)
    weight = 1 + 1e-7 * np.random.default_rng(0).random(3_000)
    found = by_name(replace(rows, weight=weight))
    for name, one in by_name(rows).items():
        if name == "mape":  # a label near 0: a row weighs what all others do
            continue
        other = found[name]
        assert one.low is not None
        assert one.high is not None
        near = 0.02 * (one.high - one.low)
        assert (other.low, other.high) == pytest.approx((one.low, one.high), abs=near), name


def test_groups_of_one_row_say_what_rows_say() -> None:
    rows = weighted(binary_rows(5, n=2_000))
    found = by_name(replace(rows, group=np.arange(2_000)))
    for name, one in by_name(rows).items():
        assert (found[name].low, found[name].high) == pytest.approx((one.low, one.high), rel=1e-6)


def test_a_few_heavy_rows_are_few_rows() -> None:
    rows = binary_rows(6)
    heavy = np.ones(600)
    heavy[:10] = 1e6
    for one in compare_paired(replace(rows, weight=heavy), Policy()):
        assert one.low is None, one
        assert "600 rows, worth 10 of equal weight, fewer than min-rows" in str(one.note)
    rare = np.where(rows.label == 1, 1.0, 5.0)
    rare[np.flatnonzero(rows.label == 1)[:12]] = 30.0
    found = by_name(replace(rows, weight=rare))
    assert "rows of the rarer class (of equal weight), fewer than 30" in str(found["roc_auc"].note)
    assert found["accuracy"].low is not None


def test_no_change_and_no_mistake_are_no_certainty() -> None:
    rows = weighted(binary_rows(7))
    same = by_name(replace(rows, head=rows.base))
    for name in ("accuracy", "f1", "roc_auc", "average_precision", "log_loss", "brier"):
        one = same[name]
        assert one.low is not None, one
        assert one.high is not None
        assert one.low < 0 < one.high, one
    perfect = Outputs(rows.label, rows.label * 1.0)
    for one in compare_paired(replace(rows, head=perfect), Policy()):
        if one.metric != "ece":
            assert one.head_low is None or one.head_low < one.head_high, one  # type: ignore[operator]
    right = by_name(replace(rows, head=perfect))
    assert 0.9 < (right["accuracy"].head_low or 0) < 1
    assert 0.9 < (right["roc_auc"].head_low or 0) < 1


def test_identical_models_do_not_differ_and_slices_have_weights_of_their_own() -> None:
    rows = weighted(binary_rows(8))
    part = np.arange(600) % 3 == 0
    sliced = replace(rows, slices={"part=a": part}, identical=True, head=rows.base)
    for one in compare_paired(sliced, Policy()):
        assert (one.low, one.high) == (0, 0)
    of_part = {one.metric: one for one in compare_paired(sliced, Policy()) if one.slice}
    alone = by_name(weighed_by(rows, np.flatnonzero(part)))
    assert all(of_part[name].base == one.base for name, one in alone.items())


def test_what_has_no_weights_is_not_assessed() -> None:
    rows = replace(weighted(binary_rows(9)), group=np.arange(600) // 10)
    found = by_name(rows, "ndcg@5", "mrr")
    for name in ("ndcg@5", "mrr"):
        assert found[name].head is None
        assert str(found[name].note).startswith("not assessed: rows have weights")


def test_two_samples_have_weights_of_their_own() -> None:
    one, other = weighted(binary_rows(1)), weighted(binary_rows(2), 5)
    base, head = (replace(side_of(rows, "base"), weight=rows.weight) for rows in (one, other))
    found = {r.metric: r for r in compare_unpaired(base, head, Policy())}
    assert found["f1"].base == by_name(one)["f1"].base
    assert found["f1"].head == by_name(other)["f1"].base
    assert found["f1"].low is not None


@pytest.mark.parametrize(
    "weight", [np.full(600, -1.0), np.full(600, np.nan), np.zeros(600), np.ones(5), np.r_[np.inf, np.ones(599)]]
)  # fmt: skip
def test_weights_that_no_row_can_have(weight: Any) -> None:
    with pytest.raises(ComparisonError, match="weight"):
        binary_rows(0, weight=weight)
    with pytest.raises(ComparisonError, match="weight"):
        replace(side_of(binary_rows(0), "base"), weight=weight)


def test_sums_leave_no_trace_of_the_order() -> None:
    rng = np.random.default_rng(1)
    values, where = (
        rng.normal(size=5_000) * 10.0 ** rng.integers(-8, 8, 5_000),
        rng.integers(0, 7, 5_000),
    )
    order = rng.permutation(5_000)
    found = sum_by(where, values, 7)
    assert (found == sum_by(where[order], values[order], 7)).all()
    for k in range(7):
        assert found[k] == pytest.approx(math.fsum(values[where == k]), rel=1e-12)
    assert effective_rows(np.full(77, 0.1)) == pytest.approx(77)
    assert effective_rows(np.array([1e6, 1e-6])) == pytest.approx(1)


DRAWN = 400
NAMES = ("accuracy", "recall", "f1", "roc_auc", "average_precision", "log_loss", "brier")


def drawn(rng: np.random.Generator, n: int) -> PairedRows:
    """Customers weigh what they spend, and who spends more is easier to tell."""
    label = (rng.random(n) < 0.35).astype(np.int64)
    size = rng.normal(size=n)
    shared = rng.normal(size=n) + (1.2 + 0.3 * size) * label
    scores = [
        1 / (1 + np.exp(-1.3 * (shared - g * label * size + 0.35 * rng.normal(size=n) - 0.9)))
        for g in (0.0, 0.15)
    ]
    sides = [Outputs((s >= 0.5).astype(np.int64), s) for s in scores]
    weight = np.exp(0.7 * size)
    return PairedRows("binary", ("0", "1"), label, sides[0], sides[1], weight=weight)


def test_each_tail_misses_as_seldom_as_it_says() -> None:
    big = Part(view_of(drawn(np.random.default_rng(1), 1_000_000)), Policy(), None)
    truth = {name: measure(big, name).values for name in NAMES}
    misses = {name: [0, 0, 0, 0] for name in NAMES}
    blind = 0
    rng = np.random.default_rng(2)
    for _ in range(DRAWN):
        rows = drawn(rng, 800)
        part = Part(view_of(rows), Policy(), None)
        for name in NAMES:
            found = measure(part, name)
            base, head = truth[name]
            assert base is not None
            assert head is not None
            assert found.change is not None
            own = found.own[1]
            assert own is not None
            misses[name][0] += found.change.low > head - base
            misses[name][1] += found.change.high < head - base
            misses[name][2] += own.low > head
            misses[name][3] += own.high < head
        plain = measure(Part(view_of(replace(rows, weight=None)), Policy(), None), "recall").own[1]
        assert plain is not None
        blind += not plain.low <= float(truth["recall"][1] or 0) <= plain.high
    # 2.5 %, three standard errors of such a count, and 1 % for 800 rows that are worth 490.
    most = DRAWN * 0.035 + 3 * (DRAWN * 0.025 * 0.975) ** 0.5
    for name, tails in misses.items():
        assert max(tails) <= most, (name, tails)
        assert sum(tails) >= 8, (name, tails)
    assert blind > 60, blind  # who ignored the weights would miss it every sixth time
