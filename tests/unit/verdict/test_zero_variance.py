"""No variance is no certainty: whatever the estimator, no interval without a width, however alike
the rows; and what hides in the rows that were not seen is within it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import pytest

from mlops_ci.config.model import Gate, Policy
from mlops_ci.records import MetricResult
from mlops_ci.verdict import (
    METRICS,
    Outputs,
    PairedRows,
    compare_fairness,
    compare_merged,
    compare_paired,
    compare_single,
    compare_unpaired,
    judge,
)
from mlops_ci.verdict.names import FAIRNESS
from mlops_ci.verdict.perturbation import measure_prior
from tests.unit.verdict.aggregates.test_sufficient import counted
from tests.unit.verdict.rows_for_tests import side_of

N = 60
POLICY = Policy()
LEAST = 1e-9  # of an interval's width
Z2 = 1.959963984540054**2


def binary(n: int = N) -> dict[str, tuple[Any, Outputs]]:
    """By name: the labels, and answers to them. In each half of the rows every
    other is of the positive class."""
    label = np.arange(n) % 2
    noise = np.random.default_rng(1).normal(0, 0.25, n)
    score = np.clip(0.5 + 0.3 * (2 * label - 1) + noise, 0, 1)
    said = (score >= 0.5).astype(np.int64)
    answers = {
        "perfect": Outputs(label, label.astype(float)),
        "nearly": Outputs(label, np.where(label == 1, 0.99, 0.01)),
        "wrong": Outputs(1 - label, (1 - label).astype(float)),
        "constant": Outputs(np.ones_like(label), np.full(n, 0.5)),
        "another": Outputs(np.zeros_like(label), np.full(n, 0.3)),
        "good": Outputs(said, score),
    }
    return {name: (label, one) for name, one in answers.items()}


def multiclass(n: int = 4 * N) -> dict[str, tuple[Any, Outputs]]:
    label = np.arange(n) % 4
    answers = {
        "perfect": Outputs(label, np.eye(4, dtype=np.float64)[label]),
        "uniform": Outputs(np.zeros_like(label), np.full((n, 4), 0.25)),
        "constant": Outputs(np.zeros_like(label), np.tile([0.7, 0.1, 0.1, 0.1], (n, 1))),
    }
    return {name: (label, one) for name, one in answers.items()}


def regression(n: int = N) -> dict[str, tuple[Any, Outputs]]:
    label = np.random.default_rng(2).normal(10, 3, n)
    one = label.copy()
    one[5] += 2
    answers = {
        "perfect": Outputs(label.copy()),
        "off": Outputs(label + 1.0),
        "under": Outputs(label - 1.0),
        "one": Outputs(one),
        "constant": Outputs(np.full(n, 10.0)),
    }
    return {name: (label, one) for name, one in answers.items()}


TASKS = {"binary": binary, "multiclass": multiclass, "regression": regression}
CLASSES = {"binary": ("0", "1"), "multiclass": tuple("abcd"), "regression": ()}


def cases() -> Iterator[tuple[str, PairedRows]]:
    for task, make in TASKS.items():
        for (one, (label, base)), (other, (_, head)) in combinations_with_replacement(
            make().items(), 2
        ):
            rows = PairedRows(task, CLASSES[task], label, base, head)  # type: ignore[arg-type]
            yield f"{task} {one} {other}", rows


CASES = dict(cases())


def asked(rows: PairedRows) -> tuple[str, ...]:
    measured = {name: one for name, one in METRICS.items() if name not in FAIRNESS}
    found = [
        name
        for name, one in measured.items()
        if rows.task in one.tasks and one.needs in ("prediction", "score")
    ]
    return tuple(found) if rows.task == "regression" else (*found, "f1_macro", "precision_macro")


def check(found: tuple[MetricResult, ...], case: str) -> None:
    for one in found:
        if one.low is not None and one.high is not None:
            assert one.high - one.low > LEAST, (case, one)
        for low, high in ((one.base_low, one.base_high), (one.head_low, one.head_high)):
            if low is not None and high is not None:
                assert high - low > LEAST, (case, one)
        whole = (one.low, one.base_low, one.head_low)
        if one.head is not None and None in whole and one.evidence == "paired":
            assert one.note is not None, (case, one)


@pytest.mark.parametrize("case", CASES)
def test_no_interval_without_a_width(case: str) -> None:
    rows = CASES[case]
    names, n = asked(rows), len(rows.label)
    check(compare_paired(rows, POLICY, names), case)
    sides = side_of(rows, "base"), side_of(rows, "head")
    check(compare_unpaired(*sides, POLICY, names), case)
    check(compare_single(sides[1], POLICY, names), case)
    check(compare_paired(replace(rows, weight=np.linspace(1, 2, n)), POLICY, names), case)
    lone = replace(rows, group=np.arange(n))
    check(compare_paired(lone, POLICY, names), case)


@pytest.mark.parametrize("case", [case for case in CASES if case.startswith("binary")])
def test_no_fairness_without_a_width(case: str) -> None:
    rows = CASES[case]
    half = np.arange(N) < N // 2
    sliced = replace(rows, slices={"sex=a": half, "sex=b": ~half})
    for more in (sliced, replace(sliced, weight=np.linspace(1, 2, N))):
        check(compare_fairness(more, POLICY, ["sex"]), case)


@pytest.mark.parametrize("case", [case for case in CASES if not case.startswith("regression")])
def test_no_counted_metric_without_a_width(case: str) -> None:
    check(compare_merged(counted(CASES[case]), POLICY, ["ece", "mcc"]), case)


def ece(rows: PairedRows, **policy: Any) -> MetricResult:
    return {one.metric: one for one in compare_paired(rows, Policy(**policy), ["ece"])}["ece"]


@pytest.mark.parametrize("n", [60, 1_000])
def test_a_perfect_calibration_is_as_sure_as_no_case_of_so_many(n: int) -> None:
    """Nobody erred: at most Wilson's share of no row of n, each at most 1 of an error."""
    answers = binary(n)
    rows = PairedRows("binary", ("0", "1"), answers["perfect"][0], *(answers["perfect"][1],) * 2)
    found, most = ece(rows), Z2 / (n + Z2)
    assert (found.head, found.head_low) == (0.0, 0.0)
    assert found.head_high == pytest.approx(most)
    assert found.low == pytest.approx(-2 * most)
    assert found.high == pytest.approx(2 * most)
    heavy = replace(rows, weight=np.where(np.arange(n) == 0, 3.0, 1.0))
    assert ece(heavy).head_high == pytest.approx(most * 3 * n / (n + 2))
    pairs = replace(rows, group=np.arange(n) // 2)
    assert ece(pairs, min_rows=20).head_high == pytest.approx(Z2 / (n / 2 + Z2))
    identical = ece(replace(rows, identical=True))
    assert (identical.low, identical.high) == (0.0, 0.0)


@pytest.mark.parametrize("how", ["hardly", "alike", "varied"])
def test_a_calibration_that_changed_in_hardly_a_row(how: str) -> None:
    """All gaps lie far from 0, so that the error moves as they do: by nothing that varies, or so."""
    n = 2_000
    most, label = 2 * Z2 / (n + Z2), np.arange(n) % 2
    base = np.where(label == 1, 0.75, 0.25) + 0.04 * np.sin(np.arange(n))
    head = {
        "hardly": np.where(np.arange(n) < 3, 0.5, base),
        "alike": np.where(label == 1, base + 0.004, base - 0.004),
        "varied": base + 0.1 * np.cos(np.arange(n)),
    }[how]
    found = ece(PairedRows("binary", ("0", "1"), label, Outputs(label, base), Outputs(label, head)))
    assert found.low is not None
    assert found.difference is not None
    assert (found.difference - found.low >= most) is (how != "varied")
    assert found.difference - found.low < 1.5 * most or how == "varied"


def test_an_unseen_kind_of_row_is_within_the_interval() -> None:
    """One row of a hundred scores 1 and is negative; most samples of 60 have none of it."""
    rng, missed, draws = np.random.default_rng(4), 0, 400
    truth, n = 0.01, 60
    for _ in range(draws):
        label = rng.integers(0, 2, n)
        score = np.where(rng.random(n) < truth, 1.0 - label, label)
        side = Outputs((score >= 0.5).astype(np.int64), score)
        low_high = ece(PairedRows("binary", ("0", "1"), label, side, side))
        if low_high.head_low is None or low_high.head_high is None:
            continue
        missed += not low_high.head_low <= truth <= low_high.head_high
    assert missed <= draws * 0.05 + 3 * np.sqrt(draws * 0.05 * 0.95)


@pytest.mark.parametrize("metric", ["mae", "rmse", "mse", "r2"])
def test_a_perfect_regression_passes_nothing(metric: str) -> None:
    found = compare_paired(CASES["regression perfect perfect"], POLICY, [metric])
    for gate in (
        Gate(metric=metric, kind="max-drop", limit=0.5),
        Gate(metric=metric, kind="min", limit=-1),
    ):
        judged = judge(found, [gate], POLICY)
        assert (judged.verdict, judged.blocks) == ("inconclusive", True)


def test_equal_rates_may_be_luck() -> None:
    """Two groups of 60 with equal rates: a gap of a tenth is not excluded."""
    n = 120
    label = np.arange(n) % 3 // 2
    side = Outputs(label, label.astype(float))
    half = np.arange(n) < n // 2
    rows = PairedRows("binary", ("0", "1"), label, side, side, {"g=a": half, "g=b": ~half})
    found = {one.metric: one for one in compare_fairness(rows, POLICY, ["g"])}
    parity = found["demographic_parity_difference"]
    assert parity.head == 0.0
    assert parity.head_high is not None
    assert parity.head_high > 0.1
    ratio = found["demographic_parity_ratio"]
    assert ratio.head_low is not None
    assert ratio.head_low < 0.8
    gate = Gate(metric="demographic_parity_difference", kind="max", limit=0.05, slice="g")
    assert judge(found.values(), [gate], POLICY).verdict == "inconclusive"


def test_a_perfect_accuracy_under_another_prior_is_not_certain() -> None:
    label = np.arange(N) % 2
    rows = PairedRows("binary", ("0", "1"), label, *(Outputs(label, label.astype(float)),) * 2)
    seen = measure_prior(side_of(rows, "head"), POLICY, "accuracy", 0.2).result
    assert seen is not None
    assert seen.difference == 0.0
    assert seen.low is None or seen.low < -LEAST
    ranked = measure_prior(side_of(rows, "head"), POLICY, "recall", 0.2).result
    assert ranked is not None
    assert (ranked.low, ranked.high) == (0.0, 0.0), "recall has no prior"


@pytest.mark.parametrize("hits", [1, 2, 3, 8])
def test_no_interval_leaves_what_its_metric_can_be(hits: int) -> None:
    """One row that was called positive says next to nothing of the precision."""
    label, base = binary(2_000)["good"]
    said = np.zeros_like(label)
    said[np.flatnonzero(label == 1)[:hits]] = 1
    rows = PairedRows("binary", ("0", "1"), label, base, Outputs(said, base.score))
    found = next(one for one in compare_paired(rows, POLICY) if one.metric == "precision")
    assert found.low is not None
    assert found.high is not None
    assert -1 <= found.low <= found.high <= 1
    values = {**rows.base.values, "accuracy": label * 40.0}
    asked = replace(
        rows,
        base=replace(rows.base, values=values),
        head=replace(rows.head, values=values),
        values={"accuracy": True},
    )
    column = next(one for one in compare_paired(asked, POLICY, ["accuracy"]) if one.head == 20.0)
    assert (column.head_low or 0) > 1
