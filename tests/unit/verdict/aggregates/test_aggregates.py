"""However the rows are ordered, cut into chunks or into files: the same bits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci.config.model import Policy
from mlops_ci.verdict import PairedRows, compare_paired
from mlops_ci.verdict import part as part_module
from mlops_ci.verdict.aggregates import chunks, sums
from mlops_ci.verdict.aggregates.bins import bin_rank, lay_out
from mlops_ci.verdict.aggregates.cells import count_cells
from mlops_ci.verdict.aggregates.gaps import count_gaps
from mlops_ci.verdict.aggregates.order import bit_pattern, order_of, rank
from mlops_ci.verdict.aggregates.sums import (
    Grid,
    grid_of,
    mask_of,
    sum_chunk,
    sum_classes,
    sum_on,
    sums_of,
)
from mlops_ci.verdict.losses import LOSSES
from mlops_ci.verdict.means import Means
from mlops_ci.verdict.moments import moments_of
from mlops_ci.verdict.precision import average_precision
from mlops_ci.verdict.rows import Outputs, View, view_of
from tests.unit.verdict.rows_for_tests import (
    binary_rows,
    multiclass_rows,
    regression_rows,
    reordered,
)

SEEDS = st.integers(0, 2**32 - 1)
MAKERS = [binary_rows, multiclass_rows, regression_rows]


@given(seed=SEEDS, n=st.integers(2, 200), rows=st.integers(1, 70), scale=st.integers(-200, 200))
@settings(deadline=None)
def test_sums_do_not_know_order_chunks_or_shards(seed: int, n: int, rows: int, scale: int) -> None:
    rng = np.random.default_rng(seed)
    table = rng.normal(5, 3, size=(n, 2)) * 2.0**scale
    order, cut = rng.permutation(n), int(rng.integers(1, n))
    whole = sums_of(of(table), n)
    assert sums_of(of(table[order]), n, rows) == whole
    shards = [table[:cut], table[cut:]]
    grids = [grid_of(of(shard), len(shard)) for shard in shards]
    grid = grids[0].merged(grids[1])
    first, second = (sum_on(grid, of(shard), len(shard), rows) for shard in shards)
    assert first.merged(second) == second.merged(first) == whole


def of(table: Any) -> Callable[[slice], list[Any]]:
    return lambda part: [table[part, 0], table[part, 1]]


@given(seed=SEEDS, n=st.integers(2, 400), shift=st.sampled_from([0.0, 1e3, -1e6]))
@settings(deadline=None)
def test_moments_are_those_of_the_definition(seed: int, n: int, shift: float) -> None:
    table = np.random.default_rng(seed).gamma(0.7, size=(n, 2)) + np.array([shift, 0.0])
    found = moments_of(sums_of(of(table), n))
    mean = [math.fsum(column) / n for column in table.T]
    centred = table - mean
    np.testing.assert_allclose(found.mean, mean, rtol=1e-13)
    for gradient in (np.array([1.0, 0.0]), np.array([0.5, -2.0])):
        influence = np.einsum("nk,k->n", centred, gradient)
        for order in (2, 3, 4):
            truth, scale = (influence**order).mean(), (np.abs(influence) ** order).mean()
            assert found.power(gradient, order) == pytest.approx(truth, abs=1e-7 * scale + 1e-12)


@given(seed=SEEDS, order=st.integers(2, 4))
@settings(deadline=None)
def test_sums_by_class_are_those_of_each_class_alone(seed: int, order: int) -> None:
    rng = np.random.default_rng(seed)
    column, chosen = rng.uniform(-1, 1, 90), rng.random(90) < rng.random()
    grid = Grid((-1.0,), (1.0,))
    found = sum_classes(grid, column, mask_of(chosen), order)
    alone = (sum_chunk(grid, [column[rows]], order) for rows in (chosen, ~chosen))
    assert found == tuple(alone)


@pytest.mark.parametrize("apart", [1.0, 1e-7, 0.0])
@pytest.mark.parametrize("name", ["log_loss", "brier"])
def test_a_grid_from_beforehand_loses_no_digits(name: str, apart: float) -> None:
    """Sums in one pass, or where models hardly differ in a second one on a grid of their own."""
    rows, rng = binary_rows(4, n=3_000), np.random.default_rng(0)
    base = rows.base.score
    assert base is not None
    near = np.clip(base + apart * rng.uniform(-0.1, 0.1, 3_000), 1e-9, 1 - 1e-9)
    view = view_of(replace(rows, head=replace(rows.head, score=near)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sums, "MANY", 1_000)
        once = Means(LOSSES[name], view)
        twice = Means(replace(LOSSES[name], most=None), view)
    for weights in (np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.array([1.0, 1.0])):
        assert once.moments is not None
        assert twice.moments is not None
        for order in (2, 3):
            ours, truth = (one.moments.power(weights, order) for one in (once, twice))  # type: ignore[union-attr]
            scale = twice.moments.power(weights, 2) ** (order / 2)
            assert ours == pytest.approx(truth, abs=1e-8 * scale)
    np.testing.assert_allclose(once.value(1), twice.value(1), rtol=1e-12)


@given(seed=SEEDS, classes=st.sampled_from([2, 3, 5]), sides=st.integers(1, 2))
@settings(max_examples=20, deadline=None)
def test_cells_are_counted(seed: int, classes: int, sides: int) -> None:
    """By comparing bytes where cells are few, else in a table."""
    rng = np.random.default_rng(seed)
    columns = rng.integers(0, classes, (1 + sides, 60))
    outputs = tuple(Outputs(column) for column in columns[1:])
    names = tuple(map(str, range(classes)))
    found = count_cells(View("multiclass", names, columns[0], outputs, identical=False, positive=1))
    truth = Counter(map(tuple, columns.T.tolist()))
    assert dict(zip(map(tuple, found.codes.tolist()), found.counts.tolist(), strict=True)) == truth


def test_a_crowd_that_bins_cannot_resolve_is_sorted() -> None:
    """One far score takes the steps away from all others: without a sort the bound would be wide."""
    rng = np.random.default_rng(0)
    actual, score = rng.random(4_000) < 0.4, 0.5 + 1e-12 * rng.random(4_000)
    score[0] = 1e-300
    assert bin_rank(score, actual).blur == 0.0
    assert area(bin_rank(score, actual)) == area(rank(score, actual))


def test_sums_of_different_grids_do_not_add_up() -> None:
    one, other = (sums_of(of(np.full((3, 2), value)), 3) for value in (1.0, 9.0))
    with pytest.raises(ValueError, match="different grids"):
        one.merged(other)


@pytest.mark.parametrize("make", [binary_rows, multiclass_rows])
@given(seed=SEEDS)
@settings(max_examples=15, deadline=None)
def test_cells_and_gaps_merge(make: Callable[..., PairedRows], seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = make(seed % 50)
    n = len(rows.label)
    part = rng.random(n) < rng.random()
    part[:2] = [True, False]
    shuffled = view_of(reordered(rows, rng.permutation(n)))
    for count in (count_cells, count_gaps):
        whole, one, other = (count(view_of(rows, mask)) for mask in (None, part, ~part))
        for found in (one.merged(other), other.merged(one), count(shuffled)):  # type: ignore[arg-type]
            for name in ("codes", "counts") if count is count_cells else ("total", "product"):
                np.testing.assert_array_equal(getattr(found, name), getattr(whole, name))


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("binned", [False, True])
@given(seed=SEEDS, rows=st.sampled_from([7, 100, 1 << 16]))
@settings(max_examples=6, deadline=None)
def test_the_size_of_a_chunk_and_threads_change_nothing(
    make: Any, binned: bool, seed: int, rows: int
) -> None:
    data = make(seed % 20, n=1_100)
    shuffled = reordered(data, np.random.default_rng(seed).permutation(1_100))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(part_module, "BINNED", 0 if binned else 10**9)
        before = compare_paired(data, Policy())
        patch.setattr(chunks, "ROWS", rows)
        patch.setattr(chunks, "MANY", 0)
        patch.setattr(chunks, "MANY_CHUNKS", 0)
        assert compare_paired(shuffled, Policy()) == before


@given(
    st.lists(
        st.one_of(
            st.floats(allow_nan=False, allow_infinity=False),
            st.sampled_from([0.0, -0.0, 1.0, 5e-324, -5e-324, 1e308, -1e308]),
        ),
        min_size=1,
        max_size=60,
    )
)
@settings(deadline=None)
def test_bit_patterns_are_in_the_order_of_the_numbers(values: list[float]) -> None:
    score = np.array(values)
    bits = bit_pattern(score)
    for i, one in enumerate(values):
        np.testing.assert_array_equal(bits < bits[i], score < one)
    layout = lay_out(score)
    where = layout.bin_of(score)
    assert 0 <= where.min() <= where.max() < layout.bins
    assert (np.diff(where[np.argsort(score)]) >= 0).all()


@given(seed=SEEDS, kind=st.sampled_from(["uniform", "tied", "signed", "tiny", "two", "wide"]))
@settings(max_examples=20, deadline=None)
def test_counting_sorts_sort(seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    n = 70_000
    uniform = rng.random(n)
    score = {
        "uniform": uniform,
        "tied": np.round(uniform, 2),
        "signed": rng.normal(size=n),
        "tiny": np.where(uniform < 0.5, uniform * 1e-300, uniform),
        "two": (uniform < 0.5).astype(float),
        "wide": (uniform - 0.5) * 1e308,
    }[kind]
    order = order_of(score)
    assert (np.diff(score[order]) >= 0).all()
    np.testing.assert_array_equal(np.sort(order), np.arange(n))


@given(seed=SEEDS, digits=st.sampled_from([1, 2, 17]), skewed=st.booleans())
@settings(max_examples=25, deadline=None)
def test_the_bound_of_the_bins_holds(seed: int, digits: int, skewed: bool) -> None:
    """The AUC of the bins lies no further from the exact one than `blur` says."""
    rng = np.random.default_rng(seed)
    actual = rng.random(800) < 0.3
    actual[:2] = [True, False]
    score = np.round(rng.random(800) ** (8 if skewed else 1), digits)
    exact, binned = rank(score, actual), bin_rank(score, actual)
    assert abs(area(binned) - area(exact)) <= binned.blur + 1e-15
    assert binned.blur <= 0.5
    half = halved(binned)
    assert abs(area(half) - area(exact)) <= half.blur + 1e-15
    truth = average_precision(exact).value
    for bins in (binned, half):
        found = average_precision(bins)
        assert abs(found.value - truth) <= found.blur + 1e-12


def area(ranking: Any) -> float:
    pairs = int(ranking.positives.sum()) * int(ranking.negatives.sum())
    return int((ranking.below * ranking.positives).sum()) / 2 / pairs


def halved(ranking: Any) -> Any:
    """Every 40 neighbouring bins as one."""
    starts = np.arange(0, len(ranking.positives), 40)
    return type(ranking)(
        np.add.reduceat(ranking.positives, starts),
        np.add.reduceat(ranking.negatives, starts),
        lambda part: ranking.group_of(part) // 40,
        np.ones(len(starts), dtype=bool),
    )


@pytest.mark.parametrize("tied", [False, True])
def test_bins_say_what_the_sort_says(tied: bool) -> None:
    """Intervals of the same rows by both ways, but for the bound that the bins add. Scores of two
    digits are tied in their thousands: that is no doubt.
    """
    rows = binary_rows(3, n=30_000)
    if not tied:
        jitter = np.random.default_rng(0).random(30_000) / 100
        sides = [replace(side, score=side.score + jitter) for side in (rows.base, rows.head)]  # type: ignore[operator]
        rows = replace(rows, base=sides[0], head=sides[1])
    with pytest.MonkeyPatch.context() as patch:
        exact = {one.metric: one for one in compare_paired(rows, Policy())}
        patch.setattr(part_module, "BINNED", 0)
        binned = {one.metric: one for one in compare_paired(rows, Policy())}
    for name in ("roc_auc", "average_precision"):
        one, other = exact[name], binned[name]
        assert one.low is not None
        assert one.high is not None
        assert other.low is not None
        assert other.high is not None
        assert other.head == pytest.approx(one.head, abs=1e-4)
        length = one.high - one.low
        assert one.low - 0.1 * length < other.low <= one.low + 1e-3 * length, name
        assert one.high - 1e-3 * length <= other.high < one.high + 0.1 * length, name
