"""Bit-equal, within seed noise, or different, and why."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import t

from mlops_ci.cli.reproduce import describe
from mlops_ci.plan.likeness import NOTHING, Again, Reproduction, judged, reasons_between, seed_noise
from mlops_ci.records import Environment, Evaluation, Training
from mlops_ci.records.evaluation import Seeds, SeedValues
from mlops_ci.verdict import Noise, apart_by_luck

S = 0.002
NOISE: dict[tuple[str, str | None], Noise] = {("roc_auc", None): Noise(S**2, 4, 5)}
REACH = float(t.ppf(0.975, 4)) * S * math.sqrt(2)


def again(then: float | None, now: float | None, metric: str = "roc_auc") -> Again:
    return Again(metric=metric, slice=None, recorded=then, again=now, same=then == now)


def found(*metrics: Again, **other: Any) -> Reproduction:
    told: dict[str, Any] = {
        "model": "churn", "commit": "c" * 40, "metrics": metrics,
        "same": all(one.same for one in metrics), "predictions_same": False,
    }  # fmt: skip
    return Reproduction(**{**told, **other})


def test_near_enough_is_within_and_too_far_is_different() -> None:
    near = judged(found(again(0.9, 0.9 + 0.99 * REACH)), NOISE, 0.95)
    far = judged(found(again(0.9, 0.9 - 1.01 * REACH)), NOISE, 0.95)
    assert (near.same, near.within, far.within) == (False, True, False)
    assert near.metrics[0].noise == pytest.approx(REACH, rel=1e-9)
    assert near.metrics[0].trainings == 5
    assert "within seed noise: 0.9 then" in describe(near)
    assert "DIFFERS" in describe(far)


def test_without_noise_it_is_not_known() -> None:
    unknown = judged(found(again(0.9, 0.9001)), {}, 0.95)
    assert unknown.within is None
    assert "DIFFERS" in describe(unknown)
    assert "seed noise not measured" in describe(unknown)


def test_one_outside_or_unknown_decides_for_all() -> None:
    inside, outside = again(0.9, 0.9001), again(0.9, 0.8, "recall")
    wide = NOISE | {("recall", None): Noise(S**2, 4, 5)}
    assert judged(found(inside, outside), wide, 0.95).within is False
    assert judged(found(inside, again(0.9, 0.9, "recall")), wide, 0.95).within is True
    assert judged(found(inside, again(0.5, 0.6, "cost")), wide, 0.95).within is None
    assert judged(found(inside, again(0.5, None, "cost")), wide, 0.95).within is False


def test_the_level_is_shared_among_the_numbers() -> None:
    names = [f"m{i}" for i in range(10)]
    noise: dict[tuple[str, str | None], Noise] = {(name, None): Noise(S**2, 4, 5) for name in names}
    each = judged(found(*(again(0.9, 0.91, name) for name in names)), noise, 0.95).metrics
    expected = float(t.ppf(1 - 0.05 / 20, 4)) * S * math.sqrt(2)
    assert [one.noise for one in each] == pytest.approx([expected] * 10, rel=1e-9)


def test_bit_equal_needs_no_noise_and_no_reason() -> None:
    same = judged(found(again(0.9, 0.9), predictions_same=True), NOISE, 0.95)
    assert (same.same, same.within, same.reasons) == (True, None, ())
    assert "DIFFERS" not in describe(same)
    other = judged(found(again(0.9, 0.9), same=False), NOISE, 0.95)
    assert other.within is None
    assert other.reasons == (NOTHING,)


def test_nothing_recorded_stands_alone() -> None:
    alone = found(again(None, 0.9), same=None, predictions_same=None)
    assert judged(alone, NOISE, 0.95) == alone


def test_luck_alone_is_called_different_as_rarely_as_it_says() -> None:
    """Two trainings and five more to measure the noise by, thousands of times."""
    random = np.random.default_rng(7)
    runs, missed = 4000, 0
    for _ in range(runs):
        seeds = random.normal(0, 1, 5)
        then, now = random.normal(0, 1, 2)
        missed += abs(then - now) > apart_by_luck(Noise(float(seeds.var(ddof=1)), 4, 5), 0.95)
    assert abs(missed / runs - 0.05) < 4 * math.sqrt(0.05 * 0.95 / runs)


def test_seeds_that_came_to_the_same_are_no_noise() -> None:
    evaluation = Evaluation(
        model="churn", commit="c", evaluated="", seeds=Seeds(trainings=3, same=True)
    )
    assert seed_noise(evaluation) == {}
    assert seed_noise(None) == {}
    values = (SeedValues(metric="roc_auc", values=(0.9, 0.92)),)
    measured = Evaluation(
        model="churn", commit="c", evaluated="", seeds=Seeds(trainings=2, values=values)
    )
    assert seed_noise(measured)["roc_auc", None].variance == pytest.approx(0.0002)


def training(**other: Any) -> Training:
    told: dict[str, Any] = {
        "model": "churn", "commit": "c", "run_id": "r", "started": "", "duration_seconds": 1.0,
        "command": ["python train.py"], "data": {"data": "sha256:" + "a" * 64},
        "parameters": {"depth": 4}, "environment": Environment(python="3.12", platform="linux"),
    }  # fmt: skip
    return Training(**{**told, **other})


def test_what_differs_is_named() -> None:
    now = training(
        data={"data": "sha256:" + "b" * 64},
        parameters={"depth": 6, "rate": 0.1},
        environment=Environment(python="3.13", platform="linux"),
    )
    assert reasons_between(training(), now) == [
        "data data differs: sha256:aaaaaaaaaaaa then, sha256:bbbbbbbbbbbb now",
        "python: 3.12 then, 3.13 now",
        "parameter depth: 4 then, 6 now",
        "parameter rate: none then, 0.1 now",
    ]
    assert reasons_between(training(), training()) == []
    assert reasons_between(None, now) == []
    many = reasons_between(
        training(parameters={}), training(parameters=dict.fromkeys(map(str, range(30)), 1))
    )
    assert many[-1] == "10 more parameters differ"
