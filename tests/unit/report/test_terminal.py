from __future__ import annotations

import re

import pytest

from mlops_ci.report import render_terminal
from tests.unit.report.states import STATES, many, one, worse

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("width", [60, 80, 100, 160])
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
    for shown in ("−0.064 ± 0.021", "◀░░░░░┊    │", "≥ −0.020"):
        assert shown in narrow
    assert "0.548  ≥" not in narrow
    assert "0.548  ≥" in wide
