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
from mlops_ci.verdict.clusters import clusters_of
from mlops_ci.verdict.multiplicity import benjamini_hochberg
from mlops_ci.verdict.units import Units, mean_of_part
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


def by_users(seed: int, *, moods: float, harm: float = 0.0, n: int = 4000) -> PairedRows:
    """Eight rows a user. `moods`: the share of users, all of the north, with whom head has bad luck
    on every row, and of as many others base."""
    made = rows(seed, n, harm=harm)
    users = np.arange(n) // 8
    rng = np.random.default_rng(seed + 1)
    luck = rng.random((2, n // 8)) < moods
    north = (rng.random(n // 8) < 0.3)[users]
    sides = [
        Outputs(np.where(unlucky[users], 1 - made.label, side.prediction))
        for side, unlucky in zip((made.base, made.head), luck, strict=True)
        if side.prediction is not None
    ]
    slices = {"region=north": north, "region=south": ~north}
    slices |= {name: made.slices[name] for name in ("plan=basic", "plan=pro")}
    return replace(made, base=sides[0], head=sides[1], slices=slices, group=users)


def test_rows_in_groups_are_searched_by_groups() -> None:
    made = rows(1, harm=0.3)
    together = replace(made, group=np.arange(len(made.label)) // 4)
    (alone,), (found,) = find_weak_slices(made, POLICY), find_weak_slices(together, POLICY)
    assert found.slice == alone.slice == "plan=basic & region=north"
    assert (found.loss, found.worse, found.n) == pytest.approx((alone.loss, alone.worse, alone.n))
    few = replace(made, group=np.arange(len(made.label)) % 25)
    assert find_weak_slices(few, POLICY) == ()


def test_the_bad_luck_of_users_is_no_finding_by_groups() -> None:
    alarms = {"groups": 0, "rows": 0}
    for seed in range(150):
        made = by_users(seed, moods=0.12, n=2400)
        alarms["groups"] += bool(find_weak_slices(made, POLICY))
        alarms["rows"] += bool(find_weak_slices(replace(made, group=None), POLICY))
    assert alarms["groups"] <= 15, alarms  # 5 % of 150, and three standard errors
    assert alarms["rows"] > 20, alarms


def test_heavy_rows_decide_which_slice_is_weak() -> None:
    made = rows(1, harm=0.3)
    rng = np.random.default_rng(0)
    assert made.base.prediction is not None
    assert made.head.prediction is not None
    harmed = (made.head.prediction != made.label) & (made.base.prediction == made.label)
    light = np.where(harmed & made.slices["region=north"], 1e-9, rng.uniform(1, 2, 4000))
    assert find_weak_slices(replace(made, weight=light), POLICY) == ()
    (found,) = find_weak_slices(replace(made, weight=rng.uniform(0.5, 2, 4000)), POLICY)
    assert found.slice == "plan=basic & region=north"
    order = rng.permutation(4000)
    weights = rng.uniform(0.5, 2, 4000)
    base, head = (Outputs(p[order]) for p in (made.base.prediction, made.head.prediction))
    slices = {name: mask[order] for name, mask in made.slices.items()}
    mixed = PairedRows(
        "binary", made.classes, made.label[order], base, head, slices, weight=weights[order]
    )
    assert find_weak_slices(mixed, POLICY) == find_weak_slices(
        replace(made, weight=weights), POLICY
    )


@pytest.mark.parametrize("weighed", [False, True])
def test_the_mean_of_a_slice_is_that_of_clustered_regression(weighed: bool) -> None:
    import statsmodels.api as sm

    rng = np.random.default_rng(4)
    values, mask, codes = rng.normal(size=900), rng.random(900) < 0.4, rng.integers(0, 80, 900)
    weight = rng.uniform(0.5, 2, 900) if weighed else np.ones(900)
    inside = mean_of_part(Units(weight, clusters_of(codes)), values, mask)
    fitted = sm.WLS(values[mask], np.ones(mask.sum()), weights=weight[mask]).fit(
        cov_type="cluster", cov_kwds={"groups": codes[mask]}
    )
    assert inside.value == pytest.approx(float(fitted.params[0]), abs=1e-12)
    assert inside.variance**0.5 == pytest.approx(float(fitted.bse[0]), rel=1e-9)
    assert inside.units == len(np.unique(codes[mask]))


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
