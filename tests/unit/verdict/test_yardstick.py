"""Who is measured cannot move the yardstick."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_ci.config.model import Gate, Policy
from mlops_ci.records import MetricResult
from mlops_ci.verdict import judge, merge_gates, merge_yardsticks, slice_changes
from mlops_ci.verdict.yardstick import path_changes


def gate(limit: float = 0.01, **more: Any) -> Gate:
    return Gate(**{"metric": "roc_auc", "kind": "max-drop", "limit": limit, **more})


def test_equal_gates_are_judged_once() -> None:
    gates, changes = merge_gates([gate(), gate()], [gate(metric="auc")])
    assert [(one.gate.limit, one.source) for one in gates] == [(0.01, "both")]
    assert changes == ()


@pytest.mark.parametrize(
    ("head", "word"),
    [
        ([gate(0.05)], "looser"),
        ([gate(0.001)], "stricter"),
        ([gate(required=False)], "looser"),
        ([gate(accept="point")], "looser"),
        ([gate(max_total_drop=0.5)], "stricter"),
        ([], "removed"),
        ([gate(), gate(metric="f1")], "new"),
    ],
)
def test_both_are_judged_and_the_change_is_told(head: list[Gate], word: str) -> None:
    gates, changes = merge_gates([gate()], head)
    assert gates[0].gate == gate()
    assert {one.gate for one in gates} == {gate(), *head}
    assert len(changes) == 1
    assert word in changes[0]


def test_a_floor_is_loosened_downwards() -> None:
    for limit, word in ((0.7, "looser"), (0.9, "stricter")):
        _, changes = merge_gates([gate(0.8, kind="min")], [gate(limit, kind="min")])
        assert word in changes[0]


def test_a_loosened_gate_still_fails() -> None:
    worse = MetricResult(
        metric="roc_auc",
        base=0.9,
        head=0.86,
        difference=-0.04,
        low=-0.045,
        high=-0.035,
        n=999,
        evidence="paired",
        higher_is_better=True,
    )
    for head in ([gate(0.2)], [], [gate(required=False)]):
        merged = merge_yardsticks(
            ([gate()], Policy()), (head, Policy(on_inconclusive="warn", level=0.6))
        )
        found = judge([worse], merged.gates, merged.policy)
        assert (found.verdict, found.blocks) == ("fail", True)
        assert merged.policy == Policy()
        assert len(merged.changes) == 3
    assert judge([worse], [gate(0.2)], Policy()).verdict == "pass"


def test_slices() -> None:
    assert len(slice_changes(["region", "plan"], ["plan", "age"])) == 2
    assert slice_changes(["a"], ["a"]) == ()


@pytest.mark.parametrize(
    ("base", "head", "told"),
    [
        ("a.csv", "a.csv", []),
        (None, None, []),
        (None, "b.csv", ["training-rows: b.csv is new and already counts"]),
        ("a.csv", None, ["training-rows: a.csv is removed; it counts until this is merged"]),
        (
            "a.csv",
            "b.csv",
            ["training-rows: a.csv becomes b.csv (both count until this is merged)"],
        ),
    ],
)
def test_a_file_that_the_yardstick_reads(
    base: str | None, head: str | None, told: list[str]
) -> None:
    assert list(path_changes("training-rows", base, head, "both count")) == told
