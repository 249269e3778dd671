"""Which part of the rows got worse: found where it is planted, silent where there is only noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, false_discovery_control, ttest_1samp, ttest_ind

from mlops_ci.config import Policy
from mlops_ci.verdict import Outputs, PairedRows, find_weak_slices
from mlops_ci.verdict.multiplicity import benjamini_hochberg
from mlops_ci.verdict.weak import Moments, apart_p, sign_p, worse_p

POLICY = Policy()


def rows(seed: int, n: int = 4000, *, harm: float = 0.0, task: str = "binary") -> PairedRows:
    """Two models that are wrong on a tenth of the rows each, on other ones; head also on `harm` of
    the rows that are both north and basic."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, n)
    north, basic = rng.random(n) < 0.3, rng.random(n) < 0.4
    wrong_base, wrong_head = rng.random(n) < 0.1, rng.random(n) < 0.1
    wrong_head |= north & basic & (rng.random(n) < harm)
    slices = {
        "region=north": north,
        "region=south": ~north,
        "plan=basic": basic,
        "plan=pro": ~basic,
    }
    if task == "regression":
        truth = label.astype(float)
        base, head = (truth + wrong * rng.normal(3, 1, n) for wrong in (wrong_base, wrong_head))
        return PairedRows("regression", (), truth, Outputs(base), Outputs(head), slices)
    answers = [np.where(wrong, 1 - label, label) for wrong in (wrong_base, wrong_head)]
    return PairedRows("binary", ("0", "1"), label, Outputs(answers[0]), Outputs(answers[1]), slices)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_planted_slice_is_found_by_its_pair(task: str) -> None:
    found = find_weak_slices(rows(1, harm=0.3, task=task), POLICY)
    assert found[0].slice == "plan=basic & region=north"
    assert found[0].loss > 0.15
    assert found[0].worse_of_all >= found[0].worse > found[0].better
    assert found[0].tried == 8
    assert len(found) == 1, "its parents are the same finding"


def test_noise_is_seldom_called_a_finding() -> None:
    alarms = sum(bool(find_weak_slices(rows(seed, 1000), POLICY)) for seed in range(300))
    assert alarms <= 25  # 5 % of 300, and three standard errors


def test_a_model_that_is_worse_everywhere_has_no_weak_slice() -> None:
    made = rows(3)
    rng = np.random.default_rng(3)
    assert made.head.prediction is not None
    worse = np.where(rng.random(len(made.label)) < 0.2, 1 - made.label, made.head.prediction)
    everywhere = PairedRows(
        "binary", made.classes, made.label, made.base, Outputs(worse), made.slices
    )
    assert find_weak_slices(everywhere, POLICY) == ()


def test_rows_in_groups_are_not_searched() -> None:
    made = rows(1, harm=0.3)
    together = replace(made, group=np.arange(len(made.label)) // 4)
    assert find_weak_slices(made, POLICY)
    assert find_weak_slices(together, POLICY) == ()


def test_small_slices_and_equal_models_are_left_alone() -> None:
    few = rows(1, 200, harm=1.0)
    assert find_weak_slices(few, Policy(min_rows=150)) == ()
    same = PairedRows("binary", few.classes, few.label, few.base, few.base, few.slices)
    assert find_weak_slices(same, POLICY) == ()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_adjusting_is_scipys(p_values: list[float]) -> None:
    wanted = false_discovery_control(p_values, method="bh")
    assert np.allclose(benjamini_hochberg(p_values), wanted, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("worse", "changed"), [(600, 1001), (520, 1001), (60_900, 121_000)])
def test_the_sign_test_of_many_rows_is_near(worse: int, changed: int) -> None:
    assert sign_p(worse, changed) == pytest.approx(binom.sf(worse - 1, changed, 0.5), rel=0.2)


def test_the_sign_test_is_exact() -> None:
    assert sign_p(0, 0) == 1.0
    assert sign_p(530, 1000) == pytest.approx(binom.sf(529, 1000, 0.5), rel=1e-12)
    assert worse_p(Moments(60, 8, 2, 6, 10), signs=True) == pytest.approx(56 / 1024)  # ≥ 8 of 10
    assert worse_p(Moments(60, 2, 8, -6, 10), signs=True) == pytest.approx(1013 / 1024)
    assert worse_p(Moments(5, 0, 0, 0, 0), signs=True) == 1.0


def test_the_other_tests_are_scipys() -> None:
    rng = np.random.default_rng(5)
    inside, outside = rng.normal(0.2, 1, 400), rng.normal(0, 2, 4000)
    ours, theirs = (
        Moments(len(one), 0, 0, float(one.sum()), float(one @ one)) for one in (inside, outside)
    )
    wanted = ttest_1samp(inside, 0, alternative="greater").pvalue
    assert worse_p(ours, signs=False) == pytest.approx(wanted, rel=1e-3)
    wanted = ttest_ind(inside, outside, equal_var=False, alternative="greater").pvalue
    assert apart_p(ours, theirs) == pytest.approx(wanted, rel=0.02)  # normal for t
