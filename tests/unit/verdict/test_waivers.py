"""Who may let a failing gate through, and for how long."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from mlops_ci.config import Waiver
from mlops_ci.records.results import GateResult
from mlops_ci.verdict import verdict_of, waive

DAY = date(2026, 12, 31)


def gate(metric: str = "recall", **other: Any) -> GateResult:
    told: dict[str, Any] = {"kind": "max-drop", "limit": 0.02, "quantity": "difference"}
    told |= {"verdict": "fail", "blocks": True, "reason": "broken", **other}
    return GateResult(metric=metric, **told)


def waiver(metric: str = "recall", **other: Any) -> Waiver:
    return Waiver(metric=metric, owner="ana", reason="labels are audited", until=DAY, **other)


def test_a_waived_gate_is_shown_and_does_not_block() -> None:
    waived = waive([gate(), gate("roc_auc", verdict="pass", blocks=False)], [waiver()], DAY)
    first, second = waived.gates
    assert (first.verdict, first.required, first.blocks) == ("fail", False, False)
    assert first.waived == "by ana until 2026-12-31: labels are audited"
    assert second.waived is None
    assert verdict_of(waived.gates) == "pass"
    assert waived.notes == ("recall is waived by ana until 2026-12-31: labels are audited",)


def test_after_its_last_day_it_is_ignored_and_said_to_be_over() -> None:
    waived = waive([gate()], [waiver()], DAY + timedelta(days=1))
    assert waived.gates == (gate(),)
    assert "ended on 2026-12-31: it is ignored" in waived.notes[0]


def test_when_nothing_is_left_nothing_is_called_a_pass() -> None:
    assert verdict_of(waive([gate()], [waiver()], DAY).gates) == "ungated"


@pytest.mark.parametrize(
    ("where", "asked", "covered"),
    [
        (None, None, True),
        ("region=north", "region=north", True),
        ("region=north", "region=*", True),
        ("region=north", "region=south", False),
        ("region=north", None, False),
        (None, "region=*", False),
        ("regions=north", "region=*", False),
    ],
)
def test_slices(where: str | None, asked: str | None, covered: bool) -> None:
    (judged,) = waive([gate(slice=where)], [waiver(slice=asked)], DAY).gates
    assert (judged.waived is not None) == covered


def test_kinds_names_and_gates_that_pass() -> None:
    assert waive([gate()], [waiver(kind="min")], DAY).gates[0].waived is None
    assert waive([gate("roc_auc")], [waiver("average_precision")], DAY).gates[0].waived is None
    assert waive([gate("roc_auc")], [waiver("roc_auc_score")], DAY).gates[0].waived is not None
    passing = gate(verdict="pass", blocks=False)
    assert waive([passing], [waiver()], DAY).gates == (passing,)
    advisory = gate(required=False, blocks=False)
    assert waive([advisory], [waiver()], DAY).notes == ()


def test_a_waiver_by_the_last_part_of_a_name() -> None:
    """A gate on `auc` is judged as `test.auc`, where the file has it so; two of them are none."""
    found = waive([gate("test.auc")], [waiver("auc")], DAY)
    assert not found.gates[0].blocks
    either = waive([gate("test.auc"), gate("train.auc")], [waiver("auc")], DAY)
    assert all(one.blocks for one in either.gates)
    other = waive([gate("roc_auc"), gate("train.auc")], [waiver("auc")], DAY)
    assert [one.blocks for one in other.gates] == [False, True]
