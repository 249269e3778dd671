"""Of a function that jumps: what blocks tell too little of, samples drawn anew know."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest

from mlops_ci.config.model import Policy
from mlops_ci.records import MetricResult
from mlops_ci.steps.function_child import times_drawn
from mlops_ci.verdict import Outputs, PairedRows
from mlops_ci.verdict.functions import Values, blocks_of, measure_functions
from mlops_ci.verdict.redrawn import DRAWS, redrawn_interval

N, SAMPLES = 200, 300


@cache
def places_drawn() -> Any:
    """[DRAWS, N]: which rows each draw has."""
    rows = np.arange(N)
    return np.array([np.repeat(rows, times_drawn(N, number)) for number in range(DRAWS)])


def median_error(rows: PairedRows, *, drawn: bool) -> MetricResult:
    blocks = blocks_of(rows, np.random.default_rng(9).permutation(N))
    errors = [np.abs(rows.label - np.asarray(one.prediction)) for one in (rows.base, rows.head)]
    without = [[np.median(one[blocks != at]) for at in np.unique(blocks)] for one in errors]
    again = [np.median(one[places_drawn()], axis=1) for one in errors] if drawn else []
    values = Values(
        (float(np.median(errors[0])), float(np.median(errors[1]))),
        tuple(tuple(map(float, one)) for one in without),
        tuple(tuple(map(float, one)) for one in again),
    )
    found = measure_functions(rows, Policy(), {"f": False}, {("f", None): values}, blocks)
    return found[0]


def rows_of(rng: np.random.Generator) -> PairedRows:
    label, shared = rng.normal(size=N), rng.normal(size=N)
    sides = [Outputs(label + shared + 0.5 * rng.normal(size=N)) for _ in range(2)]
    return PairedRows("regression", (), label, sides[0], sides[1])


def test_a_median_is_held_by_draws_where_blocks_miss_it() -> None:
    truth = 0.674490 * math.sqrt(1.25)  # of a normal's absolute value
    rng, misses = np.random.default_rng(4), {False: [0, 0, 0], True: [0, 0, 0]}
    for _ in range(SAMPLES):
        rows = rows_of(rng)
        for drawn, missed in misses.items():
            one = median_error(rows, drawn=drawn)
            if one.head_low is None or one.head_high is None or one.low is None or one.high is None:
                continue  # it changes in too few blocks
            missed[0] += not one.head_low <= truth <= one.head_high
            missed[1] += not one.low <= 0 <= one.high
            missed[2] += 1
    assert misses[True][2] == misses[False][2] > 0.9 * SAMPLES
    most = SAMPLES * 0.05 + 2 * math.sqrt(SAMPLES * 0.05 * 0.95)
    assert misses[False][0] > most, "what blocks of rows alone miss"
    assert max(misses[True][:2]) <= most, misses
    assert min(misses[True][:2]) >= SAMPLES * 0.01, misses


def test_each_arm_is_the_longer_one_of_students_t_and_the_draws_quantile() -> None:
    """Efron & Tibshirani 1993, ch. 12 and 13, written out."""
    from scipy.stats import t

    drawn = 2 + np.random.default_rng(5).exponential(size=DRAWS)
    found = redrawn_interval(3.0, drawn, 50, 0.9)
    se = drawn.std(ddof=1) * math.sqrt(50 / 49)
    half = float(t.ppf(0.95, 49)) * se
    low, high = np.quantile(drawn, [0.05, 0.95])
    assert found.se == pytest.approx(se)
    assert found.low == pytest.approx(min(3 - half, low), rel=1e-4)
    assert found.high == pytest.approx(max(3 + half, high), rel=1e-4)
    assert found.high > 3 + half, "the long tail is the draws' own"
    assert redrawn_interval(3.0, drawn[::-1], 50, 0.9) == found


def test_draws_that_are_not_all_there_do_not_decide() -> None:
    rows = rows_of(np.random.default_rng(6))
    found = median_error(rows, drawn=True)
    assert found.method == f"bootstrap, {DRAWS} draws"
    alone = median_error(rows, drawn=False)
    assert alone.method == "delete-block jackknife, 20 blocks"
    blocks = blocks_of(rows, None)
    one = (0.5 + 0.01 * np.arange(len(np.unique(blocks)))).tolist()
    for drawn in ([0.5] * (DRAWS - 1), [math.nan] * DRAWS, []):
        told = Values((0.6, 0.6), (tuple(one),) * 2, (tuple(drawn),) * 2)
        (shown,) = measure_functions(rows, Policy(), {"f": True}, {("f", None): told}, blocks)
        assert "jackknife" in shown.method


def test_draws_without_a_change_are_no_certainty() -> None:
    rows = rows_of(np.random.default_rng(7))
    blocks = blocks_of(rows, None)
    same = (0.5,) * len(np.unique(blocks))
    told = Values((0.5, 0.5), (same,) * 2, ((0.5,) * DRAWS,) * 2)
    (shown,) = measure_functions(rows, Policy(), {"f": True}, {("f", None): told}, blocks)
    assert shown.low is None
    assert shown.head_low is None
    assert "too few blocks" in str(shown.note)
