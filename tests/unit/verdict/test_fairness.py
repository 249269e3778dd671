"""Fairness between groups: fairlearn's numbers, intervals that cover, silence where undefined."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from fairlearn import metrics as fl

from mlops_ci.config import Policy
from mlops_ci.records import MetricResult
from mlops_ci.verdict import Outputs, PairedRows, SingleRows, compare_fairness
from mlops_ci.verdict.fairness import _groups
from mlops_ci.verdict.group_rates import BASE, HEAD, Groups
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


@pytest.mark.parametrize("name", FAIRNESS)
@pytest.mark.parametrize("n", [1200, 6000])
def test_weighted_numbers_are_fairlearns(name: str, n: int) -> None:
    made = rows(1, n)
    weight = np.asarray(np.exp(np.random.default_rng(2).normal(size=n)), dtype=np.float64)
    weighed = replace(made, weight=weight)
    (result,) = [one for one in compare_fairness(weighed, POLICY, ["sex"]) if one.metric == name]
    for value, side in ((result.base, made.base), (result.head, made.head)):
        wanted = getattr(fl, name)(
            made.label,
            side.prediction,
            sensitive_features=groups_of(made),
            sample_weight=weight,
        )
        assert value == pytest.approx(wanted, abs=1e-12)
    assert (result.low or 0) < (result.difference or 0) < (result.high or 0)
    assert result.method.endswith("weighted")


def test_groups_of_one_row_and_equal_weights_say_what_rows_say() -> None:
    made = rows(2, 1500)
    plain = compare_fairness(made, POLICY, ["sex"])
    equal = replace(made, weight=np.full(1500, 3.0))
    assert compare_fairness(equal, POLICY, ["sex"]) == plain
    alone = replace(made, group=np.arange(1500))
    nearly = replace(made, weight=1 + 1e-9 * np.arange(1500.0))
    many = rows(2, 6000)
    for other, one in (
        (compare_fairness(alone, POLICY, ["sex"]), plain),
        (compare_fairness(nearly, POLICY, ["sex"]), plain),
        (
            compare_fairness(replace(many, group=np.arange(6000)), POLICY, ["sex"]),
            compare_fairness(many, POLICY, ["sex"]),
        ),
    ):
        for found, wanted in zip(other, one, strict=True):
            near = 0.08 * ((wanted.high or 0) - (wanted.low or 0))
            assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=near)


@pytest.mark.parametrize("users", [120, 2400])
def test_copied_rows_are_no_new_rows(users: int) -> None:
    """Ten copies of each user's row: by groups the interval of the users, by rows a third of it."""
    made = rows(3, users, groups=2)
    copies = np.repeat(np.arange(users), 10)
    answers = [side.prediction for side in (made.base, made.head)]
    base, head = (Outputs(answer[copies]) for answer in answers if answer is not None)
    slices = {name: mask[copies] for name, mask in made.slices.items()}
    many = PairedRows("binary", ("0", "1"), made.label[copies], base, head, slices, group=copies)
    one, ten, blind = (only(each) for each in (made, many, replace(many, group=None)))
    length = (one.high or 0) - (one.low or 0)
    assert (ten.high or 0) - (ten.low or 0) == pytest.approx(length, rel=0.1)
    assert (blind.high or 0) - (blind.low or 0) < 0.5 * length
    order = np.random.default_rng(0).permutation(len(copies))
    mixed_sides = [Outputs(answer[copies][order]) for answer in answers if answer is not None]
    slices = {name: mask[order] for name, mask in slices.items()}
    names = np.random.default_rng(1).permutation(users)[copies]
    mixed = PairedRows(
        "binary",
        ("0", "1"),
        many.label[order],
        mixed_sides[0],
        mixed_sides[1],
        slices,
        group=names[order],
    )
    assert compare_fairness(mixed, POLICY, ["sex"]) == compare_fairness(many, POLICY, ["sex"])


def test_the_intervals_of_groups_cover() -> None:
    """Users whom each model likes or not, all of a group of theirs."""
    missed = {"groups": 0, "rows": 0}
    for seed in range(60):
        rng = np.random.default_rng(seed)
        users = np.repeat(np.arange(150), 6)
        sex, label = (rng.random(150) < 0.5)[users], rng.integers(0, 2, 900)
        answers: list[Outputs] = []
        for _ in range(2):
            mood = rng.choice([0.1, 0.9], 150)[users]
            answers.append(Outputs((rng.random(900) < mood * (1 - 0.5 * sex)).astype(np.int64)))
        slices = {"sex=f": sex, "sex=m": ~sex}
        base, head = answers
        made = PairedRows("binary", ("0", "1"), label, base, head, slices, group=users)
        for name, part in (("groups", made), ("rows", replace(made, group=None))):
            found = only(part)
            missed[name] += not inside(0.25, found.head_low, found.head_high)
    assert missed["groups"] <= 8, missed  # 5 %, and three standard errors
    assert missed["rows"] > 10, missed


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
    together = replace(some, group=np.arange(len(some.label)) % 29)
    assert "at least 30 groups of rows" in (only(together).note or "")
    heavy = np.where(np.arange(len(some.label)) < 20, 1e9, 1.0)
    assert "rows of equal weight" in (only(replace(some, weight=heavy)).note or "")
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


def of_two_groups(label: Any, base: Any, head: Any) -> dict[str, MetricResult]:
    """Rows of two groups in turn."""
    first = np.arange(len(label)) % 2 == 0
    made = PairedRows(
        "binary", ("0", "1"), label, Outputs(base), Outputs(head), {"sex=f": first, "sex=m": ~first}
    )
    return {one.metric: one for one in compare_fairness(made, POLICY, ["sex"])}


