"""Every state in every rendering, held as files that a person has read.

After a change that is meant: `python -m tests.unit.report.test_golden` writes them anew; read the
difference before committing it.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mlops_ci.report import (
    headline,
    render_html,
    render_json,
    render_markdown,
    render_summary,
    render_terminal,
)
from tests.unit.report.states import SECTIONS, STATES

GOLDEN = Path(__file__).parent / "golden"
RENDERERS = {
    "md": render_markdown,
    "wide.txt": lambda report: render_terminal(report, 120),
    "narrow.txt": lambda report: render_terminal(report, 72),
    "html": lambda report: body_of(render_html(report)),
    "json": render_json,
}


def body_of(page: str) -> str:
    """Style and script are files of their own, and read there."""
    return re.sub(r"<(style|script)>.*?</\1>", "", page, flags=re.DOTALL)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("ending", RENDERERS)
def test_state(state: str, ending: str) -> None:
    expected = (GOLDEN / f"{state}.{ending}").read_text("utf-8")
    assert RENDERERS[ending](STATES[state]()) == expected


def test_headlines() -> None:
    expected = (GOLDEN / "headlines.txt").read_text("utf-8")
    assert headlines() == expected


@pytest.mark.parametrize("state", STATES)
def test_summary_is_the_comment_at_full_length(state: str) -> None:
    report = STATES[state]()
    assert render_summary(report) == render_markdown(report, limit=10**9)


def test_no_golden_file_is_left_over() -> None:
    known = {f"{state}.{ending}" for state in STATES for ending in RENDERERS} | {"headlines.txt"}
    assert {path.name for path in GOLDEN.iterdir()} == known


FORBIDDEN = re.compile(r"surely|certain|regression detected|p-value|p =|significan", re.IGNORECASE)


@pytest.mark.parametrize("state", STATES)
def test_no_word_says_more_than_the_rows_do(state: str) -> None:
    for render in (render_markdown, render_html, render_terminal):
        assert not FORBIDDEN.search(body_of(render(STATES[state]())))


def headlines() -> str:
    return "".join(f"{name:22}{headline(made())}\n" for name, made in SECTIONS.items())


def write_golden() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for path in GOLDEN.iterdir():
        path.unlink()
    for state, made in STATES.items():
        for ending, render in RENDERERS.items():
            (GOLDEN / f"{state}.{ending}").write_text(render(made()), "utf-8")
    (GOLDEN / "headlines.txt").write_text(headlines(), "utf-8")


if __name__ == "__main__":
    write_golden()
