"""Intervals against published values and slow textbook versions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci.config.model import Policy
from mlops_ci.records import MetricResult
from mlops_ci.verdict import Outputs, PairedRows, compare_paired, intervals
from mlops_ci.verdict.aggregates.order import rank
from mlops_ci.verdict.intervals import (
    Atoms,
    Interval,
    mover,
    score_interval,
    student_quantile,
    wilson,
)
from mlops_ci.verdict.moments import FEW_ROWS, mean_interval
from mlops_ci.verdict.precision import average_precision
from mlops_ci.verdict.ranking import area_of, placements
from tests.unit.verdict.rows_for_tests import binary_rows, multiclass_rows, regression_rows

LEVEL = 0.95
Z = 1.959963984540054


def bisect(falling: Callable[[float], float], low: float, high: float) -> float:
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return middle


def tango_textbook(b: int, c: int, n: int) -> tuple[float, float]:
    """Tango 1998, eq. (24)-(26): the statistic is solved for ±z by bisection."""

    def statistic(delta: float) -> float:
        linear = -(b + c) + (2 * n - b + c) * delta
        q = (math.sqrt(max(linear**2 + 8 * n * c * delta * (1 - delta), 0)) - linear) / (4 * n)
        variance = n * (2 * q + delta * (1 - delta))
        return (
            (b - c - n * delta) / math.sqrt(variance)
            if variance > 1e-300
            else math.copysign(math.inf, b - c - n * delta)
        )

    mean = (b - c) / n
    return bisect(lambda d: statistic(d) - Z, -1 + 1e-12, mean), bisect(
        lambda d: statistic(d) + Z, mean, 1 - 1e-12
    )


def tango(b: int, c: int, n: int, level: float = LEVEL) -> Interval:
    counts = np.array([c, n - b - c, b], dtype=np.float64)
    return score_interval(Atoms(np.array([-1.0, 0.0, 1.0]), counts, -1.0, 1.0), level)


@pytest.mark.parametrize(
    ("counts", "level", "low", "high"),
    [
        ((48, 41, 549), 0.90, -0.0157, 0.0414),  # R, PropCIs::scoreci.mp(41, 48, 549, 0.90)
        ((1, 7, 21), 0.95, -0.517, -0.026),  # Fagerland, Lydersen & Laake 2014, airway reactivity
    ],
)
def test_tango_published(
    counts: tuple[int, int, int], level: float, low: float, high: float
) -> None:
    found = tango(*counts, level)
    digits = 4 if counts[2] > 100 else 3
    assert (round(found.low, digits), round(found.high, digits)) == (low, high)


@given(st.integers(1, 400), st.integers(0, 400), st.integers(0, 3000))
@settings(max_examples=150, deadline=None)
def test_tango_textbook(b: int, c: int, agreeing: int) -> None:
    n = b + c + agreeing
    low, high = tango_textbook(b, c, n)
    mirrored = tango(c, b, n)
    found = tango(b, c, n)
    # The formula loses digits near ±1, where its variance is a difference of near numbers.
    assert found.low == pytest.approx(low, abs=1e-9)
    if c or agreeing:
        assert found.high == pytest.approx(high, abs=1e-9)
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low), abs=1e-11)


@given(st.integers(1, 10**6))
def test_no_discordant_row_is_not_certainty(n: int) -> None:
    found = tango(0, 0, n)
    assert found.high == pytest.approx(Z * Z / (n + Z * Z), rel=1e-9)
    assert found.low == pytest.approx(-found.high)
    assert found.se > 0


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_as_newcombe_1998_prints_it(hits: int, n: int, low: float, high: float) -> None:
    found = wilson(hits, n, LEVEL)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@given(st.integers(0, 500), st.integers(0, 500))
@settings(deadline=None)
def test_the_score_interval_of_zeros_and_ones_is_wilsons(hits: int, misses: int) -> None:
    if hits + misses == 0:
        return
    atoms = Atoms(np.array([0.0, 1.0]), np.array([misses, hits]), 0.0, 1.0)
    found, truth = score_interval(atoms, LEVEL), wilson(hits, hits + misses, LEVEL)
    assert (found.low, found.high) == pytest.approx((truth.low, truth.high), abs=1e-10)


def test_score_bounds_solve_their_equation() -> None:
    """With more than three values: the restricted likelihood by brute force, one δ after another."""
    from scipy.optimize import minimize

    values, counts = np.array([-0.8, -0.1, 0.0, 0.3, 1.2]), np.array([3.0, 10.0, 80.0, 9.0, 5.0])
    found = score_interval(Atoms(values, counts, -0.8, 1.2), LEVEL)
    n, mean = counts.sum(), (values * counts).sum() / counts.sum()
    for bound in (found.low, found.high):
        constraints = (
            {"type": "eq", "fun": lambda p: p.sum() - 1},
            {"type": "eq", "fun": lambda p, bound=bound: p @ values - bound},
        )
        best = minimize(
            lambda p: -(counts * np.log(p)).sum() / n,
            counts / n,
            jac=lambda p: -counts / p / n,
            bounds=[(1e-9, 1)] * 5,
            constraints=constraints,
            options={"ftol": 1e-14, "maxiter": 500},
        )
        variance = best.x @ values**2 - bound**2
        assert abs(mean - bound) / math.sqrt(variance / n) == pytest.approx(Z, abs=1e-4)


def test_delong_textbook() -> None:
    """DeLong, DeLong & Clarke-Pearson 1988, pair by pair."""
    rows = binary_rows(4, n=160)
    actual = rows.label == 1
    assert rows.base.score is not None
    assert rows.head.score is not None
    components = []
    for score in (rows.base.score, rows.head.score):
        wins = [[(p > q) + 0.5 * (p == q) for q in score[~actual]] for p in score[actual]]
        table = np.array(wins, dtype=float)
        components.append((table.mean(axis=1), table.mean(axis=0), table.mean()))
    covariance = sum(
        np.cov(components[0][i], components[1][i], ddof=1) / len(components[0][i]) for i in (0, 1)
    )
    assert not isinstance(covariance, int)
    se = math.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    found = by_name(compare_paired(rows, Policy()))["roc_auc"]
    change = components[1][2] - components[0][2]
    assert found.difference == pytest.approx(change, abs=1e-12)
    assert found.se == pytest.approx(se, abs=1e-12)
    # Hall's cubic with the third cumulant, class by class, and Satterthwaite's degrees of freedom.
    cube, parts = 0.0, []
    for i in (0, 1):
        moved = components[1][i] - components[0][i]
        cube += ((moved - moved.mean()) ** 3).mean() / len(moved) ** 2
        kurtosis = ((moved - moved.mean()) ** 4).mean() / np.var(moved) ** 2
        worth = min(2 * len(moved) / (kurtosis - 1) - 1, len(moved) - 1)
        parts.append((np.var(moved, ddof=1) / len(moved), worth))
    df = se**4 / sum(part**2 / free for part, free in parts)
    truth = hall_textbook(change, se, cube / se**3, df)
    assert (found.low, found.high) == pytest.approx(truth, abs=1e-8)
    own = area_of([placements(rank(rows.head.score, actual))], actual).own(0, LEVEL)
    assert own.se == pytest.approx(math.sqrt(covariance[1, 1]), abs=1e-12)


def hall_textbook(estimate: float, se: float, skew: float, df: float) -> tuple[float, float]:
    """Hall 1992, g(T) = T + γ(2T² + 1)/(6√n) + γ²T³/(27n) with γ/√n = skew, by bisection."""
    from scipy.stats import t as student

    def g(truth: float) -> float:
        t = (estimate - truth) / se
        return float(t + skew * (2 * t * t + 1) / 6 + skew**2 * t**3 / 27)

    q, far = float(student.ppf(0.975, df)), 50 * se
    low = bisect(lambda m: g(m) - q, estimate - far, estimate + far)
    return low, bisect(lambda m: g(m) + q, estimate - far, estimate + far)


def by_name(results: tuple[MetricResult, ...]) -> dict[str, MetricResult]:
    return {one.metric: one for one in results if one.slice is None}


def test_an_area_of_one_is_not_certainty() -> None:
    label = np.repeat([0, 1], [60, 40])
    score = np.linspace(0, 1, 100)
    outputs = Outputs((score > 0.5).astype(np.int64), score)
    rows = PairedRows("binary", ("0", "1"), label, outputs, outputs)
    found = by_name(compare_paired(rows, Policy()))["roc_auc"]
    assert found.head == 1.0
    # At most θ(1 − θ)/min(P, N): Wilson's bound of 40 hits in 40.
    assert found.head_low == pytest.approx(40 / (40 + Z * Z))
    assert found.difference == 0
    assert found.low is not None
    assert found.low < -0.05
    assert found.high == pytest.approx(-found.low)


def test_average_precision_influence_is_the_derivative() -> None:
    """The infinitesimal jackknife against scikit-learn with one row's weight nudged."""
    from sklearn.metrics import average_precision_score

    rows = binary_rows(5, n=120)
    score, actual = rows.base.score, rows.label == 1
    assert score is not None
    found = average_precision(rank(score, actual))
    influence = found.influence(actual, slice(0, 120))
    step = 1e-6
    for row in range(0, 120, 7):
        heavier, lighter = np.ones(120), np.ones(120)
        heavier[row] += step
        lighter[row] -= step
        slope = (
            average_precision_score(actual, score, sample_weight=heavier)
            - average_precision_score(actual, score, sample_weight=lighter)
        ) / (2 * step)
        assert influence[row] / 120 == pytest.approx(slope, abs=1e-7)
    assert influence.sum() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    "name",
    [
        "balanced_accuracy",
        "precision",
        "f1",
        "mcc",
        "f1_macro",
        "precision_weighted",
        "f1_weighted",
    ],
)
@pytest.mark.parametrize("make", [binary_rows, multiclass_rows])
def test_confusion_influence_is_the_derivative(name: str, make: Callable[..., PairedRows]) -> None:
    """Leaving out 1 % of a cell moves the metric as its influence says."""
    from mlops_ci.verdict.aggregates.cells import Cells
    from mlops_ci.verdict.confusion import Linear, Question, linearise
    from mlops_ci.verdict.margins import margins_of

    def of(table: Any) -> Linear | None:
        codes = np.argwhere(table > 0)
        return linearise(margins_of(Cells(k, codes, table[tuple(codes.T)]), 0), question)

    rows = make(6)
    k = len(rows.classes)
    assert rows.base.prediction is not None
    table = np.bincount(rows.label * k + rows.base.prediction, minlength=k * k).reshape(k, k)
    metric, _, average = (
        name.rpartition("_") if name.endswith(("_macro", "_weighted")) else (name, "", None)
    )
    question = Question(
        metric,
        1 if make is binary_rows else None,
        average or ("macro" if make is multiclass_rows else None),
    )
    found = of(table)
    assert found is not None
    big = table * 10**7
    for y in range(k):
        for a in range(k):
            more, less = big.copy(), big.copy()
            step = max(int(table[y, a]) * 10**3, 1000)
            more[y, a] += step
            less[y, a] -= min(step, int(less[y, a]))
            moved = int(more[y, a] - less[y, a])
            after, before = of(more), of(less)
            assert after is not None
            assert before is not None
            slope = (after[0] - before[0]) / moved * big.sum()
            influence = found[1].at(np.array([y]), np.array([a]))[0]
            assert influence == pytest.approx(slope, abs=2e-3 * max(1, abs(slope)))


