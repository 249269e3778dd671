"""Head against main's records: of the same rows, and of rows that are mostly the same."""

from __future__ import annotations

import pytest

from mlops_ci.config.model import Gate, Policy
from mlops_ci.records import MetricResult
from mlops_ci.verdict import Compared, Judgement, Uncommon, judge
from mlops_ci.verdict.structs import replaced

FEWER, MORE = Uncommon(unscored=10), Uncommon(added=10)
GATE = Gate(metric="accuracy", kind="max-drop", limit=0.02, max_total_drop=0.03)


def result(change: float, metric: str = "accuracy", *, up: bool = True) -> MetricResult:
    return MetricResult(
        metric=metric, base=0.9, head=0.9 + change, difference=change, low=change - 0.005,
        high=change + 0.005, n=1000, se=0.0025, evidence="paired", higher_is_better=up,
        base_low=0.88, base_high=0.92,
    )  # fmt: skip


def held(*records: Compared | MetricResult, policy: str = "estimate") -> Judgement:
    settings = Policy(on_inconclusive=policy)  # type: ignore[arg-type]
    return judge([result(0.0)], [GATE], settings, anchor=records)


@pytest.mark.parametrize(
    ("same", "other", "verdict", "reason", "estimate", "blocks"),
    [
        (-0.01, None, "pass", "holds", -0.01, False),
        (-0.01, 0.01, "pass", "holds", -0.01, False),
        # It holds on the rows in common, and there it is worse: so it is told.
        (-0.01, -0.02, "pass", "holds", -0.02, False),
        (-0.01, -0.028, "inconclusive", "straddles", -0.028, False),
        (-0.01, -0.032, "inconclusive", "straddles-beyond", -0.032, True),
        (-0.01, -0.05, "fail", "broken", -0.05, True),
        (-0.05, -0.06, "fail", "broken", -0.06, True),
        (-0.05, -0.01, "fail", "broken", -0.05, True),
        # Rows in common alone pass nothing.
        (None, -0.01, "inconclusive", "unscored", -0.01, False),
        (None, -0.05, "fail", "broken", -0.05, True),
    ],
)  # fmt: skip
def test_the_worse_of_both_decides_and_an_overlap_alone_passes_nothing(
    same: float | None,
    other: float | None,
    verdict: str,
    reason: str,
    estimate: float,
    blocks: bool,
) -> None:
    records = [Compared(result(same))] if same is not None else []
    records += [Compared(result(other), FEWER)] if other is not None else []
    gate = held(*records).gates[-1]
    assert (gate.against, gate.limit) == ("anchor", 0.03)
    assert (gate.verdict, gate.reason, gate.blocks) == (verdict, reason, blocks)
    assert gate.estimate == pytest.approx(estimate)


def test_of_several_of_a_kind_head_is_held_against_the_one_that_it_is_worst_against() -> None:
    found = held(Compared(result(0.01), MORE), Compared(result(-0.05), FEWER), result(-0.01))
    assert found.gates[-1].estimate == pytest.approx(-0.05)
    down = Gate(metric="log_loss", kind="max-drop", limit=0.02, max_total_drop=0.03)
    records = [result(0.05, "log_loss", up=False), result(0.01, "log_loss", up=False)]
    found = judge([result(0.0, "log_loss", up=False)], [down], Policy(), anchor=records)
    assert found.gates[-1].estimate == pytest.approx(0.05)
    assert found.gates[-1].blocks


def test_the_policy_on_what_is_undecided_holds_here_as_well() -> None:
    record = Compared(result(-0.01), MORE)
    assert held(record, policy="fail").blocks
    assert not held(record, policy="warn").blocks
    assert held(Compared(result(-0.05), MORE), policy="warn").blocks


def test_a_size_is_held_and_a_time_is_not() -> None:
    gates = [
        Gate(metric=name, kind="max-drop", limit=1.0, max_total_drop=1.5)
        for name in ("model_size_mb", "latency_ms")
    ]
    sizes = [
        MetricResult(
            metric=gate.metric, base=1.0, head=3.0, difference=change, low=change, high=change,
            evidence="history", higher_is_better=False,
        )
        for gate, change in zip(gates, (0.5, 0.5), strict=True)
    ]  # fmt: skip
    best = MetricResult(
        metric="model_size_mb", base=1.0, head=3.0, difference=2.0, low=2.0, high=2.0,
        evidence="history", higher_is_better=False,
    )  # fmt: skip
    found = judge(sizes, gates, Policy(), anchor=[best])
    assert [(one.metric, one.verdict) for one in found.gates if one.against == "anchor"] == [
        ("model_size_mb", "fail")
    ]
    assert found.notes == ()


def test_of_every_value_of_a_column_those_without_a_record_are_told() -> None:
    """But not the one that base does not have either: no gate speaks of it."""
    wild = replaced(GATE, slice="region=*")
    names = ("north", "south", "west")
    now = [replaced(result(0.0), slice=f"region={name}") for name in names]
    now[2] = replaced(now[2], base=None, difference=None, low=None, high=None)
    record = Compared(replaced(result(-0.01), slice="region=north"))
    found = judge([result(0.0), *now], [wild], Policy(), anchor=[record])
    assert [one.slice for one in found.gates if one.against == "anchor"] == ["region=north"]
    (said,) = found.notes
    assert "no accuracy of region=south" in said
