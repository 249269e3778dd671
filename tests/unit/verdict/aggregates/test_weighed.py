"""Sums of weighted numbers: exact but for what lies far below the largest, in any order."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.verdict.aggregates.weighed import Tally

MOST = 1e3


@given(
    values=st.lists(st.floats(-MOST, MOST), min_size=1, max_size=60),
    seed=st.integers(0, 2**32 - 1),
    cut=st.integers(0, 60),
)
def test_sums_are_exact_and_neither_order_nor_cut_leaves_a_trace(
    values: list[float], seed: int, cut: int
) -> None:
    rng = np.random.default_rng(seed)
    numbers, where = np.array(values), rng.integers(0, 3, len(values))
    one, other = Tally(3, MOST), Tally(3, MOST)
    one.add(numbers, where)
    order = rng.permutation(len(values))
    for part in (order[:cut], order[cut:]):
        other.add(numbers[part], where[part])
    assert one.sums.tolist() == other.sums.tolist()
    for place in range(3):
        expected = math.fsum(numbers[where == place])
        assert one.sums[place] == pytest.approx(expected, rel=1e-15, abs=60 * MOST * 2.0**-55)


def test_whole_numbers_have_whole_sums() -> None:
    found = Tally(1, 7.0)
    for _ in range(3):
        found.add(np.arange(8.0))
    assert found.sums.tolist() == [84.0]


def test_a_heavy_one_leaves_light_ones_their_digits() -> None:
    light = np.full(1_000, 1e-9 / 3)
    found = Tally(1)
    found.add(np.array([1.0]))
    found.add(light)
    found.add(np.array([-1.0]))
    assert found.sums[0] == pytest.approx(1_000 * 1e-9 / 3, rel=1e-6)