def test_mean_losses_by_the_textbook() -> None:
    from scipy import stats

    rows = regression_rows(2, n=800)
    assert rows.base.prediction is not None
    assert rows.head.prediction is not None
    moved = np.abs(rows.head.prediction - rows.label) - np.abs(rows.base.prediction - rows.label)
    found = by_name(compare_paired(rows, Policy()))["mae"]
    se = stats.sem(moved)
    assert found.se == pytest.approx(se, rel=1e-9)
    skew = stats.skew(moved) * (799 / 800) ** 1.5 / math.sqrt(800)
    freedom = 2 * 800 / (stats.kurtosis(moved, fisher=False) - 1) - 1
    low, high = hall_textbook(moved.mean(), se, skew, freedom)
    assert stats.kurtosis(moved, fisher=False) < 800 / 15  # rows enough carry it
    longer = 3 * skew**2
    assert skew < 0
    truth = (low - longer * (moved.mean() - low), high)
    assert (found.low, found.high) == pytest.approx(truth, abs=1e-9)
    assert found.method == "t, skew-adjusted"


def test_rmse_by_the_delta_method() -> None:
    rows = regression_rows(3, n=900)
    assert rows.base.prediction is not None
    assert rows.head.prediction is not None
    squares = [(side - rows.label) ** 2 for side in (rows.base.prediction, rows.head.prediction)]
    b, h = (math.sqrt(one.mean()) for one in squares)
    se = math.sqrt(np.var(squares[1] / (2 * h) - squares[0] / (2 * b), ddof=1) / 900)
    found = by_name(compare_paired(rows, Policy()))["rmse"]
    assert found.difference == pytest.approx(h - b, abs=1e-12)
    assert found.se == pytest.approx(se, rel=1e-9)


