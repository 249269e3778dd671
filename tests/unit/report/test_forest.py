"""The picture is the rule: what it shows is what the verdict decided."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mlops_ci.config.model import Gate, Policy
from mlops_ci.records import GateResult, MetricResult
from mlops_ci.report.forest import LIMIT, WIDTH, ZERO, draw_gate, draw_metric, legend
from mlops_ci.verdict import Uncommon, judge

SOLID = "├─●┤◀▶"
# What floats round is neither a change nor a width (`reading.ROUNDING`).
values = st.floats(-1.0, 1.0, allow_nan=False).map(lambda value: round(value, 12))
widths = st.floats(0.0, 2.0, allow_nan=False).map(lambda value: round(value, 12))
margins = st.one_of(st.just(0.0), st.floats(1e-6, 0.5))


def judged(result: MetricResult, gate: Gate, **other: Any) -> GateResult:
    return judge([result], [gate], Policy(), **other).gates[0]


def result(
    difference: float, below: float, above: float, *, up: bool = True, **other: Any
) -> MetricResult:
    fields: dict[str, Any] = {
        "metric": "roc_auc" if up else "log_loss",
        "base": 0.5,
        "head": 0.5 + difference,
        "difference": difference,
        "low": difference - below,
        "high": difference + above,
        "se": (below + above) / 4,
        "n": 100,
        "evidence": "paired",
        "higher_is_better": up,
    }
    return MetricResult(**{**fields, **other})


def said_by(picture: str) -> str:
    """What a reader sees who knows nothing but the rule."""
    drawn = [at for at, cell in enumerate(picture) if cell in SOLID]
    if not drawn:
        return "nothing"
    if drawn[0] > LIMIT:
        return "pass"
    return "fail" if drawn[-1] < LIMIT else "inconclusive"


@given(values, widths, widths, margins, st.booleans())
def test_drop(change: float, below: float, above: float, margin: float, up: bool) -> None:
    found = result(change, below, above, up=up)
    gate = judged(found, Gate(metric=found.metric, kind="max-drop", limit=margin))
    picture = draw_gate(gate, found)
    assert len(picture) == WIDTH
    assert said_by(picture) == gate.verdict
    assert picture[LIMIT] == "┊"


@given(values, widths, widths, st.floats(0.001, 0.5), st.booleans())
def test_relative_drop(change: float, below: float, above: float, margin: float, up: bool) -> None:
    found = result(change, below, above, up=up, base_low=0.3, base_high=0.6)
    gate = judged(found, Gate(metric=found.metric, kind="max-drop-relative", limit=margin))
    assert said_by(draw_gate(gate, found)) == gate.verdict


@given(values, widths, widths, values, st.sampled_from(["min", "max"]), st.booleans())
def test_floor_and_ceiling(
    own: float, below: float, above: float, limit: float, kind: Any, first: bool
) -> None:
    found = result(
        0.0, 0.1, 0.1, head=own, head_low=own - below, head_high=own + above,
        base=None if first else 0.3,
    )  # fmt: skip
    gate = judged(found, Gate(metric="roc_auc", kind=kind, limit=limit))
    picture = draw_gate(gate, found)
    assert len(picture) == WIDTH
    assert said_by(picture) == gate.verdict
    assert picture[LIMIT] == "┊"


@given(values, widths, st.floats(0.001, 0.5))
def test_better_reads_rightwards_whatever_the_metric(
    change: float, width: float, margin: float
) -> None:
    up, down = result(change, width, width), result(-change, width, width, up=False)
    pictures = [
        draw_gate(judged(one, Gate(metric=one.metric, kind="max-drop", limit=margin)), one)
        for one in (up, down)
    ]
    assert pictures[0] == pictures[1]


@given(values, st.floats(0.001, 2.0))
def test_without_a_gate_the_side_of_no_change_is_true(change: float, width: float) -> None:
    assume(change != 0)
    found = result(change, width, width)
    picture = draw_metric(found)
    assert len(picture) == WIDTH
    assert "┊" not in picture
    assert "░" not in picture
    drawn = [at for at, cell in enumerate(picture) if cell in SOLID]
    assert (drawn[0] > ZERO) == (found.low is not None and found.low > 0)
    assert (drawn[-1] < ZERO) == (found.high is not None and found.high < 0)


def test_a_number_without_rows_is_no_interval() -> None:
    found = result(0.2, 0, 0, evidence="point", low=None, high=None)
    gate = judged(found, Gate(metric="roc_auc", kind="max-drop", limit=0.1))
    assert said_by(draw_gate(gate, found)) == "nothing"
    assert "○" in draw_gate(gate, found)


@pytest.mark.parametrize(
    ("evidence", "uncommon"), [("unpaired", (0, 0)), ("paired", (3, 0)), ("paired", (0, 3))]
)
def test_what_cannot_decide_is_not_solid(evidence: str, uncommon: tuple[int, int]) -> None:
    found = result(0.2, 0.1, 0.1, evidence=evidence)
    limit = Gate(metric="roc_auc", kind="max-drop", limit=0.1)
    gate = judged(found, limit, uncommon=Uncommon(*uncommon))
    assert gate.verdict == "inconclusive"
    picture = draw_gate(gate, found)
    assert "╌" in picture
    assert "─" not in picture


def test_nothing_measured_shows_the_limit_alone() -> None:
    gate = judge([], [Gate(metric="roc_auc", kind="min", limit=0.5)], Policy()).gates[0]
    assert draw_gate(gate, None) == "░░░░░░┊" + " " * 15


@pytest.mark.parametrize(
    ("change", "half", "picture"),
    [
        (0.015, 0.006, "░░░░░░┊    │    ├──●─▶"),
        (-0.003, 0.004, "░░░░░░┊ ├─●─┤         "),
        (-0.004, 0.017, "├─────┊──●────────┤   "),
        (-0.064, 0.021, "◀●░░░░┊    │          "),
        (-0.018, 0.004, "├─●─┤░┊    │          "),
        (-0.018, 0.0075, "◀─●──┤┊    │          "),
        (0.0, 0.0, "░░░░░░┊    ●          "),
    ],
)
def test_examples(change: float, half: float, picture: str) -> None:
    found = result(change, half, half)
    gate = judged(found, Gate(metric="roc_auc", kind="max-drop", limit=0.01))
    assert draw_gate(gate, found) == picture


def test_the_legend_stands_over_the_columns() -> None:
    assert legend()[LIMIT] == "┊"
    assert legend()[ZERO] == "│"
    assert legend(gated=False)[ZERO] == "│"
    assert len(legend()) == len(legend(gated=False)) == WIDTH
