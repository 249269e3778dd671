"""What the rows did and what the model did add up, and each is what its own comparison says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mlops_ci.config.model import Policy
from mlops_ci.verdict import (
    Outputs,
    PairedRows,
    SingleRows,
    compare_paired,
    compare_single,
    compare_unpaired,
)
from mlops_ci.verdict.decomposition import decompose, measure_left_out

CLASSES = ("0", "1")
POLICY = Policy()


def answers(n: int, right: float, seed: int) -> tuple[NDArray[Any], Outputs]:
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, n)
    said = np.where(rng.random(n) < right, label, 1 - label)
    return label, Outputs(said, np.clip(0.5 + 0.3 * (2 * said - 1) + rng.normal(0, 0.05, n), 0, 1))


def single(label: NDArray[Any], outputs: Outputs) -> SingleRows:
    return SingleRows("binary", CLASSES, label, outputs)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 99), easy=st.floats(0.7, 0.95), hard=st.floats(0.6, 0.9))
def test_the_two_effects_are_the_whole_way(seed: int, easy: float, hard: float) -> None:
    before = single(*answers(400, easy, seed))
    label, base = answers(500, hard, seed + 1)
    assert base.prediction is not None
    _, other = answers(500, hard, seed + 2)
    assert other.prediction is not None
    head = Outputs(np.where(np.arange(500) % 7 == 0, other.prediction, base.prediction), base.score)
    judged = compare_paired(PairedRows("binary", CLASSES, label, base, head), POLICY)
    found = {one.metric: one for one in decompose(before, single(label, base), judged, POLICY)}
    assert set(found) <= {one.metric for one in judged}
    own = {one.metric: one.head for one in compare_single(before, POLICY)}
    apart = {m.metric: m for m in compare_unpaired(before, single(label, base), POLICY)}
    for result in judged:
        one = found[result.metric]
        assert (one.base_before, one.base_now, one.head) == (
            own[result.metric],
            result.base,
            result.head,
        )
        assert (one.model_effect, one.model_low, one.model_high) == (
            result.difference,
            result.low,
            result.high,
        )
        wide = apart[result.metric]
        assert (one.data_low, one.data_high) == (wide.low, wide.high)
        assert one.data_effect is not None
        assert one.model_effect is not None
        assert one.base_before is not None
        total = one.base_before + one.data_effect + one.model_effect
        assert total == pytest.approx(result.head, abs=1e-12)


def test_what_has_no_value_on_one_set_is_left_out() -> None:
    """The old rows have one class only: no ROC AUC there, so none is taken apart."""
    label, outputs = answers(300, 0.9, 1)
    ones = np.ones(300, dtype=np.int64)
    judged = compare_paired(PairedRows("binary", CLASSES, label, outputs, outputs), POLICY)
    found = {
        one.metric
        for one in decompose(single(ones, outputs), single(label, outputs), judged, POLICY)
    }
    assert "accuracy" in found
    assert "roc_auc" not in found


def test_rows_that_are_gone_beside_those_that_are_kept() -> None:
    label, outputs = answers(200, 0.5, 3)
    gone = single(label, Outputs(1 - label))
    kept = single(label, Outputs(label))
    found = measure_left_out(gone, kept, POLICY)
    assert (found.rows, found.metrics["accuracy"], found.kept["accuracy"]) == (200, 0.0, 1.0)
    paired = PairedRows("binary", CLASSES, label, Outputs(label), outputs)
    again = measure_left_out(gone, compare_paired(paired, POLICY), POLICY)
    assert again.kept["accuracy"] == 1.0
    assert measure_left_out(gone, (), POLICY).kept == {}