def test_few_rows_are_resampled_as_the_textbook_does() -> None:
    """Efron & Tibshirani 1993, 12.5, by a loop with draws of its own: equal but for chance."""
    rng = np.random.default_rng(8)
    sample = rng.exponential(size=80)
    sample -= sample.mean()
    found = mean_interval(sample, (-9.0, 9.0), LEVEL)
    assert found is not None
    assert found.method == "studentised bootstrap"
    se = sample.std(ddof=1) / math.sqrt(80)
    t = []
    for _ in range(20_000):
        drawn = rng.choice(sample, 80)
        t.append(drawn.mean() / (drawn.std(ddof=1) / math.sqrt(80)))
    low, high = -np.quantile(t, 0.975) * se, -np.quantile(t, 0.025) * se
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.06 * (high - low))
    # A long tail upwards: the bound above lies further off than Student's.
    assert found.high > -found.low


def test_two_samples_by_newcombe() -> None:
    """MOVER of two Wilson intervals is Newcombe's method 10: 56/70 − 48/80 (1998, table II)."""
    found = mover((48 / 80, wilson(48, 80, LEVEL)), (56 / 70, wilson(56, 70, LEVEL)))
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)


def test_constant_and_equal_losses_have_a_width() -> None:
    label = np.arange(FEW_ROWS + 100, dtype=np.float64)
    same = Outputs(label + 1.0)
    for head in (same, Outputs(label + 1.5)):
        rows = PairedRows("regression", (), label, same, head)
        for one in compare_paired(rows, Policy()):
            if one.metric == "mape":  # a label is 0
                assert one.head is None
                continue
            assert one.low is not None, one
            assert one.high is not None
            assert one.high - one.low > 1e-7, one