def test_few_rows_are_no_proof_of_equal_treatment() -> None:
    label = np.zeros(200, dtype=np.int64)
    label[:4] = 1  # two of each group, and both models find them
    found = of_two_groups(label, label, label)
    assert found["equal_opportunity_difference"].head == 0
    # Two of two may be 34 % (Wilson 1927).
    assert (found["equal_opportunity_difference"].head_high or 0) == pytest.approx(0.658, abs=1e-3)
    assert (found["equal_opportunity_ratio"].head_low or 1) < 0.35
    assert (found["demographic_parity_difference"].head_high or 0) > 0.03


def test_no_changed_answer_is_no_proof_of_no_change() -> None:
    rng = np.random.default_rng(1)
    label, said = (rng.integers(0, 2, 400) for _ in range(2))
    for name, one in of_two_groups(label, said, said).items():
        assert one.difference == 0, name
        assert (one.low or 0) < -0.02 < 0.02 < (one.high or 0), name


def test_intervals_of_rare_answers_cover() -> None:
    rng = np.random.default_rng(5)
    missed = {"own": 0, "change": 0}
    for _ in range(150):
        n = 300
        first = np.arange(n) % 2 == 0
        chance = np.where(first, 0.01, 0.05)
        base, head = ((rng.random(n) < chance).astype(np.int64) for _ in range(2))
        one = of_two_groups(rng.integers(0, 2, n), base, head)["demographic_parity_difference"]
        missed["own"] += not inside(0.04, one.head_low, one.head_high)
        missed["change"] += not inside(0.0, one.low, one.high)
    assert all(count <= 15 for count in missed.values()), missed  # 5 %, and three standard errors


Z = 1.959963984540054


def quantile_by_hand(values: list[float], share: float) -> float:
    """Between the two ranks next to it, in proportion."""
    ordered, at = sorted(values), share * (len(values) - 1)
    low = int(at)
    return ordered[low] + (at - low) * (ordered[min(low + 1, len(values) - 1)] - ordered[low])


def deviation(errors: list[float]) -> float:
    return math.sqrt(math.fsum(one * one for one in errors) / len(errors))


def together_by_hand(errors: list[list[float]], se: list[float]) -> float:
    """Of each draw the largest error of all; [kinds][draws]."""
    largest = [
        max(e / s for e, s in zip(draw, se, strict=True)) for draw in zip(*errors, strict=True)
    ]
    return max(Z, quantile_by_hand(largest, 0.975))


def near_by_hand(seen: list[float], se: list[float]) -> list[int]:
    top = seen.index(max(seen))
    return [k for k, one in enumerate(seen) if one + 3.5 * (se[k] + se[top]) >= seen[top]]


def largest_by_hand(seen: list[float], errors: list[list[float]]) -> tuple[float, float]:
    se = [deviation(one) for one in errors]
    near = near_by_hand(seen, se)
    c = together_by_hand([errors[k] for k in near], [se[k] for k in near])
    return max(seen[k] - c * se[k] for k in near), max(
        one + Z * s for one, s in zip(seen, se, strict=True)
    )


def rise_by_hand(before: Any, after: Any) -> float:
    """Whichever is `after`'s largest lies at most so far above all that may be `before`'s."""
    (seen, errors), (later, moved) = before, after
    held = near_by_hand(seen, [deviation(one) for one in errors])
    found = []
    for at, one in enumerate(later):
        gaps = [[e - m for e, m in zip(errors[k], moved[at], strict=True)] for k in held]
        se = [deviation(gap) for gap in gaps]
        c = together_by_hand(gaps, se)
        found.append(min(one - seen[k] + c * s for k, s in zip(held, se, strict=True)))
    return float(max(found))


# How far two rates lie apart, for a side's own bounds and for those of the change.
Gap = Callable[[float, float], float]
APART: dict[str, tuple[Gap, Gap]] = {
    "difference": (lambda a, b: a - b, lambda a, b: a - b),
    "ratio": (lambda a, b: math.log(a / b), lambda a, b: -b / a),
}


@pytest.mark.parametrize("kind", APART)
def test_the_bounds_of_parity_group_by_group(kind: str) -> None:
    """Of the product's own draws: pairs of groups one after the other, and their largest by hand."""
    made = rows(7, 9_000, gap=0.05)
    groups = _groups(made, POLICY, "sex")
    assert isinstance(groups, Groups)
    own: list[Any] = []
    apart: list[Any] = []
    for side in (BASE, HEAD):
        tables = [groups.counts, *groups.drawn]
        rates = [
            [float(group[side].sum() / group.sum()) for group in np.asarray(table)]
            for table in tables
        ]
        for turn, between in zip((own, apart), APART[kind], strict=True):
            told = [[between(a, b) for a, b in permutations(one, 2)] for one in rates]
            seen = told[0]
            errors = [[draw[k] - seen[k] for draw in told[1:]] for k in range(len(seen))]
            turn.append((seen, errors))
    name = f"demographic_parity_{kind}"
    (found,) = [one for one in compare_fairness(made, POLICY, ["sex"]) if one.metric == name]
    low, high = largest_by_hand(*own[1])
    ends = (math.exp(-high), math.exp(-max(low, 0.0))) if kind == "ratio" else (max(low, 0.0), high)
    assert (found.head_low, found.head_high) == pytest.approx(ends, abs=1e-9)
    up, down = rise_by_hand(apart[0], apart[1]), rise_by_hand(apart[1], apart[0])
    change = (-up, down) if kind == "ratio" else (-down, up)
    assert (found.low, found.high) == pytest.approx(change, abs=1e-9)
