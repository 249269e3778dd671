from __future__ import annotations

import re

import pytest

from mlops_ci.report import render_terminal
from tests.unit.report.states import STATES, many, one, worse

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("width", [40, 60, 80, 100, 160])
def test_nothing_is_wider_than_the_terminal(state: str, width: int) -> None:
    lines = render_terminal(STATES[state](), width).splitlines()
    pasted = [line for line in lines if line.startswith(("  ", "to do"))]
    assert all(len(line) <= width for line in lines if line not in pasted)


def test_colours_change_nothing_but_the_colour() -> None:
    plain, coloured = (render_terminal(many(), 120, color=color) for color in (False, True))
    assert "\x1b" not in plain
    assert "\x1b[" in coloured
    strip = [line.rstrip() for line in ESCAPE.sub("", coloured).splitlines()]
    assert strip == plain.splitlines()


def test_narrow_keeps_mark_change_picture_and_gate() -> None:
    narrow, wide = render_terminal(one(worse()), 72), render_terminal(one(worse()), 120)
    for shown in ("−0.064 ± 0.021", "◀●░░░░┊    │", "≥ −0.020"):
        assert shown in narrow
    assert "0.548  ≥" not in narrow
    assert "0.548  ≥" in wide


@pytest.mark.parametrize("state", ["worse", "first", "undecided", "evaluated"])
def test_forty_columns_lose_no_name_and_no_number(state: str) -> None:
    shown = render_terminal(STATES[state](), 40)
    assert "…" not in shown.replace("0.905 … 0.919", "").replace("0.622 … 0.660", "").replace(
        "0.905 …", ""
    )
    squeezed = shown.replace(" ", "").replace("\n", "")
    wide = render_terminal(STATES[state](), 160)
    for number in re.findall(r"[+−]?\d\.\d{3} ± \d\.\d{3}", wide):
        assert number.replace(" ", "") in squeezed
    assert "┊" not in shown


def test_many_models_are_told_together_first() -> None:
    lines = render_terminal(many(), 100).splitlines()
    assert lines[:2] == [
        "1 of 3 models is worse: ranker",
        "Must not be merged: 1 of 3 models stops it.",
    ]


def test_notes_stand_beside_the_table() -> None:
    assert "\nnote: the store was not used" in render_terminal(STATES["stale"](), 120)
