"""Weak slices and fairness of rows that are gone: what the rows themselves say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci.config.model import Policy
from mlops_ci.records.findings import WeakSlice
from mlops_ci.verdict import (
    PairedRows,
    compare_counted_fairness,
    compare_fairness,
    find_weak_merged,
    find_weak_slices,
)
from mlops_ci.verdict.aggregates import cube as cube_module
from mlops_ci.verdict.aggregates.cube import Cube, count_cube
from mlops_ci.verdict.aggregates.scale import SLICE
from mlops_ci.verdict.aggregates.sufficient import Cut, Sufficient
from mlops_ci.verdict.rows import Mask, view_of
from tests.unit.verdict.aggregates.test_sufficient import question_of, state_of
from tests.unit.verdict.rows_for_tests import binary_rows, multiclass_rows, regression_rows
from tests.unit.verdict.test_weak import rows as planted

SEEDS = st.integers(0, 2**32 - 1)
COLUMNS = {"region": 3, "plan": 2, "age": 4}


def columns_of(rows: PairedRows) -> list[Cut]:
    """The masks of the rows as columns of slices."""
    names: dict[str, list[str]] = {}
    for name in sorted(rows.slices):
        names.setdefault(name.partition("=")[0], []).append(name)
    return [
        Cut(tuple(found), np.asarray(sum(at * rows.slices[one] for at, one in enumerate(found))))
        for found in names.values()
    ]


def counted(rows: PairedRows, parts: Any = None) -> Sufficient:
    cuts = columns_of(rows)
    names = [name for cut in cuts for name in cut.names]
    found = Sufficient.empty(question_of(rows), names, SLICE)
    every: Any = [np.arange(len(rows.label))] if parts is None else parts
    for part in every:
        found.add(view_of(rows).part(part), [Cut(cut.names, cut.codes[part]) for cut in cuts])
    return found


def sliced(rows: PairedRows, seed: int) -> PairedRows:
    rng = np.random.default_rng(seed)
    slices: dict[str, Mask] = {}
    for column, values in COLUMNS.items():
        codes = rng.integers(0, values, len(rows.label))
        slices |= {f"{column}={at}": codes == at for at in range(values)}
    return replace(rows, slices=slices)


def alike(found: tuple[WeakSlice, ...], of_rows: tuple[WeakSlice, ...]) -> bool:
    """The same findings; of sums of floats to rounding."""
    return [replaced(one) for one in found] == [replaced(one) for one in of_rows]


def replaced(one: WeakSlice) -> tuple[Any, ...]:
    told = one.slice, one.n, one.worse, one.worse_of_all, one.better, one.tried
    return *told, pytest.approx(one.loss, rel=1e-9), pytest.approx(one.q, rel=1e-9)


@pytest.mark.parametrize("task", ["binary", "regression"])
@pytest.mark.parametrize("harm", [0.0, 0.1, 0.3])
def test_weak_slices_are_those_of_the_rows(task: str, harm: float) -> None:
    rows = planted(3, harm=harm, task=task)
    found = find_weak_merged(counted(rows), Policy())
    assert alike(found, find_weak_slices(rows, Policy()))
    assert bool(found) == (harm > 0)


def test_findings_that_share_their_rows_are_one() -> None:
    rows = planted(5, n=8_000, harm=0.5)
    rng = np.random.default_rng(0)
    coastal = rows.slices["region=north"] & (rng.random(8_000) < 0.95)
    slices = {**rows.slices, "coast=yes": coastal, "coast=no": ~coastal}
    rows = replace(rows, slices=slices)
    found = find_weak_merged(counted(rows), Policy())
    assert alike(found, find_weak_slices(rows, Policy()))


@given(seed=SEEDS, make=st.sampled_from([binary_rows, multiclass_rows, regression_rows]))
@settings(deadline=None, max_examples=12)
def test_neither_order_nor_chunks_nor_shards_leave_a_trace(seed: int, make: Any) -> None:
    rows = sliced(make(seed, 400), seed)
    rng = np.random.default_rng(seed)
    parts = np.array_split(rng.permutation(400), 5)
    whole, merged = counted(rows), counted(rows, parts[:2])
    merged.merge(counted(rows, parts[2:]))
    assert whole.cube is not None
    assert merged.cube is not None
    assert state_of(merged.cube) == state_of(whole.cube)
    assert find_weak_merged(merged, Policy()) == find_weak_merged(whole, Policy())
    assert alike(find_weak_merged(whole, Policy()), find_weak_slices(rows, Policy()))


def test_changes_of_any_size_are_summed() -> None:
    rng = np.random.default_rng(1)
    rows = sliced(regression_rows(1, 1_000), 1)
    assert rows.base.prediction is not None
    assert rows.head.prediction is not None
    far = rows.head.prediction * 10.0 ** rng.integers(-6, 7, 1_000)
    rows = replace(rows, head=replace(rows.head, prediction=far))
    parts = np.array_split(rng.permutation(1_000), 9)
    found = counted(rows, parts).cube
    assert found is not None
    change = np.abs(far - rows.label) - np.abs(rows.base.prediction - rows.label)
    for name, mask in found.masks().items():
        first, second = (one[mask].sum() for one in found.changes)
        inside = change[rows.slices[name]]
        assert first == pytest.approx(inside.sum(), abs=1e-14 * found.reach * len(inside))
        squares = (inside * inside).sum()
        assert second == pytest.approx(squares, abs=1e-14 * found.reach**2 * len(inside))


def test_too_many_combinations_are_told_whoever_counts_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cube_module, "MOST", 10)
    rows = sliced(binary_rows(1, 400), 1)
    for parts in (None, np.array_split(np.arange(400), 50)):
        found = counted(rows, parts)
        assert found.cube is not None
        assert found.cube.lost
        assert find_weak_merged(found, Policy()) == ()


def test_more_combinations_than_64_bits_tell_apart_are_not_counted() -> None:
    rows = view_of(binary_rows(1, 5))
    columns = tuple(tuple(f"c{at}={n}" for n in range(200)) for at in range(9))
    found = count_cube(rows, columns, [np.zeros(5, dtype=np.int64)] * 9)
    assert found.lost


@pytest.mark.parametrize("min_rows", [30, 220])
@pytest.mark.parametrize("column", ["region", "plan", "age"])
def test_fairness_is_that_of_the_rows(column: str, min_rows: int) -> None:
    rows = sliced(binary_rows(2, 900), 2)
    policy = Policy(min_rows=min_rows)
    found = counted(rows, np.array_split(np.arange(900), 4))
    assert compare_counted_fairness(found, policy, [column]) == compare_fairness(
        rows, policy, [column]
    )


def test_fairness_where_it_is_not_defined() -> None:
    rows = sliced(multiclass_rows(2, 900), 2)
    asked = ["region", "nothing"]
    assert compare_counted_fairness(counted(rows), Policy(), asked) == compare_fairness(
        rows, Policy(), asked
    )


def test_identical_models_have_neither_weak_slices_nor_a_change() -> None:
    rows = replace(sliced(binary_rows(2, 900), 2), identical=True)
    rows = replace(rows, head=rows.base)
    found = counted(rows)
    found.identical = True
    assert find_weak_merged(found, Policy()) == ()
    assert compare_counted_fairness(found, Policy(), ["plan"]) == compare_fairness(
        rows, Policy(), ["plan"]
    )


def test_other_columns_do_not_merge() -> None:
    one, other = (
        Cube(((name,),), np.zeros(1, dtype=np.int64), np.ones((1, 3), dtype=np.int64))
        for name in ("a=1", "b=1")
    )
    with pytest.raises(ValueError, match="other slices"):
        one.merged(other)
