"""Sizes and times against main's past: 95 % of its own runs lie inside, and noise is no certainty."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from mlops_ci.config.model import Gate, GateKind, Policy
from mlops_ci.records import GateResult, MetricResult
from mlops_ci.verdict import judge
from mlops_ci.verdict.history import Past, compare_resource

POLICY = Policy()


def judged(result: MetricResult, kind: GateKind, limit: float, **more: Any) -> GateResult:
    gate = Gate(metric=result.metric, kind=kind, limit=limit, **more)
    return judge([result], [gate], POLICY).gates[0]


def test_it_is_the_prediction_interval_of_the_logarithms() -> None:
    """statsmodels' prediction of one more observation, on a log scale."""
    import statsmodels.api as sm

    past = [10.0, 12.0, 11.0, 9.5, 14.0, 10.5, 12.5]
    found = compare_resource("latency_ms", 13.0, Past(past), 0.95)
    fitted = sm.OLS(np.log(past), np.ones(7)).fit().get_prediction([1.0])
    low, high = fitted.conf_int(obs=True, alpha=0.05)[0]
    assert (found.base_low, found.base_high) == pytest.approx(
        (math.exp(low), math.exp(high)), rel=1e-12
    )
    base = math.exp(np.log(past).mean())
    assert found.base == pytest.approx(base, rel=1e-12)
    assert found.difference == pytest.approx(13 - base)
    # Head is as noisy as one of them: the factor between the two, turned round.
    assert found.low == pytest.approx(13 * base / math.exp(high) - base, abs=1e-9)
    assert found.high == pytest.approx(13 * base / math.exp(low) - base, abs=1e-9)
    assert (found.evidence, found.higher_is_better) == ("history", False)
    assert found.method == "prediction interval, 7 runs of main"


@pytest.mark.parametrize("runs", [5, 12, 60])
def test_a_model_that_costs_the_same_is_seldom_called_dearer(runs: int) -> None:
    rng = np.random.default_rng(runs)
    missed = 0
    for _ in range(2_000):
        times = np.exp(0.3 * rng.normal(size=runs + 1))
        found = compare_resource("training_seconds", times[-1], Past(list(times[:-1])), 0.95)
        missed += not float(found.low or 0) <= 0 <= float(found.high or 0)
    assert abs(missed / 2_000 - 0.05) < 3 * math.sqrt(0.05 * 0.95 / 2_000)


def test_gates_on_a_time() -> None:
    steady = Past([10, 10.1, 9.9, 10.05, 9.95, 10.0])
    same, slower = (compare_resource("latency_ms", at, steady, 0.95) for at in (10.1, 15.0))
    between = compare_resource("latency_ms", 11.9, steady, 0.95)
    verdicts = [judged(one, "max-drop-relative", 0.2).verdict for one in (same, between, slower)]
    assert verdicts == ["pass", "inconclusive", "fail"]
    assert judged(same, "max-drop-relative", 0.2).evidence == "history"
    assert judged(same, "max-drop-relative", 0.2).rows_needed is None
    assert judged(slower, "max", 20.0).verdict == "pass"
    assert judged(slower, "max", 12.0).verdict == "fail"


def test_a_size_is_exact() -> None:
    found = compare_resource("model_size_mb", 40.0, Past([30.0, 38.0], base=39.0), 0.95)
    assert (found.base, found.difference, found.low, found.high) == (39.0, 1.0, 1.0, 1.0)
    assert [judged(found, "max", limit).verdict for limit in (50.0, 40.0, 39.9)] == [
        "pass",
        "pass",
        "fail",
    ]
    assert judged(found, "max-drop-relative", 0.02).verdict == "fail"
    first = compare_resource("model_size_mb", 40.0, Past(), 0.95)
    assert (first.base, first.difference) == (None, None)
    assert judged(first, "max", 50.0).verdict == "pass"


def test_little_history_is_no_evidence() -> None:
    few = compare_resource("peak_memory_mb", 100.0, Past([99.0] * 4, base=98.0), 0.95)
    assert (few.base, few.low, few.evidence) == (98.0, None, "point")
    assert few.note == "4 runs of main, fewer than 5: no interval"
    gate = judged(few, "max-drop-relative", 0.2)
    assert (gate.verdict, gate.reason, gate.blocks) == ("inconclusive", "point", False)
    assert judged(few, "max-drop-relative", 0.2, accept="point").verdict == "pass"
    dearer = compare_resource("peak_memory_mb", 200.0, Past([], base=98.0), 0.95)
    assert judged(dearer, "max-drop-relative", 0.2).blocks


@pytest.mark.parametrize("past", [[5.0] * 6, [0.0, -1.0, math.nan, 3.0, 4.0, 5.0]])
def test_past_without_noise_or_sense_gives_no_interval(past: list[float]) -> None:
    found = compare_resource("training_seconds", 5.0, Past(past), 0.95)
    assert (found.low, found.evidence) == (None, "point")


@pytest.mark.parametrize("head", [None, math.nan, math.inf, 0.0, -1.0])
def test_what_was_not_measured_blocks(head: float | None) -> None:
    found = compare_resource("model_size_mb", head, Past([1.0] * 9), 0.95)
    assert found.head is None
    assert str(found.note).startswith("not measured")
    gate = judged(found, "max", 50.0)
    assert (gate.verdict, gate.blocks, gate.reason) == ("inconclusive", True, "missing-metric")


@pytest.mark.parametrize("name", ["latency_ms", "training_seconds", "peak_memory_mb"])
def test_nothing_is_done_in_no_time(name: str) -> None:
    found = compare_resource(name, 0.0, Past([1.0, 1.1, 0.9, 1.0, 1.2]), 0.95)
    gate = judged(found, "max", 50.0, accept="point")
    assert (found.head, gate.verdict, gate.blocks) == (None, "inconclusive", True)


def test_a_model_of_main_that_was_empty_is_nothing_to_compare_with() -> None:
    found = compare_resource("model_size_mb", 40.0, Past([38.0, 0.0], base=0.0), 0.95)
    assert found.base == 38.0
    gate = judged(compare_resource("model_size_mb", 40.0, Past([], 0.0), 0.95), "max-drop", 1.0)
    assert (gate.verdict, gate.blocks) == ("inconclusive", True)


def test_only_the_last_runs_count() -> None:
    rng = np.random.default_rng(0)
    late = list(np.exp(rng.normal(size=30)))
    one, other = (
        compare_resource("latency_ms", 1.0, Past([*early, *late]), 0.95) for early in ([], [900.0])
    )
    assert one == other
