"""Intervals of shares, and of what is joined from them, slowly: one root or one draw at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest

from mlops_ci.config.model import Policy
from mlops_ci.verdict import compare_single, compare_unpaired
from mlops_ci.verdict.aggregates.gaps import BINS
from mlops_ci.verdict.intervals import student_quantile
from mlops_ci.verdict.moments import _resamples, _studentised, mean_interval
from mlops_ci.verdict.scarcity import Rate, reach_of_change, reach_of_spread
from tests.unit.verdict.rows_for_tests import (
    binary_rows,
    multiclass_rows,
    regression_rows,
    side_of,
)
from tests.unit.verdict.test_decomposition import moved
from tests.unit.verdict.test_intervals import tango_textbook
from tests.unit.verdict.test_textbook import Z, loss_by_hand, measured, root

LEVEL = 0.95


def wilson_by_hand(hits: float, n: float) -> tuple[float, float]:
    """Wilson 1927: all shares p for which |hits/n − p| ≤ z √(p(1 − p)/n)."""
    share = hits / n

    def off(p: float) -> float:
        return abs(share - p) - Z * math.sqrt(p * (1 - p) / n)

    low = root(off, 0.0, share) if hits else 0.0
    high = root(lambda p: -off(p), share, 1.0) if hits < n else 1.0
    return low, high


SHARES: dict[str, Callable[[Any], Any]] = {
    "accuracy": lambda y: y >= 0,
    "recall": lambda y: y == 1,
    "specificity": lambda y: y == 0,
    "recall@yes": lambda y: y == 1,
    "recall_micro": lambda y: y >= 0,
    "f1_micro": lambda y: y >= 0,
}


@pytest.mark.parametrize("name", SHARES)
def test_a_share_of_fixed_rows_is_tangos_and_wilsons(name: str) -> None:
    rows = binary_rows(40, n=330)
    inside = SHARES[name](rows.label)
    right = [(np.asarray(side.prediction) == rows.label)[inside] for side in (rows.base, rows.head)]
    gained, lost = int((right[1] & ~right[0]).sum()), int((right[0] & ~right[1]).sum())
    found = measured(rows, name)[name]
    truth = tango_textbook(gained, lost, int(inside.sum()))
    assert (found.low, found.high) == pytest.approx(truth, abs=1e-9)
    own = wilson_by_hand(int(right[1].sum()), int(inside.sum()))
    assert (found.head_low, found.head_high) == pytest.approx(own, abs=1e-9)


def test_precision_and_f1_are_shares_by_themselves() -> None:
    """F1 = 2J/(1 + J), with J the share of the rows that are, or are called, positive."""
    rows = binary_rows(41, n=330)
    actual, called = rows.label == 1, np.asarray(rows.head.prediction) == 1
    hits = int((actual & called).sum())
    found = measured(rows)
    own = wilson_by_hand(hits, int(called.sum()))
    precision, f1 = found["precision"], found["f1"]
    assert (precision.head_low, precision.head_high) == pytest.approx(own, abs=1e-9)
    jaccard = wilson_by_hand(hits, int((actual | called).sum()))
    truth = [2 * end / (1 + end) for end in jaccard]
    assert (f1.head_low, f1.head_high) == pytest.approx(truth, abs=1e-9)


def apart(one: Any, other: Any, r: float = 0.0) -> tuple[float, float]:
    """Zou & Donner 2008, and with a correlation Zou 2007: of (low, estimate, high) each."""
    (low, at, high), (lower, place, higher) = one, other

    def reach(a: float, b: float) -> float:
        return math.sqrt(a * a + b * b - 2 * r * a * b)

    return at - place - reach(at - low, higher - place), at - place + reach(
        high - at, place - lower
    )


@pytest.mark.parametrize("make", [binary_rows, multiclass_rows, regression_rows])
def test_two_samples_are_joined_from_their_own_intervals(make: Any) -> None:
    base, head = side_of(make(42), "base"), side_of(make(43), "head")
    sides = [{one.metric: one for one in compare_single(side, Policy())} for side in (base, head)]
    found = compare_unpaired(base, head, Policy())
    assert len(found) > 4
    for one in found:
        ends = [(s.head_low, s.head, s.head_high) for s in (part[one.metric] for part in sides)]
        assert (one.low, one.high) == pytest.approx(apart(ends[1], ends[0]), abs=1e-9), one.metric


@pytest.mark.parametrize("name", ["mae", "accuracy"])
def test_rows_that_stay_correlate_two_numbers(name: str) -> None:
    rows = side_of((regression_rows if name == "mae" else binary_rows)(44, n=1_500), "head")
    said = np.asarray(rows.outputs.prediction)
    column = abs(said - rows.label) if name == "mae" else (said == rows.label) * 1.0
    before, now = column[:1_100], column[400:]
    adds = before - before.mean(), now - now.mean()
    together = math.fsum(adds[0][400:] * adds[1][:700])
    r = together / math.sqrt(math.fsum(adds[0] ** 2) * math.fsum(adds[1] ** 2))
    own = []
    for part in (slice(0, 1_100), slice(400, None)):
        single = replace(
            rows,
            label=rows.label[part],
            outputs=replace(rows.outputs, prediction=said[part], score=None),
        )
        one = next(one for one in compare_single(single, Policy()) if one.metric == name)
        own.append((one.head_low, one.head, one.head_high))
    found = moved(rows, (400, 1_100))[name, None]
    truth = apart(own[1], own[0], r)
    assert (found.data_low, found.data_high) == pytest.approx(truth, abs=1e-9)


def test_the_studentised_bootstrap_one_draw_at_a_time() -> None:
    """Efron & Tibshirani 1993, 12.5, with the product's own draws; no shorter than Hall's."""
    sample = np.sort(np.random.default_rng(45).exponential(size=70))
    sample -= sample.mean()
    t = []
    for counts in _resamples(70):
        drawn = np.repeat(sample, counts.astype(int))
        t.append(drawn.mean() / (drawn.std(ddof=1) / math.sqrt(70)))
    se = sample.std(ddof=1) / math.sqrt(70)
    drawn_ends = [-float(np.quantile(t, tail)) * se for tail in (0.975, 0.025)]
    found = _studentised(sample, float(se), LEVEL)
    assert (found.low, found.high) == pytest.approx(drawn_ends, abs=1e-9)
    hall = loss_by_hand(0.0, sample)
    whole = mean_interval(sample, (-9.0, 9.0), LEVEL)
    assert whole is not None
    truth = min(drawn_ends[0], hall[0]), max(drawn_ends[1], hall[1])
    assert (whole.low, whole.high) == pytest.approx(truth, abs=1e-9)


def test_the_calibration_error_by_draws_of_ones_own() -> None:
    """Where the sign of a bin's gap is sure the error moves with it, else by up to its size."""
    rows = binary_rows(46, n=4_000)
    gaps = np.zeros((4_000, 2 * BINS))
    for at, side in enumerate((rows.base, rows.head)):
        score = np.asarray(side.score)
        for row in range(4_000):
            place = at * BINS + min(int(score[row] * 10), 9)
            gaps[row, place] = (rows.label[row] == 1) - score[row]
    mean, covariance = gaps.mean(axis=0), np.cov(gaps.T) / 4_000
    noise = np.random.default_rng(47).multivariate_normal(mean * 0, covariance, 200_000)
    sign = np.sign(mean) * (abs(mean) > 3 * np.sqrt(np.diag(covariance)))
    sure = [(noise * sign)[:, at * BINS :][:, :BINS].sum(axis=1) for at in (0, 1)]
    loose = [abs(noise * (sign == 0))[:, at * BINS :][:, :BINS].sum(axis=1) for at in (0, 1)]
    seen = [abs(mean[at * BINS :][:BINS]).sum() for at in (0, 1)]
    found = measured(rows)["ece"]
    assert (found.base, found.head) == pytest.approx(seen, abs=1e-12)
    unseen = Z * Z / (4_000 + Z * Z)
    own = [float(np.quantile(loose[1] + way * sure[1], 0.975)) for way in (1, -1)]
    low, high = seen[1] - math.hypot(own[0], unseen), seen[1] + math.hypot(own[1], unseen)
    near = 0.03 * (high - low)
    assert (found.head_low, found.head_high) == pytest.approx((max(low, 0.0), high), abs=near)
    change, both = sure[1] - sure[0], loose[0] + loose[1]
    ends = [seen[1] - seen[0] + way * np.quantile(both - way * change, 0.975) for way in (-1, 1)]
    assert (found.low, found.high) == pytest.approx(ends, abs=0.03 * (ends[1] - ends[0]))


