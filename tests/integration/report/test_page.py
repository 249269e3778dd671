"""The page as a browser has it: what axe-core finds, and what a press on a heading does."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.report import Report, render_html
from tests.integration.report.browser import ask, install
from tests.machine.fixtures import Node
from tests.unit.report.pictures import plots
from tests.unit.report.states import STATES, better, one
from tests.unit.report.test_ladder import wide

PAGES = ("worse", "failed", "ungated", "yardstick", "live", "many", "evaluated", "busy")


@pytest.fixture(scope="session")
def axe(node: Node) -> str:
    return install(node, "axe-core@4.14.1", "axe.min.js")


def illustrated() -> Report:
    return one(replace(better(), plots=plots()))


def in_tone(page: str, tone: str) -> str:
    other = "dark" if tone == "light" else "light"
    page = page.replace(f"(prefers-color-scheme: {tone})", "(min-width: 1px)")
    return page.replace(f"(prefers-color-scheme: {other})", "(max-width: 1px)")


AXE = """
const found = await axe.run(document, {resultTypes: ["violations"]});
return found.violations.map((one) => [one.id, one.impact, one.nodes.map((node) => node.html)]);
"""


@pytest.mark.parametrize("tone", ["light", "dark"])
@pytest.mark.parametrize("state", [*PAGES, "illustrated"])
def test_axe_finds_nothing(state: str, tone: str, axe: str, chromium: Path) -> None:
    report = illustrated() if state == "illustrated" else STATES[state]()
    assert ask(chromium, in_tone(render_html(report), tone), axe, AXE) == []


def test_axe_would_find_something(axe: str, chromium: Path) -> None:
    page = render_html(illustrated()).replace(' alt="', ' data-alt="')
    assert "image-alt" in [found[0] for found in ask(chromium, page, axe, AXE)]


SORT = """
const column = [...document.querySelectorAll("table.gates thead th")].findIndex(
  (head) => head.textContent.includes("change"));
const button = document.querySelectorAll("table.gates thead th")[column].querySelector("button");
const shown = () => [...document.querySelectorAll("table.gates tbody tr")].map(
  (row) => row.cells[column].querySelector("b").textContent);
const before = shown();
button.focus(); button.click();
const up = shown();
const sorted = document.querySelectorAll("table.gates thead th")[column].getAttribute("aria-sort");
button.click();
return {before, up, down: shown(), sorted, focused: document.activeElement === button};
"""


def test_a_press_on_a_heading_sorts(chromium: Path) -> None:
    told = ask(chromium, render_html(STATES["worse"]()), "", SORT)
    assert told["before"] == ["−0.064", "+0.006", "−0.005", "−0.009"]
    assert told["up"] == ["−0.064", "−0.009", "−0.005", "+0.006"]  # log loss: a fall is better
    assert told["down"] == told["up"][::-1]
    assert told["sorted"] == "ascending"
    assert told["focused"]


@pytest.mark.parametrize("state", ["worse", "many", "failed", "busy"])
def test_a_narrow_window_is_not_scrolled_sideways(state: str, chromium: Path) -> None:
    """Wide tables scroll in boxes of their own."""
    page = re.sub(r"<body>", '<body style="width: 400px">', render_html(STATES[state]()))
    told: Any = ask(chromium, page, "", "return document.body.scrollWidth;")
    assert told <= 400


def test_a_page_of_many_rows_is_sorted_at_once(chromium: Path) -> None:
    """The quickest of five presses: in the others the browser may have waited for its turn."""
    took = ask(
        chromium,
        render_html(one(wide(500, 40))),
        "",
        """const button = document.querySelector("table:not(.gates) thead button");
        const press = () => { const from = performance.now(); button.click(); return performance.now() - from; };
        return Math.min(press(), press(), press(), press(), press());""",
    )
    assert took < 1000
