"""What would never work is refused before the training."""

from __future__ import annotations

import pytest

from mlops_ci.config import parse_config
from mlops_ci.errors import ConfigError
from mlops_ci.plan.foresight import foresee

TEXT = """
models:
  m:
    predictions: p.csv
    slices: [region]
    columns: {{values: [cost]}}
    contract: {{columns: {{age: {{max-null: 0}}}}}}
    gates: {{{gates}}}
    waivers: [{waivers}]
"""
WAIVED = "{{metric: {}, owner: ana, reason: audited, until: 2030-01-01{}}}"


def foreseen(gates: str, *waivers: str, more: str = "") -> None:
    text = TEXT.format(gates=gates, waivers=", ".join(waivers)) + more
    foresee("m", parse_config(text).models["m"])


def waiver(metric: str, more: str = "") -> str:
    return WAIVED.format(metric, more)


@pytest.mark.parametrize(
    "gate",
    [
        "accuracy: {max-drop: 2}",
        "auc: {max-drop: 1.5}",
        "recall@cat: {max-drop-relative: 2}",
        "f1_macro: {min: 80}",
        "accuracy: {max: -1}",
        "mcc: {max-drop: 3}",
        "mcc: {min: -2}",
        "ece: {max: 3}",
        "specificity: {min: 3}",
    ],
)
def test_a_gate_that_can_decide_nothing_is_refused(gate: str) -> None:
    with pytest.raises(ConfigError, match="can decide nothing"):
        foreseen(gate)


@pytest.mark.parametrize(
    "gate",
    [
        "accuracy: {max-drop: 1}",
        "mcc: {max-drop: 1.5, min: -0.5}",
        "rmse: {max-drop: 20, max: 300}",
        "r2: {min: -3}",
        "neg_log_loss: {min: -2}",
        "log_loss: {max: 4, max-drop: 2}",
        "cost: {max-drop: 12}",
        "latency_ms: {max: 50, max-drop-relative: 2}",
        "leakage: {max: 0}",
    ],
)
def test_a_gate_that_may_decide_is_none(gate: str) -> None:
    foreseen(gate)


def test_percent_are_told_how_to_be_written() -> None:
    with pytest.raises(ConfigError) as caught:
        foreseen("accuracy: {max-drop: 2}")
    assert "gates: {accuracy: {max-drop: 0.02}}" in caught.value.fix


def test_a_file_may_hold_percent() -> None:
    foreseen("accuracy: {max-drop: 2}", more="    metrics: m.json\n")


@pytest.mark.parametrize(
    ("waiver_", "gates"),
    [
        (waiver("auc"), "roc_auc: {max-drop: 0.1}"),
        (waiver("roc_auc", ", kind: min"), "roc_auc: [{max-drop: 0.1}, {min: 0.5}]"),
        (waiver("f1", ", slice: region=north"), "f1: {max-drop: 0.1, slice: region=*}"),
        (waiver("f1", ", slice: region=*"), "f1: {max-drop: 0.1, slice: region=north}"),
        (waiver("contract"), ""),
        (waiver("contract:age"), ""),
    ],
)
def test_a_waiver_of_a_gate(waiver_: str, gates: str) -> None:
    foreseen(gates, waiver_)


@pytest.mark.parametrize(
    "waiver_",
    [
        waiver("roc_auk"),
        waiver("f1"),
        waiver("roc_auc", ", slice: region=north"),
        waiver("roc_auc", ", kind: min"),
        waiver("contract:income"),
        waiver("robustness"),
    ],
)
def test_a_waiver_of_no_gate_is_refused(waiver_: str) -> None:
    with pytest.raises(ConfigError, match="no gate of m is on"):
        foreseen("roc_auc: {max-drop: 0.1}", waiver_)


def test_the_size_of_no_image() -> None:
    foreseen("image_size_mb: {max: 500}", more="    image: ghcr.io/acme/m\n")
    with pytest.raises(ConfigError, match="no `image:` is built"):
        foreseen("image_size_mb: {max: 500}")
