"""Rows that belong together, against textbook forms and statsmodels; and what happens without."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci.config.model import Policy
from mlops_ci.records import MetricResult
from mlops_ci.verdict import Outputs, PairedRows, compare_paired
from mlops_ci.verdict.measuring import measure
from mlops_ci.verdict.part import Part
from mlops_ci.verdict.rows import view_of
from tests.unit.verdict.rows_for_tests import (
    binary_rows,
    multiclass_rows,
    regression_rows,
    reordered,
)

LEVEL = 0.95


def by_name(results: tuple[MetricResult, ...]) -> dict[str, MetricResult]:
    return {one.metric: one for one in results if one.slice is None}


def grouped(rows: PairedRows, groups: int, seed: int = 0) -> PairedRows:
    """Groups of unequal size."""
    rng = np.random.default_rng(seed)
    share = rng.random(groups) + 0.2
    return replace(rows, group=rng.choice(groups, size=len(rows.label), p=share / share.sum()))


def test_a_mean_by_groups_is_that_of_cluster_robust_regression() -> None:
    import statsmodels.api as sm

    rows = grouped(regression_rows(1, n=4_000), 700)
    assert rows.base.prediction is not None
    assert rows.head.prediction is not None
    moved = np.abs(rows.head.prediction - rows.label) - np.abs(rows.base.prediction - rows.label)
    fitted = sm.OLS(moved, np.ones((4_000, 1))).fit(
        cov_type="cluster", cov_kwds={"groups": rows.group}
    )
    found = by_name(compare_paired(rows, Policy()))["mae"]
    assert found.difference == pytest.approx(moved.mean(), abs=1e-12)
    assert found.se == pytest.approx(float(fitted.bse[0]), rel=1e-9)
    assert found.method == "t, skew-adjusted, groups"


def test_an_area_by_groups_is_obuchowskis() -> None:
    """Obuchowski 1997, eq. (2)–(5): sums of components of positive and negative rows by group."""
    rows = grouped(binary_rows(2, n=2_400), 600)
    actual = rows.label == 1
    assert rows.group is not None
    _, codes = np.unique(rows.group, return_inverse=True)
    g, m, n = int(codes.max()) + 1, int(actual.sum()), int((~actual).sum())
    moved, areas = [], []
    for side in (rows.base, rows.head):
        assert side.score is not None
        wins = side.score[actual][:, None] - side.score[~actual][None, :]
        table = (wins > 0) + 0.5 * (wins == 0)
        areas.append(table.mean())
        moved.append((table.mean(axis=1) - table.mean(), table.mean(axis=0) - table.mean()))
    x = np.bincount(codes[actual], weights=moved[1][0] - moved[0][0], minlength=g)
    y = np.bincount(codes[~actual], weights=moved[1][1] - moved[0][1], minlength=g)
    # S10/m + S01/n + 2 S11/(mn), each with the factor of the number of groups.
    variance = g / (g - 1) * ((x**2).sum() / m**2 + (y**2).sum() / n**2 + 2 * (x * y).sum() / m / n)
    found = by_name(compare_paired(rows, Policy()))["roc_auc"]
    assert found.difference == pytest.approx(areas[1] - areas[0], abs=1e-12)
    assert found.se == pytest.approx(math.sqrt(variance), rel=1e-9)


@pytest.mark.parametrize("make", [binary_rows, multiclass_rows, regression_rows])
def test_groups_of_one_row_say_what_rows_say(make: Any) -> None:
    rows = make(3, n=3_000)
    alone = by_name(compare_paired(rows, Policy()))
    groups = by_name(compare_paired(replace(rows, group=np.arange(3_000)), Policy()))
    for name, one in alone.items():
        other = groups[name]
        assert (one.base, one.head) == pytest.approx((other.base, other.head), abs=1e-11)
        if name == "mape":  # a label near 0: a row weighs what all others do
            continue
        assert one.low is not None
        assert one.high is not None
        near = 0.02 * (one.high - one.low)
        assert (other.low, other.high) == pytest.approx((one.low, one.high), abs=near), name


def test_copied_rows_are_no_new_rows() -> None:
    """Every row ten times, each with its copies a group: the interval of the rows themselves."""
    rows = binary_rows(4, n=900)
    copies = np.repeat(np.arange(900), 10)
    many = replace(reordered(rows, copies), group=copies)
    one, ten = (by_name(compare_paired(part, Policy())) for part in (rows, many))
    blind = by_name(compare_paired(replace(many, group=None), Policy()))
    for name in ("accuracy", "f1", "roc_auc", "log_loss", "brier", "average_precision"):
        length = one[name].high - one[name].low  # type: ignore[operator]
        assert ten[name].high - ten[name].low == pytest.approx(length, rel=0.05), name  # type: ignore[operator]
        assert blind[name].high - blind[name].low < 0.5 * length, name  # type: ignore[operator]


@given(seed=st.integers(0, 2**32 - 1), groups=st.sampled_from([35, 120]))
@settings(max_examples=10, deadline=None)
def test_neither_order_nor_names_of_groups_matter(seed: int, groups: int) -> None:
    rng = np.random.default_rng(seed)
    rows = grouped(binary_rows(seed % 50), groups, seed)
    assert rows.group is not None
    named = replace(rows, group=rng.permutation(groups)[rows.group])
    expected = compare_paired(rows, Policy())
    assert compare_paired(reordered(named, rng.permutation(600)), Policy()) == expected


def test_a_group_of_most_rows_hides_how_they_vary() -> None:
    """Its own distance from a mean that it makes itself tells nothing: passed, it was too short."""
    rows = binary_rows(0, n=3_000)
    for share, assessed in ((0.3, True), (0.4, False), (0.95, False)):
        most = np.where(np.arange(3_000) < 3_000 * share, 2_999, np.arange(3_000) // 2)
        found = by_name(compare_paired(replace(rows, group=most), Policy()))
        for name in ("log_loss", "accuracy", "roc_auc", "ece"):
            one = found[name]
            assert (one.low is not None) == (one.head_low is not None) == assessed, (share, name)
            assert assessed or f"one group has {3_000 * share:,.0f} of 3,000 rows" in str(one.note)


def test_a_group_of_most_weight_hides_as_much() -> None:
    group = np.arange(3_000) // 10
    for weight, assessed in ((20.0, True), (400.0, False)):
        rows = replace(
            binary_rows(0, n=3_000), group=group, weight=np.where(group == 7, weight, 1.0)
        )
        one = by_name(compare_paired(rows, Policy(min_rows=5)))["log_loss"]
        assert (one.low is not None) == assessed
        assert assessed or "one group has 57% of all weight" in str(one.note)


def test_a_query_counts_once_however_many_rows_it_has() -> None:
    rows = binary_rows(0, n=3_000)
    query = np.where(np.arange(3_000) < 1_500, 2_999, np.arange(3_000) // 10)
    found = by_name(compare_paired(replace(rows, group=query), Policy(), ("ndcg", "accuracy")))
    assert found["ndcg"].low is not None
    assert found["accuracy"].low is None


def test_few_groups_are_not_assessed() -> None:
    few = by_name(compare_paired(grouped(binary_rows(0), 12), Policy()))
    for one in few.values():
        assert one.low is None, one
        assert one.head_low is None
        assert "12 groups" in str(one.note)
    assert by_name(compare_paired(grouped(binary_rows(0), 40), Policy()))["f1"].low is not None


def test_no_change_in_any_group_is_no_certainty() -> None:
    rows = grouped(binary_rows(5), 60)
    same = replace(rows, head=rows.base)
    for one in compare_paired(same, Policy()):
        assert one.low is not None, one
        assert one.high is not None
        assert one.low < 0 < one.high, one


def test_groups_hold_what_they_promise() -> None:
    """Users with moods of their own: 95 % by groups, far less by rows."""
    rng = np.random.default_rng(9)
    misses = {"groups": 0, "rows": 0}
    for _ in range(300):
        users = np.repeat(np.arange(80), 8)
        moods = [rng.normal(size=80)[users] for _ in range(2)]
        label = rng.normal(size=640)
        sides = [Outputs(label + mood + rng.normal(size=640)) for mood in moods]
        rows = PairedRows("regression", (), label, sides[0], sides[1], group=users)
        for name, part in (("groups", rows), ("rows", replace(rows, group=None))):
            one = measure(Part(view_of(part), Policy(), None), "mse").change
            assert one is not None
            misses[name] += not one.low <= 0 <= one.high
    assert misses["groups"] <= 0.05 * 300 + 3 * math.sqrt(300 * 0.05 * 0.95)
    assert misses["rows"] > 40
