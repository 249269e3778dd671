"""Retraining noise against a textbook's formulas, and against simulated trainings."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, t

from mlops_ci.config.model import Gate, Policy
from mlops_ci.records.results import MetricResult
from mlops_ci.verdict import Noise, Trainings, judge, noise_of_history, widen_all
from mlops_ci.verdict.seeds import noise_of_seeds, p_of_change, student, widen

LEVEL = 0.95
Z = float(norm.ppf(0.975))


def result(difference: float = 0.0, se: float = 0.01, **other: object) -> MetricResult:
    told: dict[str, object] = {
        "metric": "roc_auc", "base": 0.9, "head": 0.9 + difference, "difference": difference,
        "low": difference - Z * se, "high": difference + Z * se, "se": se, "n": 1000,
        "evidence": "paired", "higher_is_better": True,
    }  # fmt: skip
    return MetricResult(**{**told, **other})  # type: ignore[arg-type]


def values(*trained: float) -> dict[tuple[str, str | None], tuple[float, ...]]:
    return {("roc_auc", None): trained}


def textbook(se: float, variances: list[float], dfs: list[int]) -> tuple[float, float]:
    """Half width and degrees of freedom: Satterthwaite 1946, the rows' variance being known."""
    total = se**2 + sum(variances)
    df = total**2 / sum(v**2 / d for v, d in zip(variances, dfs, strict=True))
    return float(t.ppf(0.975, df)) * math.sqrt(total), df


positive = st.floats(1e-6, 1e3)


@given(positive, positive, positive, st.integers(2, 30), st.integers(2, 30))
def test_a_symmetric_interval_is_the_textbook_s(
    se: float, head: float, base: float, k: int, m: int
) -> None:
    sides = (Noise(head, k - 1, k), Noise(base, m - 1, m))
    half, df = textbook(se, [head, base], [k - 1, m - 1])
    found = widen(result(0.0, se), sides, LEVEL)
    assert found.low == pytest.approx(-half, rel=1e-9)
    assert found.high == pytest.approx(half, rel=1e-9)
    assert found.seed_df == pytest.approx(df, rel=1e-9)
    assert found.seed_sd == pytest.approx(math.sqrt(head + base), rel=1e-12)
    assert found.seeds == k + m


@given(
    st.floats(-1, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 4), st.integers(2, 9),
    st.floats(0.6, 0.999),
)  # fmt: skip
def test_noise_never_narrows_and_more_of_it_widens(
    at: float, down: float, up: float, variance: float, k: int, level: float
) -> None:
    before = result(at, low=at - down, high=at + up)
    once = widen(before, (Noise(variance, k - 1, k),), level)
    twice = widen(before, (Noise(2 * variance, k - 1, k),), level)
    assert once.low is not None
    assert once.high is not None
    assert twice.low is not None
    assert twice.high is not None
    slack = 1e-12 * max(1.0, abs(at))
    assert twice.low - slack <= once.low <= at - down + slack
    assert at + up - slack <= once.high <= twice.high + slack


def test_without_noise_an_interval_stays_and_a_skewed_one_stays_skewed() -> None:
    skewed = result(0.01, low=-0.01, high=0.02)
    same = widen(skewed, (Noise(0.0, 2, 3),), LEVEL)
    assert (same.low, same.high) == pytest.approx((skewed.low, skewed.high))
    wider = widen(skewed, (Noise(1e-5, 4, 5),), LEVEL)
    assert wider.low is not None
    assert wider.high is not None
    assert 0.01 - wider.low > wider.high - 0.01


def test_models_that_answer_alike_are_left_alone() -> None:
    assert widen(alike := result(0.0, 0.0), (Noise(1.0, 2, 3),), LEVEL) is alike
    number = result(low=None, high=None, evidence="point")
    assert widen(number, (Noise(1.0, 2, 3),), LEVEL) is number


@pytest.mark.parametrize("df", [1, 1.3, 2, 5.5, 40, 1e6, math.inf])
def test_student_is_exact_where_two_seeds_need_it(df: float) -> None:
    assert student(0.95, df) == pytest.approx(float(t.ppf(0.975, df)), rel=1e-9)


def test_history_pools_within_keys_alone() -> None:
    """Two keys far apart: what lies between them is no luck."""
    near = [0.90, 0.91, 0.92], [0.50, 0.52, 0.51]
    found = noise_of_history(near)
    assert found is not None
    pooled = (np.var(near[0], ddof=1) * 2 + np.var(near[1], ddof=1) * 2) / 4
    assert found.variance == pytest.approx(float(pooled), rel=1e-12)
    assert (found.df, found.trainings) == (4, 6)


