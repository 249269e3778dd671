"""Rankings of rows with weights: scikit-learn's values, and what steps of scores may hide."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from mlops_ci.verdict.rows import Floats, Ints
from mlops_ci.verdict.weighted_ranks import (
    blur_of_area,
    blur_of_precision,
    weighted_area,
    weighted_precision,
)


def rows_of(seed: int, n: int) -> tuple[Floats, Ints, Floats]:
    rng = np.random.default_rng(seed)
    label = np.r_[0, 1, rng.integers(0, 2, n - 2)]
    score = np.clip(0.3 * label + 0.7 * rng.random(n), 0, 1)
    return score, label, rng.gamma(0.5, size=n) + 1e-3


def by_score(score: Floats, label: Ints, weight: Floats) -> tuple[Floats, Floats]:
    """Weight of the positive and of the negative rows of each score."""
    _, where = np.unique(score, return_inverse=True)
    rows = weight * label, weight * (1 - label)
    positive, negative = (np.bincount(where, weights=one).astype(np.float64) for one in rows)
    return positive, negative


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 200), digits=st.sampled_from([1, 2, 9]))
def test_values_are_those_of_scikit_learn(seed: int, n: int, digits: int) -> None:
    score, label, weight = rows_of(seed, n)
    score = score.round(digits)
    placed = by_score(score, label, weight)
    area = roc_auc_score(label, score, sample_weight=weight)
    assert weighted_area(*placed).value == pytest.approx(area, rel=1e-12, abs=1e-12)
    precision = average_precision_score(label, score, sample_weight=weight)
    assert weighted_precision(*placed).value == pytest.approx(precision, rel=1e-12)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(2, 200), steps=st.sampled_from([1, 3, 10, 50]))
def test_no_value_lies_farther_off_than_its_blur(seed: int, n: int, steps: int) -> None:
    score, label, weight = rows_of(seed, n)
    exact = by_score(score, label, weight)
    step = np.floor(score * steps)
    placed = by_score(step, label, weight)
    mixed = np.array([len(np.unique(score[step == one])) > 1 for one in np.unique(step)])
    off = abs(weighted_area(*placed).value - weighted_area(*exact).value)
    assert off <= blur_of_area(*placed, mixed) + 1e-12
    off = abs(weighted_precision(*placed).value - weighted_precision(*exact).value)
    assert off <= blur_of_precision(*placed, mixed, float(weight.min())) + 1e-12


def test_steps_of_one_score_hide_nothing() -> None:
    placed = by_score(*rows_of(1, 50))
    alone = np.zeros(len(placed[0]), dtype=np.bool_)
    assert blur_of_area(*placed, alone) == 0
    assert blur_of_precision(*placed, alone, 0.001) == 0