def test_identical_models_have_none() -> None:
    rows = binary_rows(0)
    same: Any = {"identical": True}
    rows = PairedRows(rows.task, rows.classes, rows.label, rows.base, rows.base, **same)
    for one in compare_paired(rows, Policy()):
        assert (one.low, one.high, one.difference) == (0.0, 0.0, 0.0)
        assert one.method == "identical models"
        assert one.head_low is not None
        assert one.head_low < one.head  # type: ignore[operator]


def test_identical_models_lose_nothing_however_few_the_rows() -> None:
    rows = binary_rows(0, n=12)
    rows = PairedRows(rows.task, rows.classes, rows.label, rows.base, rows.base, identical=True)
    found = by_name(compare_paired(rows, Policy()))["accuracy"]
    assert (found.low, found.high, found.head_low) == (0.0, 0.0, None)


@pytest.mark.parametrize("level", [0.6, 0.8, 0.95, 0.99, 0.999])
def test_student_quantile(level: float) -> None:
    from scipy.special import stdtrit

    for df in (400, 499, 5_000, 10**7):
        assert student_quantile(level, df) == pytest.approx(
            float(stdtrit(df, 0.5 + level / 2)), abs=1e-11
        )


@given(seed=st.integers(0, 2**32 - 1), size=st.integers(2, 12))
@settings(max_examples=30, deadline=None)
def test_few_atoms_and_many_have_the_same_bounds(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    atoms = Atoms(rng.normal(size=size), rng.integers(1, 50, size), -4.0, 4.0)
    few = score_interval(atoms, LEVEL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intervals, "FEW_ATOMS", 0)
        many = score_interval(atoms, LEVEL)
    assert few.low == pytest.approx(many.low, rel=1e-9, abs=1e-12)
    assert few.high == pytest.approx(many.high, rel=1e-9, abs=1e-12)


def test_thin_tails_are_resampled_more_often() -> None:
    """Of a shared error rate, as `alpha-spending: 50` makes it: 200,000 draws, written out."""
    from mlops_ci.verdict.moments import _studentised

    level = 0.999
    z = np.sort(np.random.default_rng(9).exponential(size=60)) - 1
    z -= z.mean()
    rng, t = np.random.default_rng(1), []
    for _ in range(20):
        drawn = z[rng.integers(0, 60, (10_000, 60))]
        t.append(drawn.mean(axis=1) / (drawn.std(axis=1) / math.sqrt(59)))
    se = float(z.std(ddof=1)) / math.sqrt(60)
    lower, upper = np.quantile(np.concatenate(t), [(1 - level) / 2, (1 + level) / 2])
    found = _studentised(z, se, level)
    ends = (found.low / (-upper * se), found.high / (-lower * se))
    assert ends == pytest.approx((1, 1), rel=0.06)
