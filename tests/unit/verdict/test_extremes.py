"""Whoever is worst by luck: the bounds of a largest hold, and those of its change."""

from __future__ import annotations

import numpy as np
import pytest

from mlops_ci.verdict.extremes import Estimates, largest_rose
from mlops_ci.verdict.rows import Floats

SAMPLES, DRAWS = 400, 400
MOST = 0.025 + 3 * (0.025 * 0.975 / SAMPLES) ** 0.5


def estimates(true: Floats, rng: np.random.Generator, noise: Floats) -> Estimates:
    return Estimates(true + rng.normal(size=len(true)), noise)


@pytest.mark.parametrize(
    ("base", "head"),
    [
        ([0.0, 0.0, 0.0, 0.0], [4.0, 0.0, 0.0, 0.0]),  # one group fell off
        ([4.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]),
        ([0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]),
        ([4.0, 0.0, 0.0, 0.0], [0.0, 4.0, 0.0, 0.0]),  # another one is worst
    ],
)
def test_no_end_misses_too_often(base: list[float], head: list[float]) -> None:
    rng = np.random.default_rng(7)
    truth = np.array(base), np.array(head)
    missed = np.zeros(4)
    for _ in range(SAMPLES):
        before, after = (estimates(one, rng, rng.normal(size=(DRAWS, 4))) for one in truth)
        own = after.largest(0.95)
        change = largest_rose(before, after, 0.95)
        highest, rise = max(head), max(head) - max(base)
        missed += (own[0] > highest, own[1] < highest, change[0] > rise, change[1] < rise)
    assert (missed / SAMPLES <= MOST).all(), missed


def test_where_one_is_far_above_it_is_that_ones_interval() -> None:
    rng = np.random.default_rng(8)
    errors = rng.normal(size=(4_000, 3))
    low, high = Estimates(np.array([50.0, 0.0, 0.0]), errors).largest(0.95)
    assert (low, high) == pytest.approx((50 - 1.96, 50 + 1.96), abs=0.1)


def test_of_nothing_there_is_every_share() -> None:
    none = Estimates(np.zeros(0), np.zeros((10, 0)))
    assert none.largest(0.95) == (0.0, 1.0)
    assert largest_rose(none, none, 0.95) == (-1.0, 1.0)
