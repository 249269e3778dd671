"""Means of any column, quantile forecasts, and rankings of queries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci.config.model import Gate, Policy
from mlops_ci.errors import ConfigError
from mlops_ci.verdict import Outputs, PairedRows, compare_paired, judge
from mlops_ci.verdict.queries import ndcg, rank_queries, reciprocal_rank, relevant
from mlops_ci.verdict.rows import view_of
from tests.unit.verdict.rows_for_tests import binary_rows, regression_rows, reordered
from tests.unit.verdict.test_clusters import by_name


def judged_rows(n: int = 800, gap: float = 0.2) -> PairedRows:
    rng = np.random.default_rng(0)
    rows = binary_rows(0, n=n)
    shared = rng.normal(size=n)
    base, head = (shared + rng.normal(size=n) * 0.5 + g for g in (0.0, gap))
    return replace(
        rows,
        base=replace(rows.base, values={"judge": base, "cost": base + 5}),
        head=replace(rows.head, values={"judge": head, "cost": head + 5}),
        values={"judge": True, "cost": None},
    )


def test_the_mean_of_a_column_is_a_metric_with_a_paired_interval() -> None:
    from scipy import stats

    rows = judged_rows()
    found = by_name(compare_paired(rows, Policy()))["judge"]
    base, head = rows.base.values["judge"], rows.head.values["judge"]
    truth = stats.ttest_rel(head, base).confidence_interval(0.95)
    assert (found.base, found.head) == pytest.approx((base.mean(), head.mean()), abs=1e-12)
    # Student's but for the skewness, which is slight here.
    assert (found.low, found.high) == pytest.approx((truth.low, truth.high), abs=2e-3)
    assert found.better is False
    gate = Gate(metric="judge", kind="max-drop", limit=0.0)
    assert judge([found], [gate], Policy()).verdict == "pass"


def test_the_direction_is_told_or_known_by_name() -> None:
    found = by_name(compare_paired(judged_rows(), Policy()))
    assert (found["judge"].higher_is_better, found["cost"].higher_is_better) == (True, False)
    rows = replace(judged_rows(), values={"judge": None})
    unknown = by_name(compare_paired(rows, Policy()))["judge"]
    assert unknown.higher_is_better is None
    with pytest.raises(ConfigError, match="better or worse"):
        judge([unknown], [Gate(metric="judge", kind="max-drop", limit=0.1)], Policy())


def test_a_value_that_is_no_number_is_never_a_pass() -> None:
    rows = judged_rows()
    broken = rows.head.values["judge"].copy()
    broken[5] = np.nan
    rows = replace(rows, head=replace(rows.head, values={**rows.head.values, "judge": broken}))
    found = by_name(compare_paired(rows, Policy()))
    assert found["judge"].head is None
    assert "not finite" in str(found["judge"].note)
    assert found["cost"].low is not None


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_pinball_loss_is_scikit_learns(quantile: float) -> None:
    from sklearn.metrics import mean_pinball_loss

    rows = regression_rows(1)
    name = f"pinball_loss@{quantile}"
    found = by_name(compare_paired(rows, Policy(), [name, "mean_pinball_loss"]))
    for side, value in ((rows.base, found[name].base), (rows.head, found[name].head)):
        truth = mean_pinball_loss(rows.label, side.prediction, alpha=quantile)
        assert value == pytest.approx(truth, abs=1e-12)
    assert found[name].low is not None
    assert found[name].higher_is_better is False
    assert found["pinball_loss"].head == pytest.approx(float(found["mae"].head or 0) / 2, abs=1e-12)


def searched(seed: int, queries: int = 60, graded: bool = True) -> PairedRows:
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(queries), rng.integers(2, 9, queries))
    n = len(group)
    gain = rng.choice([0.0, 1.0, 2.0, 3.0], n, p=[0.6, 0.2, 0.1, 0.1])
    scores = [np.round(gain + noise * rng.normal(size=n), 1) for noise in (2.0, 1.0)]
    if graded:
        return PairedRows(
            "regression", (), gain, Outputs(scores[0]), Outputs(scores[1]), group=group
        )
    label = (gain > 0).astype(np.int64)
    return PairedRows(
        "binary", ("0", "1"), label, Outputs(None, scores[0]), Outputs(None, scores[1]), group=group
    )


@pytest.mark.parametrize("graded", [True, False])
@given(seed=st.integers(0, 2**32 - 1), k=st.sampled_from([1, 3, 10, None]))
@settings(max_examples=15, deadline=None)
def test_ndcg_is_scikit_learns_query_by_query(graded: bool, seed: int, k: int | None) -> None:
    from sklearn.metrics import ndcg_score

    rows = searched(seed, 12, graded)
    view = view_of(rows)
    ranked = rank_queries(view, rows.head)
    score = rows.head.prediction if graded else rows.head.score
    assert score is not None
    assert rows.group is not None
    truth = [
        ndcg_score([rows.label[rows.group == q]], [score[rows.group == q]], k=k)
        for q in range(12)
        if rows.label[rows.group == q].any()
    ]
    np.testing.assert_allclose(ndcg(ranked, k), truth, atol=1e-12)
    best = []
    for q in range(12):
        inside = rows.group == q
        hits = score[inside][rows.label[inside] > 0]
        if len(hits):
            best.append(1 / int((score[inside] >= hits.max()).sum()))
    np.testing.assert_allclose(reciprocal_rank(ranked), best, atol=1e-12)
    assert len(relevant(ranked)) == len(best)


@pytest.mark.parametrize("graded", [True, False])
def test_the_order_of_rows_changes_no_query(graded: bool) -> None:
    rows = searched(3, 200, graded)
    names = ["ndcg", "ndcg@3", "mrr"]
    order = np.random.default_rng(4).permutation(len(rows.label))
    expected = compare_paired(rows, Policy(), names)
    assert compare_paired(reordered(rows, order), Policy(), names) == expected
    assert {*names} <= {one.metric for one in expected if one.low is not None}


def test_queries_are_what_is_sampled() -> None:
    from scipy import stats

    rows = searched(1, 800)
    found = by_name(compare_paired(rows, Policy(), ["ndcg@5", "mrr", "ndcg"]))
    ranked = [rank_queries(view_of(rows), side) for side in (rows.base, rows.head)]
    moved = ndcg(ranked[1], 5) - ndcg(ranked[0], 5)
    assert found["ndcg@5"].difference == pytest.approx(moved.mean(), abs=1e-12)
    assert found["ndcg@5"].se == pytest.approx(stats.sem(moved), rel=1e-9)
    assert found["mrr"].low is not None
    assert found["mrr"].low > 0
    few = by_name(compare_paired(searched(1, 20), Policy(), ["mrr"]))["mrr"]
    assert few.low is None
    assert "groups" in str(few.note)


def test_a_constant_score_finds_nothing() -> None:
    rows = searched(2, 50)
    flat = replace(rows, head=Outputs(np.zeros(len(rows.label))))
    ranked = rank_queries(view_of(flat), flat.head)
    sizes = np.bincount(rows.group)[relevant(ranked)]  # type: ignore[arg-type]
    np.testing.assert_allclose(reciprocal_rank(ranked), 1 / sizes)


def test_without_groups_there_are_no_queries() -> None:
    found = by_name(compare_paired(binary_rows(0), Policy(), ["ndcg@10"]))["ndcg@10"]
    assert found.head is None
    assert "no column `group`" in str(found.note)