@pytest.mark.parametrize(
    "groups",
    [
        [],
        [[0.9]] * 50,  # fifty keys, each trained once: nothing is known
        [[0.9, 0.91, 0.92, 0.93]],  # four runs
        [[0.9, 0.91], [0.8, 0.81]],
        [[0.9] * 8],  # a fixed seed
        [[0.9, math.nan, 0.9, 0.91, 0.92]],
    ],
)
def test_history_that_says_too_little(groups: list[list[float]]) -> None:
    assert noise_of_history(groups) is None


def test_a_nan_of_one_seed_is_no_noise() -> None:
    assert noise_of_seeds([0.9, math.nan, 0.91]) is None
    assert noise_of_seeds([0.9]) is None


def test_whose_noise_is_said() -> None:
    rows = [result(), result(slice="region=north")]
    history = {"roc_auc": Noise(1e-4, 4, 5)}
    (whole, part), known = widen_all(
        rows, Trainings(head=values(0.9, 0.91, 0.92), history=history), LEVEL
    )
    assert known is not None
    assert (known.head, known.base, known.history) == (3, 5, ("base",))
    assert (whole.seeds, part.seeds) == (8, None)
    assert widen_all(rows, Trainings(), LEVEL) == (tuple(rows), None)


GATE = Gate(metric="roc_auc", kind="max-drop", limit=0.01)


def test_what_passed_by_rows_alone_is_undecided_when_seeds_differ() -> None:
    rows = result(0.002, 0.004)
    assert judge([rows], [GATE], Policy()).verdict == "pass"
    noisy = widen(rows, (Noise(0.008**2, 4, 5), Noise(0.008**2, 4, 5)), LEVEL)
    judged = judge([noisy], [GATE], Policy())
    assert judged.verdict == "inconclusive"
    assert judged.gates[0].rows_needed is None  # no number of rows mends a seed


def test_rows_are_counted_beside_the_noise() -> None:
    """n·(z+z_β)²·se² / (d² − (z+z_β)²·sd²), by hand."""
    noisy = widen(result(0.0, 0.008), (Noise(0.002**2, 10**6, 10**6 + 1),), LEVEL)
    (gate,) = judge([noisy], [GATE], Policy()).gates
    reach = (Z + float(norm.ppf(0.8))) ** 2
    expected = 1000 * reach * 0.008**2 / (0.01**2 - reach * 0.002**2)
    assert gate.rows_needed == (math.ceil(expected), math.ceil(expected))


def test_better_is_asked_of_the_whole_noise() -> None:
    clear = result(0.03, 0.01, metric="brier", higher_is_better=True)
    noisy = widen(clear, (Noise(0.01**2, 1, 2),), LEVEL)
    df = textbook(0.01, [0.01**2], [1])[1]
    expected = 2 * float(t.sf(0.03 / math.hypot(0.01, 0.01), df))
    assert p_of_change(noisy) == pytest.approx(expected, rel=1e-9)
    gates = [GATE]
    others = [result(0.0, 0.001)]
    assert [one.better for one in judge([*others, clear], gates, Policy()).metrics] == [False, True]
    assert not any(one.better for one in judge([*others, noisy], gates, Policy()).metrics)


@pytest.mark.parametrize(("k", "luck"), [(2, 0.5), (3, 1.0), (5, 1.0), (5, 4.0), (10, 0.2)])
def test_simulated_trainings_are_covered(k: int, luck: float) -> None:
    """Two equal ways of training, a new seed for each run: the interval must hold no change. Rows
    alone miss it; the luck of the seed that counts is among the k, which errs to the safe side.
    """
    random = np.random.default_rng(k * 1000 + int(10 * luck))
    runs, se, missed, missed_by_rows = 4000, 1.0, 0, 0
    for _ in range(runs):
        head, base = random.normal(0, luck, (2, k))
        rows = result(float(head[0] - base[0] + random.normal(0, se)), se)
        ours, theirs = (values(*map(float, side)) for side in (head, base))
        ((found,), _) = widen_all([rows], Trainings(ours, theirs), LEVEL)
        assert found.low is not None
        assert found.high is not None
        missed += not found.low <= 0 <= found.high
        missed_by_rows += not rows.low <= 0 <= rows.high  # type: ignore[operator]
    noise = 3 * math.sqrt(0.05 * 0.95 / runs)
    assert missed / runs <= 0.05 + noise
    if luck >= 1:
        assert missed_by_rows / runs > 0.2
