"""McNemar's mid-p: statsmodels is the oracle; it stands beside accuracy and decides nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from statsmodels.stats.contingency_tables import mcnemar

from mlops_ci.config.model import Policy
from mlops_ci.records import MetricResult
from mlops_ci.verdict import Outputs, PairedRows, compare_paired, compare_single, compare_unpaired
from mlops_ci.verdict.mcnemar import EXACT, mid_p
from tests.unit.verdict.rows_for_tests import binary_rows, multiclass_rows, side_of


def table(lost: int, gained: int) -> list[list[int]]:
    return [[50, lost], [gained, 20]]


@given(st.integers(0, 300), st.integers(0, 300))
@settings(max_examples=60, deadline=None)
def test_it_is_the_exact_one_less_the_chance_of_what_was_seen(lost: int, gained: int) -> None:
    if lost + gained == 0:
        return
    exact = float(mcnemar(table(lost, gained), exact=True).pvalue)
    seen = float(binom.pmf(min(lost, gained), lost + gained, 0.5))
    wanted = 1 - seen / 2 if lost == gained else exact - seen
    assert mid_p(lost, gained) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize(("lost", "gained"), [(1_100, 1_000), (60_000, 60_900)])
def test_of_many_rows_it_is_the_normal_one(lost: int, gained: int) -> None:
    wanted = mcnemar(table(lost, gained), exact=False, correction=False)
    assert mid_p(lost, gained) == pytest.approx(float(wanted.pvalue), abs=1e-9)


def test_the_two_agree_where_they_meet() -> None:
    lost = EXACT // 2 + 40
    exact = mid_p(lost, EXACT - lost)
    assert exact == pytest.approx(math.erfc((2 * lost - EXACT) / math.sqrt(2 * EXACT)), abs=2e-4)


def test_as_fagerland_lydersen_and_laake_print_it() -> None:
    """2013, table 2: airway hyper-responsiveness before and after stem cell transplantation."""
    assert round(mid_p(1, 7), 3) == 0.039


def accuracy_of(results: tuple[MetricResult, ...]) -> MetricResult:
    return next(one for one in results if one.metric == "accuracy" and one.slice is None)


@pytest.mark.parametrize("make", [binary_rows, multiclass_rows])
def test_it_counts_the_rows_that_one_side_alone_has_right(
    make: Callable[..., PairedRows],
) -> None:
    rows = make(4)
    right = [np.asarray(side.prediction == rows.label) for side in (rows.base, rows.head)]
    counts = [
        [int((right[0] == a)[right[1] == b].sum()) for b in (True, False)] for a in (True, False)
    ]
    exact = float(mcnemar(counts, exact=True).pvalue)
    few, changed = min(counts[0][1], counts[1][0]), counts[0][1] + counts[1][0]
    found = compare_paired(rows, Policy())
    wanted = exact - binom.pmf(few, changed, 0.5)
    assert accuracy_of(found).mcnemar == pytest.approx(float(wanted), abs=1e-9)
    assert all(one.mcnemar is None for one in found if one.metric != "accuracy")


def test_it_is_silent_where_rows_are_no_tosses_of_a_coin() -> None:
    rows = binary_rows(5)
    n = len(rows.label)
    others = [
        replace(rows, group=np.arange(n) // 3),
        replace(rows, weight=np.arange(1.0, n + 1.0)),
        PairedRows("binary", ("0", "1"), rows.label, rows.base, Outputs(rows.base.prediction)),
    ]
    assert all(accuracy_of(compare_paired(one, Policy())).mcnemar is None for one in others)
    base, head = side_of(rows, "base"), side_of(rows, "head")
    assert accuracy_of(compare_unpaired(base, head, Policy())).mcnemar is None
    assert accuracy_of(compare_single(head, Policy())).mcnemar is None
