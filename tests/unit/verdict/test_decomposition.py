"""What the rows did and what the model did add up, and each is what its own comparison says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mlops_ci.config.model import Policy
from mlops_ci.verdict import (
    Outputs,
    PairedRows,
    SingleRows,
    compare_paired,
    compare_single,
    compare_unpaired,
)
from mlops_ci.verdict.decomposition import Answered, decompose, measure_left_out
from mlops_ci.verdict.shared import Shared
from tests.unit.verdict.rows_for_tests import binary_rows, multiclass_rows, regression_rows, side_of

CLASSES = ("0", "1")
POLICY = Policy()


def answers(n: int, right: float, seed: int) -> tuple[NDArray[Any], Outputs]:
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, n)
    said = np.where(rng.random(n) < right, label, 1 - label)
    return label, Outputs(said, np.clip(0.5 + 0.3 * (2 * said - 1) + rng.normal(0, 0.05, n), 0, 1))


def single(label: NDArray[Any], outputs: Outputs) -> SingleRows:
    return SingleRows("binary", CLASSES, label, outputs)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 99), easy=st.floats(0.7, 0.95), hard=st.floats(0.6, 0.9))
def test_the_two_effects_are_the_whole_way(seed: int, easy: float, hard: float) -> None:
    before = single(*answers(400, easy, seed))
    label, base = answers(500, hard, seed + 1)
    assert base.prediction is not None
    _, other = answers(500, hard, seed + 2)
    assert other.prediction is not None
    head = Outputs(np.where(np.arange(500) % 7 == 0, other.prediction, base.prediction), base.score)
    judged = compare_paired(PairedRows("binary", CLASSES, label, base, head), POLICY)
    found = {
        one.metric: one for one in decompose(Answered(before, single(label, base)), judged, POLICY)
    }
    assert set(found) <= {one.metric for one in judged}
    own = {one.metric: one.head for one in compare_single(before, POLICY)}
    apart = {m.metric: m for m in compare_unpaired(before, single(label, base), POLICY)}
    for result in judged:
        one = found[result.metric]
        assert (one.base_before, one.base_now, one.head) == (
            own[result.metric],
            result.base,
            result.head,
        )
        assert (one.model_effect, one.model_low, one.model_high) == (
            result.difference,
            result.low,
            result.high,
        )
        wide = apart[result.metric]
        assert (one.data_low, one.data_high) == (wide.low, wide.high)
        assert one.data_effect is not None
        assert one.model_effect is not None
        assert one.base_before is not None
        total = one.base_before + one.data_effect + one.model_effect
        assert total == pytest.approx(result.head, abs=1e-12)


def test_what_has_no_value_on_one_set_is_left_out() -> None:
    """The old scores are all equal: no ROC AUC there, so none is taken apart."""
    label, outputs = answers(300, 0.9, 1)
    flat = replace(outputs, score=np.full(300, 0.5))
    judged = compare_paired(PairedRows("binary", CLASSES, label, outputs, outputs), POLICY)
    found = {
        one.metric
        for one in decompose(Answered(single(label, flat), single(label, outputs)), judged, POLICY)
    }
    assert "accuracy" in found
    assert "roc_auc" not in found


def test_rows_that_are_gone_beside_those_that_are_kept() -> None:
    label, outputs = answers(200, 0.5, 3)
    gone = single(label, Outputs(1 - label))
    kept = single(label, Outputs(label))
    found = measure_left_out(gone, kept, POLICY)
    assert (found.rows, found.metrics["accuracy"], found.kept["accuracy"]) == (200, 0.0, 1.0)
    paired = PairedRows("binary", CLASSES, label, Outputs(label), outputs)
    again = measure_left_out(gone, compare_paired(paired, POLICY), POLICY)
    assert again.kept["accuracy"] == 1.0
    assert measure_left_out(gone, (), POLICY).kept == {}


def taken(rows: SingleRows, chosen: Any) -> SingleRows:
    outputs = rows.outputs
    return replace(
        rows,
        label=rows.label[chosen],
        outputs=Outputs(
            None if outputs.prediction is None else outputs.prediction[chosen],
            None if outputs.score is None else outputs.score[chosen],
        ),
        slices={name: mask[chosen] for name, mask in rows.slices.items()},
        group=None if rows.group is None else np.unique(rows.group[chosen], return_inverse=True)[1],
        weight=None if rows.weight is None else rows.weight[chosen],
    )


def moved(rows: SingleRows, cut: tuple[int, int], **how: bool) -> dict[Any, Any]:
    """The first `cut[1]` rows before, those from `cut[0]` on now; by metric and slice."""
    before, now = taken(rows, slice(0, cut[1])), taken(rows, slice(cut[0], None))
    kept = cut[1] - cut[0]
    shared = Shared(np.arange(cut[0], cut[1]), np.arange(kept)) if how.get("ids", True) else None
    paired = PairedRows(
        now.task, now.classes, now.label, now.outputs, now.outputs, now.slices,
        group=now.group, weight=now.weight,
    )  # fmt: skip
    judged = compare_paired(paired, POLICY)
    found = decompose(Answered(before, now, shared), judged, POLICY)
    return {(one.metric, one.slice): one for one in found}


def width(one: Any) -> float:
    return float(one.data_high - one.data_low)


MAKERS: dict[str, Any] = {
    "binary": binary_rows,
    "multiclass": multiclass_rows,
    "regression": regression_rows,
}


@pytest.mark.parametrize("how", ["", "groups", "weights"])
@pytest.mark.parametrize("task", MAKERS)
def test_rows_that_stay_vary_once(task: str, how: str) -> None:
    """2,000 rows of which 1,600 stay: of two samples the error is √(2,000/400) times as large."""
    rows = side_of(MAKERS[task](5, n=2_400), "head")
    if how == "groups":
        rows = replace(rows, group=np.arange(2_400) // 4)
    if how == "weights":
        rows = replace(rows, weight=np.where(np.arange(2_400) % 2, 1.5, 1.0))
    found, apart = moved(rows, (400, 2_000)), moved(rows, (400, 2_000), ids=False)
    assert set(found) == set(apart)
    for key, one in found.items():
        wide = width(apart[key])
        assert one.data_effect == apart[key].data_effect
        if key[0] == "ece":
            assert width(one) == wide
        elif key[0] == "mape":  # of a long tail, whose two arms differ
            assert width(one) < 0.75 * wide
        else:
            assert width(one) == pytest.approx(wide / np.sqrt(5), rel=0.25), key


@pytest.mark.parametrize("metric", ["ndcg", "ndcg@2", "mrr"])
def test_queries_that_stay_vary_once(metric: str) -> None:
    """600 queries of which 500 are asked on either side and 400 on both, as of rows."""
    rng = np.random.default_rng(11)
    label = np.tile([1, 0, 0, 0], 600)
    rows = single(label, Outputs(None, rng.random(2_400) + 0.4 * label))
    rows = replace(rows, group=np.arange(2_400) // 4)
    order = rng.permutation(2_000)  # the rows of a query need not stand together
    before = taken(rows, np.arange(2_000)[order])
    now = taken(rows, slice(400, None))
    kept = np.flatnonzero(order >= 400)
    paired = PairedRows(now.task, now.classes, now.label, now.outputs, now.outputs, group=now.group)
    judged = compare_paired(paired, POLICY, (metric,))
    found, apart = (
        {one.metric: one for one in decompose(Answered(before, now, ids), judged, POLICY)}[metric]
        for ids in (Shared(kept, order[kept] - 400), None)
    )
    assert found.data_effect == apart.data_effect
    assert width(found) == pytest.approx(width(apart) / np.sqrt(5), rel=0.1)


def test_the_error_of_a_mean_is_that_of_the_rows_that_differ() -> None:
    """Written out: every row weighs 1/m now less 1/n before."""
    rows = side_of(regression_rows(6, n=1_700), "head")
    one = moved(rows, (500, 1_200))["mae", None]
    loss = np.abs(np.asarray(rows.outputs.prediction) - rows.label)
    before, now = loss[:1_200], loss[500:]
    adds = np.zeros(1_700)
    adds[:1_200] -= (before - before.mean()) / 1_200
    adds[500:] += (now - now.mean()) / 1_200
    se = float(np.sqrt((adds**2).sum()))
    assert width(one) == pytest.approx(2 * 1.96 * se, rel=0.03)


def test_it_covers_where_rows_stay() -> None:
    rng, missed, draws, widths = np.random.default_rng(7), 0, 300, []
    for _ in range(draws):
        right = rng.random(900) < 0.8
        label = rng.integers(0, 2, 900)
        rows = single(label, Outputs(np.where(right, label, 1 - label)))
        one = moved(rows, (200, 700))["accuracy", None]
        missed += not one.data_low <= 0 <= one.data_high
        widths.append(width(one))
    assert 4 <= missed <= draws * 0.05 + 3 * np.sqrt(draws * 0.05 * 0.95)
    assert np.mean(widths) < 0.65 * 2 * 1.96 * np.sqrt(2 * 0.8 * 0.2 / 700)


@pytest.mark.parametrize("new", [0, 3])
def test_hardly_a_row_that_differs_tells_no_variance(new: int) -> None:
    """Too wide, and never without a width."""
    rows = side_of(binary_rows(8, n=1_000 + new), "head")
    found, apart = moved(rows, (new, 1_000)), moved(rows, (new, 1_000), ids=False)
    for key, one in found.items():
        assert width(one) == width(apart[key]) > 0, key


def test_answers_that_moved_for_one_metric_alone() -> None:
    """Other scores, and every class as before: of the accuracy hardly a row differs."""
    rows = side_of(binary_rows(9, n=1_000), "head")
    score = rows.outputs.score
    assert score is not None
    now = replace(rows, outputs=Outputs(rows.outputs.prediction, score + 1e-6))
    every = Shared(np.arange(1_000), np.arange(1_000))
    paired = PairedRows("binary", rows.classes, now.label, now.outputs, now.outputs)
    judged = compare_paired(paired, POLICY)
    found = {one.metric: one for one in decompose(Answered(rows, now, every), judged, POLICY)}
    assert width(found["accuracy"]) > 0.01
    assert width(found["brier"]) < 3e-3


def test_each_slice_is_taken_apart() -> None:
    rows = side_of(binary_rows(10, n=2_000), "head")
    north = np.arange(2_000) % 3 == 0
    east = np.arange(2_000) < 30
    rows = replace(rows, slices={"r=north": north, "r=south": ~north & ~east, "r=east": east})
    found = moved(rows, (400, 1_600))
    names = [key[1] for key in found]
    assert names == sorted(names, key=lambda one: one or ""), "all rows first"
    assert {None, "r=north", "r=south"} == set(names), "east has no row any more"
    alone = moved(taken(rows, north), (int(north[:400].sum()), int(north[:1_600].sum())))
    one, expected = found["accuracy", "r=north"], alone["accuracy", None]
    assert one.base_before == expected.base_before
    assert one.head == expected.head
    assert (one.data_low, one.data_high) == pytest.approx((expected.data_low, expected.data_high))


def test_a_row_without_weight_is_not_there() -> None:
    rows = side_of(binary_rows(11, n=1_600), "head")
    weight = np.where(np.arange(1_600) % 5 == 0, 0.0, 1.0)
    found = moved(replace(rows, weight=weight), (200, 1_400))
    kept = weight > 0
    plain = moved(taken(rows, kept), (int(kept[:200].sum()), int(kept[:1_400].sum())))
    assert found["accuracy", None].data_low == pytest.approx(plain["accuracy", None].data_low)
