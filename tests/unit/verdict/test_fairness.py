"""Fairness between groups: fairlearn's numbers, intervals that cover, silence where undefined."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fairlearn import metrics as fl

from mlops_ci.config import Policy
from mlops_ci.records import MetricResult
from mlops_ci.verdict import Outputs, PairedRows, SingleRows, compare_fairness
from mlops_ci.verdict.names import FAIRNESS

POLICY = Policy()
GROUPS = ("sex=f", "sex=m", "sex=x")


def rows(seed: int, n: int = 3000, *, groups: int = 3, gap: float = 0.1) -> PairedRows:
    """The first group is called positive less often by both models: truly by `gap`."""
    rng = np.random.default_rng(seed)
    group, label = rng.integers(0, groups, n), rng.integers(0, 2, n)
    level = 0.2 + 0.5 * label - gap * (group == 0)
    answers = [(rng.random(n) < level).astype(np.int64) for _ in range(2)]
    slices = {name: group == at for at, name in enumerate(GROUPS[:groups])}
    outputs = [Outputs(answer) for answer in answers]
    return PairedRows("binary", ("0", "1"), label, outputs[0], outputs[1], slices)


def groups_of(made: PairedRows) -> list[str]:
    return [
        next(name for name, mask in made.slices.items() if mask[at])
        for at in range(len(made.label))
    ]


@pytest.mark.parametrize("name", FAIRNESS)
def test_the_numbers_are_fairlearns(name: str) -> None:
    made = rows(1)
    (result,) = [one for one in compare_fairness(made, POLICY, ["sex"]) if one.metric == name]
    for value, side in ((result.base, made.base), (result.head, made.head)):
        wanted = getattr(fl, name)(made.label, side.prediction, sensitive_features=groups_of(made))
        assert value == pytest.approx(wanted, abs=1e-12)
    assert result.slice == "sex"
    assert result.difference == pytest.approx((result.head or 0) - (result.base or 0))
    assert result.higher_is_better == name.endswith("ratio")
    assert (result.low or 0) < (result.difference or 0) < (result.high or 0)


def test_the_intervals_cover() -> None:
    missed = {"own": 0, "change": 0}
    for seed in range(120):
        (found,) = [
            one
            for one in compare_fairness(rows(seed, 1500, groups=2, gap=0.15), POLICY, ["sex"])
            if one.metric == "demographic_parity_difference"
        ]
        missed["own"] += not inside(0.15, found.head_low, found.head_high)
        missed["change"] += not inside(0.0, found.low, found.high)
    assert all(count <= 14 for count in missed.values()), missed  # 5 %, and three standard errors


def inside(truth: float, low: float | None, high: float | None) -> bool:
    assert low is not None
    assert high is not None
    return low <= truth <= high


def test_the_order_of_rows_and_groups_changes_nothing() -> None:
    made = rows(2)
    order = np.random.default_rng(0).permutation(len(made.label))
    answers = [made.base.prediction, made.head.prediction]
    base, head = (Outputs(answer[order]) for answer in answers if answer is not None)
    slices = {name: made.slices[name][order] for name in sorted(made.slices, reverse=True)}
    mixed = PairedRows(made.task, made.classes, made.label[order], base, head, slices)
    assert compare_fairness(mixed, POLICY, ["sex"]) == compare_fairness(made, POLICY, ["sex"])


def test_equal_models_differ_by_nothing() -> None:
    made = rows(3)
    same = replace(made, head=made.base, identical=True)
    for found in compare_fairness(same, POLICY, ["sex"]):
        assert (found.difference, found.low, found.high) == (0.0, 0.0, 0.0)


def test_one_side_alone_has_its_own_interval() -> None:
    made = rows(4)
    single = SingleRows(made.task, made.classes, made.label, made.head, made.slices)
    for alone, both in zip(
        compare_fairness(single, POLICY, ["sex"]),
        compare_fairness(made, POLICY, ["sex"]),
        strict=True,
    ):
        assert (alone.head, alone.base, alone.low) == (both.head, None, None)
        assert inside(alone.head or 0.0, alone.head_low, alone.head_high)


def only(made: PairedRows, **policy: Any) -> MetricResult:
    return compare_fairness(made, Policy(**policy), ["sex"])[0]


def test_where_it_is_not_defined_there_is_no_value_and_a_reason() -> None:
    assert "two groups" in (only(rows(5, groups=1)).note or "")
    assert "two groups" in (only(rows(5), min_rows=5000).note or "")
    some = rows(5)
    few = replace(some, slices={**some.slices, "sex=y": np.arange(len(some.label)) < 5})
    assert only(few).note == "left out, too few rows: sex=y"
    together = replace(some, group=np.arange(len(some.label)) // 4)
    assert "belong together" in (only(together).note or "")
    scores = Outputs(None, np.full(len(some.label), 0.5))
    assert "only scores" in (only(replace(some, head=scores)).note or "")
    never = replace(some, label=np.zeros_like(some.label))
    results = {one.metric: one for one in compare_fairness(never, POLICY, ["sex"])}
    assert results["equal_opportunity_difference"].head is None
    assert results["demographic_parity_difference"].head is not None


def test_no_positive_answer_at_all_has_no_ratio() -> None:
    some = rows(6)
    nobody = Outputs(np.zeros_like(some.label))
    results = {
        one.metric: one for one in compare_fairness(replace(some, head=nobody), POLICY, ["sex"])
    }
    assert results["demographic_parity_ratio"].head is None
    assert results["demographic_parity_difference"].head == 0.0
