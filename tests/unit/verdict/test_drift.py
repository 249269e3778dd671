"""Drift: scipy is the oracle of the distances; order, shards and chunks change nothing."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from scipy.spatial.distance import jensenshannon

from mlops_ci.records.findings import ColumnDrift
from mlops_ci.verdict import distances
from mlops_ci.verdict.aggregates import histogram
from mlops_ci.verdict.aggregates.histogram import (
    CROWD,
    EXACT,
    Extent,
    Histogram,
    count_both,
    crowd_of,
    extent_of,
    ruler_for,
)
from mlops_ci.verdict.drift import CHI, KS, Column, Names, Values, count_names, measure_drift
from mlops_ci.verdict.rows import Floats

FINITE = st.floats(-1e6, 1e6, allow_nan=False)
SAMPLE = arrays(np.float64, st.integers(3, 60), elements=FINITE)
TIED = arrays(np.float64, st.integers(3, 60), elements=st.integers(-3, 3).map(float))
COUNTS = st.lists(st.tuples(st.integers(1, 500), st.integers(1, 500)), min_size=2, max_size=12)
ANY = st.one_of(FINITE, st.just(np.nan), st.just(np.inf))


def drift_of(base: Floats, head: Floats) -> ColumnDrift:
    (found,) = measure_drift({"x": Values(base, head)})
    return found


@given(st.one_of(st.tuples(SAMPLE, SAMPLE), st.tuples(TIED, TIED)))
def test_distances_of_numbers_are_those_of_scipy(sides: tuple[Floats, Floats]) -> None:
    found = drift_of(*sides)
    assert found.statistic == pytest.approx(
        stats.ks_2samp(*sides, method="asymp").statistic, abs=1e-9
    )
    apart = stats.wasserstein_distance(*sides)
    assert found.wasserstein == pytest.approx(apart, abs=1e-9, rel=1e-9)


@given(COUNTS)
def test_distances_of_counts_are_those_of_scipy(cells: list[tuple[int, int]]) -> None:
    base, head = np.array(cells).T
    p, q = base / base.sum(), head / head.sum()
    assert distances.jensen_shannon(base, head) == pytest.approx(
        jensenshannon(p, q, base=2), abs=1e-7
    )
    assert distances.jensen_shannon(base, head) ** 2 == pytest.approx(
        jensenshannon(p, q, base=2) ** 2, abs=1e-9
    )
    wanted = stats.chi2_contingency(np.stack([base, head]), correction=False)
    statistic, freedom = distances.chi_square(base, head)
    assert statistic == pytest.approx(wanted.statistic, abs=1e-9, rel=1e-9)
    assert distances.chi_square_p(statistic, freedom) == pytest.approx(wanted.pvalue, abs=1e-9)
    jeffreys = stats.entropy(p, q) + stats.entropy(q, p)
    assert distances.population_stability(base, head) == pytest.approx(jeffreys, abs=1e-9)


@pytest.mark.parametrize(("base", "head"), [(40, 60), (500, 2_000), (100_000, 30_000)])
def test_the_p_value_is_that_of_scipy(base: int, head: int) -> None:
    rng = np.random.default_rng(base)
    for shift in (0.0, 0.01, 0.2):
        sides = rng.normal(size=base), rng.normal(shift, size=head)
        wanted = stats.ks_2samp(*sides, method="asymp")
        ours = distances.kolmogorov_smirnov_p(wanted.statistic, base, head)
        assert ours == pytest.approx(wanted.pvalue, abs=0.02)


def columns_of_many() -> dict[str, tuple[Floats, Floats]]:
    rng = np.random.default_rng(4)
    n = EXACT
    normal = rng.normal(size=n), rng.normal(0.1, 1.1, size=n + 7)
    return {
        "even steps": normal,
        "whole": (np.rint(9 * normal[0]), np.rint(9 * normal[1])),
        "crowded": (np.exp(4 * normal[0]), np.exp(4 * normal[1])),
        "an outlier": (np.append(normal[0], 1e300), normal[1]),
        "both signs": (np.append(normal[0], -1.7e308), np.append(normal[1], 1.7e308)),
        "ties at 0": (np.where(normal[0] > 0, normal[0], 0.0), normal[1]),
        "denormal": (normal[0] * 1e-310, normal[1] * 1e-310),
    }


@pytest.mark.parametrize("name", list(columns_of_many()))
def test_many_values_are_measured_to_within_a_crowded_step(name: str) -> None:
    base, head = columns_of_many()[name]
    wanted = stats.ks_2samp(base, head, method="asymp").statistic
    found = drift_of(base, head)
    assert found.statistic is not None
    assert found.statistic <= wanted + 1e-9, "steps hide, they do not invent"
    assert found.statistic == pytest.approx(wanted, abs=1e-9 if name == "whole" else CROWD)
    assert found.drifts == (wanted > 0.15)


@pytest.mark.parametrize("name", ["even steps", "whole", "crowded"])
def test_the_mean_shift_of_many_values_is_that_of_scipy(name: str) -> None:
    base, head = columns_of_many()[name]
    wanted = stats.wasserstein_distance(base, head)
    assert drift_of(base, head).wasserstein == pytest.approx(wanted, rel=0.02)


@pytest.mark.parametrize("name", list(columns_of_many()))
def test_order_shards_and_chunks_change_nothing(name: str) -> None:
    base, head = columns_of_many()[name]
    rng = np.random.default_rng(0)
    assert drift_of(rng.permutation(base), rng.permutation(head)) == drift_of(base, head)
    whole = count_both(base, head)
    for rows in (777, 1 << 17):
        ruler = ruler_for(rng.permutation(base), head)
        merged = Histogram(np.zeros(len(ruler.low), np.int64), 0)
        for shard in np.array_split(base, 5):
            merged = merged.merged(ruler.count(shard, rows))
        if len(ruler.low) == len(whole.low):
            assert np.array_equal(merged.counts, whole.base.counts)
        else:  # even steps gave way to bins
            assert crowd_of(merged, ruler) > CROWD


@given(arrays(np.float64, st.integers(0, 200), elements=ANY), st.integers(1, 5))
def test_extents_merge(values: Floats, shards: int) -> None:
    merged = Extent()
    for shard in np.array_split(values, shards):
        merged = merged.merged(extent_of(shard, 3))
    assert merged == extent_of(values)


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.sampled_from(["whole", "even", "crowded", "points"]))
def test_every_value_lies_between_the_ends_of_its_mark(seed: int, kind: str) -> None:
    values = np.random.default_rng(seed).normal(size=3_000) * 10.0 ** (seed % 40 - 20)
    if kind == "whole":
        values = np.random.default_rng(seed).integers(-900, 900, 3_000).astype(float)
    ruler = {
        "whole": lambda: histogram._whole(-900, 900),
        "even": lambda: histogram._even(values.min(), values.max()),
        "crowded": lambda: histogram._crowded(values, values[:5]),
        "points": lambda: ruler_for(values),
    }[kind]()
    marks = ruler.mark_of(values)
    slack = 1e-9 * np.abs(values).max() if kind == "even" else 0.0
    assert (ruler.low[marks] - slack <= values).all()
    assert (values <= ruler.high[marks] + slack).all()
    used = np.unique(marks)
    assert (np.diff(ruler.low[used]) > 0).all()


def test_missing_values_are_a_cell_of_their_own() -> None:
    rng = np.random.default_rng(1)
    base, head = rng.normal(size=4_000), rng.normal(size=4_000)
    assert not drift_of(base, head).drifts
    head[rng.random(4_000) < 0.2] = np.nan
    found = drift_of(base, head)
    assert found.drifts
    assert (found.base_missing, found.head_missing) == (0.0, np.isnan(head).mean())
    assert found.statistic is not None
    assert found.statistic < 0.05, "of the numbers alone"
    gone = drift_of(base, np.full(10, np.nan))
    assert (gone.method, gone.wasserstein, gone.head_missing) == (CHI, None, 1.0)
    assert gone.note == "a side has no number in this column"


def test_without_rows_nothing_is_assessed() -> None:
    one = np.ones(3)
    found, other = measure_drift(
        {"x": Values(one, np.empty(0)), "y": (Names({}), Names({"a": 3}))},
    )
    assert (found.note, other.note) == ("head has no row", "base has no row")
    assert found.q is None
    assert not found.drifts


def test_names_are_tested_by_their_counts() -> None:
    codes = np.array([0] * 300 + [1] * 200 + [2] * 5)
    base = count_names(codes, ("(missing)", "a", "b"), missing="(missing)")
    assert base == Names({"a": 200, "b": 5}, 300)
    head = Names({"a": 400, "new": 100}, 10)
    (found,) = measure_drift({"region": (base, head)})
    assert (found.kind, found.method, found.drifts) == ("categorical", CHI, True)
    assert (found.base_rows, found.head_rows) == (505, 510)
    assert found.base_missing == pytest.approx(300 / 505)
    one, other = Names({"a": 150}, 300), Names({"a": 50, "b": 5})
    assert one.merged(other) == base == other.merged(one)


def test_a_constant_that_changed_has_drifted() -> None:
    found = drift_of(np.full(500, 5.0), np.full(400, 3.0))
    assert (found.method, found.statistic, found.wasserstein) == (KS, 1.0, 2.0)
    assert found.drifts


def test_sure_but_small_and_large_but_unsure_do_not_drift() -> None:
    rng = np.random.default_rng(2)
    sure = drift_of(rng.normal(size=200_000), rng.normal(0.03, size=200_000))
    assert sure.q is not None
    assert sure.psi is not None
    assert sure.q < 1e-3
    assert sure.psi < 0.01
    assert not sure.drifts
    unsure = drift_of(rng.normal(size=20), rng.normal(size=20))
    assert unsure.psi is not None
    assert unsure.psi > 0.1
    assert not unsure.drifts


def thirty(rng: np.random.Generator) -> Names:
    return count_names(rng.integers(0, 30, 80), tuple(map(str, range(30))))


def test_noise_in_many_columns_seldom_drifts() -> None:
    """Small samples, in which a PSI of 0.1 is common: the adjustment alone holds it back."""
    rng = np.random.default_rng(5)
    alarms = 0
    for _ in range(100):
        numbers: dict[str, Column] = {f"x{k}": Values(*rng.normal(size=(2, 80))) for k in range(10)}
        named: dict[str, Column] = {f"c{k}": (thirty(rng), thirty(rng)) for k in range(10)}
        alarms += any(one.drifts for one in measure_drift({**numbers, **named}))
    assert alarms <= 12  # 5 of 100, and three standard errors


def test_rare_names_are_pooled() -> None:
    base, head = distances.pool_rare(np.array([90, 1, 2, 1]), np.array([95, 0, 1, 2]))
    assert (base.sum(), head.sum()) == (94, 98)
    assert len(base) == 1
    same = np.array([50, 50]), np.array([40, 60])
    assert [side.tolist() for side in distances.pool_rare(*same)] == [[50, 50], [40, 60]]


def test_a_crowd_with_many_missing_values_takes_no_memory_with_the_rows() -> None:
    """They are left out chunk by chunk, and a chunk may be of nothing else."""
    rng = np.random.default_rng(3)
    rows = 3_000_000
    sides = [np.where(rng.random(rows) < 0.5, 1e-9, 1e6) * rng.normal(size=rows) for _ in range(2)]
    for side in sides:
        side[: rows // 4] = np.nan
        side[rng.random(rows) < 0.1] = np.nan
    tracemalloc.start()
    try:
        (found,) = measure_drift({"x": Values(sides[0], sides[1])})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 48e6
    there = [side[np.isfinite(side)] for side in sides]
    (alone,) = measure_drift({"x": Values(there[0], there[1])})
    assert found.statistic == pytest.approx(alone.statistic, abs=1e-12)
    assert found.base_missing == pytest.approx(0.325, abs=0.01)