def test_few_rows_of_groups_are_joined_by_hand() -> None:
    rates = [Rate(2 / 2, 2.0), Rate(9 / 12, 12.0), Rate(30 / 40, 40.0)]
    own = [
        (low, one.share, high)
        for one in rates
        for low, high in [wilson_by_hand(one.share * one.rows, one.rows)]
    ]
    pairs = [apart(one, other) for one, other in permutations(own, 2)]
    found = reach_of_spread("difference", rates, LEVEL)
    assert found is not None
    assert found[0] == pytest.approx(max(0.0, apart(own[0], own[1])[0]), abs=1e-9)
    assert found[1] == pytest.approx(max(high for _, high in pairs), abs=1e-9)
    ratio = reach_of_spread("ratio", rates, LEVEL)
    assert ratio is not None
    least = min(other[0] / one[2] for one, other in permutations(own, 2))
    assert ratio == pytest.approx((least, min(1.0, own[1][2] / own[0][0])), abs=1e-9)


def test_few_changed_rows_of_groups_are_joined_by_hand() -> None:
    base = [Rate(20 / 40, 40.0), Rate(30 / 60, 60.0)]
    head = [Rate(21 / 40, 40.0, lost=2, gained=3), Rate(26 / 60, 60.0, lost=5, gained=1)]
    moves = [
        (low, (int(one.gained) - int(one.lost)) / one.rows, high)
        for one in head
        for low, high in [tango_textbook(int(one.gained), int(one.lost), int(one.rows))]
    ]
    arms = []
    for one, other in permutations(moves, 2):
        low, high = apart(one, other)
        at = one[1] - other[1]
        arms.append((at - low, high - at))
    found = reach_of_change("difference", (base, head), LEVEL, drawn=True)
    assert found is not None
    down, up = max(arm[0] for arm in arms), max(arm[1] for arm in arms)
    assert found[0] <= down + 1e-9
    assert found[1] <= up + 1e-9
    assert any(found == pytest.approx(one, abs=1e-9) for one in [*arms, (down, up)])


@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize("df", [10, 14.5, 30, 77, 150])
def test_students_quantile_is_off_by_its_next_term(level: float, df: float) -> None:
    """Abramowitz & Stegun 26.7.5 to the fourth power: what is left out goes with the fifth."""
    from scipy.special import stdtrit

    wanted = float(stdtrit(df, 0.5 + level / 2))
    assert abs(student_quantile(level, df) - wanted) < 1.0 / df**5 + 1e-14
