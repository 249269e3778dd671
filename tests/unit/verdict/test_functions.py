"""A function of the user's: the jackknife's textbook form, 95 % that are 95 %, silence elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mlops_ci.config.model import Gate, Policy
from mlops_ci.records import MetricResult
from mlops_ci.verdict import Outputs, PairedRows, compare_paired, judge
from mlops_ci.verdict.functions import (
    Values,
    blocks_of,
    join_unpaired,
    measure_functions,
    parts_of,
    refusal,
)
from mlops_ci.verdict.intervals import student_quantile
from tests.unit.verdict.rows_for_tests import binary_rows, regression_rows, reordered, side_of

Function = Callable[..., float]
UP = {"f": True}


def accuracy(y: Any, p: Any) -> float:
    return float((y == p).mean())


def median_error(y: Any, p: Any) -> float:
    return float(np.median(np.abs(y - p)))


def asked(rows: Any, function: Function, blocks: Any) -> dict[tuple[str, str | None], Values]:
    """What the child process does."""
    sides: list[Any] = [rows.base, rows.head] if isinstance(rows, PairedRows) else [rows.outputs]
    found = {}
    for name, mask in parts_of(rows):
        chosen = np.ones(len(blocks), bool) if mask is None else mask
        if refusal(rows, Policy(), (name, mask)) is not None:
            continue
        weight = np.ones(len(blocks)) if rows.weight is None else rows.weight
        chosen = chosen & (weight > 0)
        left_out = [None, *np.unique(blocks[chosen])]
        kept = [chosen if b is None else chosen & (blocks != b) for b in left_out]
        more: list[tuple[Any, ...]] = [() if rows.weight is None else (weight[k],) for k in kept]
        values = [
            [
                function(rows.label[k], side.prediction[k], *w)
                for k, w in zip(kept, more, strict=True)
            ]
            for side in sides
        ]
        found["f", name] = Values(
            tuple(one[0] for one in values), tuple(tuple(one[1:]) for one in values)
        )
    return found


def measured(
    rows: Any, function: Function, hashes: Any = None, **policy: Any
) -> list[MetricResult]:
    blocks = blocks_of(rows, hashes)
    found = asked(rows, function, blocks)
    return list(measure_functions(rows, Policy(**policy), UP, found, blocks))


def hashes_of(n: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(0, 2**63, n).astype(np.uint64)


def test_the_variance_is_that_of_the_delete_m_jackknife() -> None:
    """Busing, Meijer & van der Leeden 1999, eq. (1) to (4), written out."""
    rows, hashes = regression_rows(1, n=1_000), hashes_of(1_000)
    blocks = blocks_of(rows, hashes)
    (values,) = asked(rows, median_error, blocks).values()
    (found,) = measured(rows, median_error, hashes)
    n, g = 1_000, len(np.unique(blocks))
    for at, shown in ((1, (found.head, found.head_low, found.head_high)),):
        theta, without = values.whole[at], values.without[at]
        sizes = np.bincount(blocks)
        estimate = g * theta - sum((1 - m / n) * t for m, t in zip(sizes, without, strict=True))
        terms = [
            (n / m * theta - (n / m - 1) * t - estimate) ** 2 / (n / m - 1)
            for m, t in zip(sizes, without, strict=True)
        ]
        se = math.sqrt(sum(terms) / g)
        half = student_quantile(0.95, g - 1) * se
        assert shown == pytest.approx((theta, theta - half, theta + half), abs=1e-9)
    assert found.method == f"delete-block jackknife, {g} blocks"
    assert found.higher_is_better


def test_of_a_mean_it_is_the_paired_interval() -> None:
    rows = binary_rows(2, n=6_000)
    (found,) = measured(rows, accuracy, hashes_of(6_000))
    known = next(one for one in compare_paired(rows, Policy()) if one.metric == "accuracy")
    assert found.base == pytest.approx(known.base)
    assert found.difference == pytest.approx(known.difference)
    assert found.se == pytest.approx(known.se, rel=0.25)


def weighted_accuracy(y: Any, p: Any, weight: Any) -> float:
    return float(np.average(y == p, weights=weight))


def test_of_a_weighted_mean_it_is_the_weighted_interval() -> None:
    """A block is as large as its weights; a row without weight is not there."""
    weight = np.exp(0.7 * np.random.default_rng(5).normal(size=6_000))
    weight[::7] = 0.0
    rows = replace(binary_rows(2, n=6_000), weight=weight)
    (found,) = measured(rows, weighted_accuracy, hashes_of(6_000))
    known = next(one for one in compare_paired(rows, Policy()) if one.metric == "accuracy")
    assert (found.base, found.difference) == pytest.approx((known.base, known.difference))
    assert found.n == known.n
    assert found.se == pytest.approx(known.se, rel=0.25)
    kept = weight > 0
    order = np.flatnonzero(kept)
    alone = replace(reordered(rows, order), weight=weight[order])
    (same,) = measured(alone, weighted_accuracy, hashes_of(6_000)[order])
    assert (same.low, same.high) == pytest.approx((found.low, found.high))


def test_a_weighted_function_covers() -> None:
    rng, missed, draws = np.random.default_rng(13), 0, 300
    for _ in range(draws):
        label = rng.normal(size=700)
        sides = [Outputs(label + rng.normal(size=700)) for _ in range(2)]
        weight = np.exp(0.5 * rng.normal(size=700))
        rows = PairedRows("regression", (), label, sides[0], sides[1], weight=weight)
        (one,) = measured(
            rows, lambda y, p, w: float(np.average(np.abs(y - p), weights=w)), rng.permutation(700)
        )
        assert one.low is not None
        assert one.high is not None
        missed += not one.low <= 0 <= one.high
    assert 4 <= missed <= draws * 0.05 + 3 * math.sqrt(draws * 0.05 * 0.95)


def test_weights_that_are_worth_few_rows_are_too_few() -> None:
    weight = np.where(np.arange(600) < 5, 1e6, 1.0)
    (found,) = measured(replace(binary_rows(6), weight=weight), weighted_accuracy)
    assert "worth 5 of equal weight" in str(found.note)
    assert found.head is None
    few = replace(binary_rows(6), group=np.arange(600) // 40)
    assert "15 groups, fewer than min-rows" in str(measured(few, accuracy)[0].note)


def test_it_covers() -> None:
    rng = np.random.default_rng(3)
    missed, draws = 0, 300
    for _ in range(draws):
        label = rng.normal(size=700)
        shared = rng.normal(size=700)
        sides = [Outputs(label + shared + 0.5 * rng.normal(size=700)) for _ in range(2)]
        rows = PairedRows("regression", (), label, sides[0], sides[1])
        (one,) = measured(rows, lambda y, p: float(np.abs(y - p).std()), rng.permutation(700))
        assert one.low is not None
        assert one.high is not None
        missed += not one.low <= 0 <= one.high
    assert 4 <= missed <= draws * 0.05 + 3 * math.sqrt(draws * 0.05 * 0.95)


@pytest.mark.parametrize("how", ["keys", "no keys", "groups"])
def test_blocks_know_keys_and_not_places(how: str) -> None:
    rows = binary_rows(4, n=900)
    hashes: Any = hashes_of(900) if how == "keys" else None
    if how == "groups":
        rows = replace(rows, group=np.arange(900) // 6)
    order = np.random.default_rng(1).permutation(900)
    (one,) = measured(rows, accuracy, hashes)
    mixed = reordered(rows, order)
    (other,) = measured(mixed, accuracy, None if hashes is None else hashes[order])
    assert one == other
    blocks = blocks_of(rows, hashes)
    assert 20 <= len(np.unique(blocks)) <= 100
    if how == "groups":
        assert all(len(set(blocks[i : i + 6])) == 1 for i in range(0, 900, 6))


def test_slices_and_gates() -> None:
    rows = binary_rows(5, n=2_000)
    part = np.arange(2_000) % 4 == 0
    few = np.arange(2_000) < 9
    sliced = replace(rows, slices={"part=a": part, "part=b": few, "part=c": part & ~part})
    found = {one.slice: one for one in measured(sliced, accuracy, hashes_of(2_000))}
    assert found["part=a"].n == 500
    assert found["part=a"].low is not None
    assert "9 rows, fewer than min-rows" in str(found["part=b"].note)
    assert found["part=c"].note == "no row is left"
    gate = Gate(metric="f", kind="max-drop", limit=0.5, slice="part=a")
    assert judge(found.values(), [gate], Policy()).verdict == "pass"


def refused(values: Values, rows: PairedRows | None = None) -> MetricResult:
    rows = rows or binary_rows(6)
    blocks = blocks_of(rows, None)
    (one,) = measure_functions(rows, Policy(), UP, {("f", None): values}, blocks)
    gates = [Gate(metric="f", kind="max-drop", limit=0.5), Gate(metric="f", kind="min", limit=-9)]
    judged = judge([one], gates, Policy())
    assert judged.verdict == "inconclusive"
    assert judged.blocks
    return one


def test_what_goes_wrong_is_not_assessed_and_blocks() -> None:
    blocks = len(np.unique(blocks_of(binary_rows(6), None)))
    good = ((0.1,) * blocks,) * 2
    assert "ValueError: no" in str(refused(Values(refused="ValueError: no")).note)
    assert "no answer" in str(refused(Values()).note)
    assert "NaN" in str(refused(Values((0.1, math.nan), good)).note)
    assert "without some rows" in str(refused(Values((0.1, 0.2), ((math.nan,) * blocks,) * 2)).note)
    assert "without some rows" in str(refused(Values((0.1, 0.2), ((0.1,),) * 2)).note)
    constant = refused(Values((0.1, 0.1), good))
    assert "too few blocks" in str(constant.note)
    assert constant.low is None
    told = "m.py:f: TypeError: rows have weights: give the function a parameter `weight`"
    assert told in str(refused(Values(refused=told)).note)


def test_equal_scores_move_no_function_and_equal_classes_tell_nothing() -> None:
    """A folder of a model may have another digest each time that it is written."""
    rows = binary_rows(7)
    alike = replace(rows, head=rows.base)
    (found,) = measured(alike, accuracy)
    assert (found.difference, found.low, found.high) == (0, 0, 0)
    assert (found.method, found.note) == ("equal answers", None)
    assert found.head_low is not None
    said = replace(rows.base, score=None)
    (found,) = measured(replace(alike, base=said, head=said), accuracy)
    assert (found.difference, found.low) == (0, None)
    assert "not assessed" in (found.note or "")


def test_identical_models_do_not_differ() -> None:
    rows = binary_rows(7, identical=True)
    (one,) = measured(replace(rows, head=rows.base), accuracy)
    assert (one.low, one.difference, one.high) == (0, 0, 0)


def test_two_samples_are_at_most_inconclusive() -> None:
    rows, other = binary_rows(8), binary_rows(9)
    base = measured(side_of(rows, "base"), accuracy)
    head = measured(side_of(other, "head"), accuracy)
    (one,) = join_unpaired(base, head)
    assert (one.base, one.head) == (base[0].head, head[0].head)
    assert one.low is not None
    assert one.low < float(one.difference or 0)
    gate = Gate(metric="f", kind="max-drop", limit=0.9)
    assert judge([one], [gate], Policy()).gates[0].reason == "unpaired"
    (alone,) = join_unpaired([], head)
    assert alone.base is None
