"""Every chart is read and drawn by the versions of Mermaid that GitHub and others have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.report.charts import draw_charts
from tests.integration.report.browser import ask, install
from tests.machine.fixtures import Node
from tests.unit.report.pictures import predictions

VERSIONS = ("mermaid@10.9.3", "mermaid@11.12.0")
DRAW = """
mermaid.initialize({startOnLoad: false});
const told = [];
for (const [at, text] of TEXTS.entries()) {
  await mermaid.parse(text);
  const svg = (await mermaid.render("chart" + at, text)).svg;
  const paths = [...new DOMParser().parseFromString(svg, "text/html").querySelectorAll("path")];
  told.push(paths.map((path) => path.getAttribute("stroke")).filter((colour) => colour));
}
return told;
"""


@pytest.fixture(scope="session", params=VERSIONS)
def mermaid(node: Node, request: pytest.FixtureRequest) -> str:
    return install(node, request.param, "dist/mermaid.min.js")


def drawn(chromium: Path, mermaid: str, texts: list[str]) -> Any:
    page = "<!doctype html><html><body></body></html>"
    return ask(chromium, page, mermaid, DRAW.replace("TEXTS", json.dumps(texts)))


def test_every_chart_is_drawn(mermaid: str, chromium: Path) -> None:
    made = [
        *draw_charts(predictions("binary", 0.8), predictions("binary", 0.65)),
        *draw_charts(predictions("regression", 0.8), predictions("regression", 0.65)),
        *draw_charts(
            predictions("multiclass", 0.8, classes=5), predictions("multiclass", 0.6, classes=5)
        ),
        *draw_charts(None, predictions("binary", 0.8)),
    ]
    told = drawn(chromium, mermaid, [chart.mermaid for chart in made])
    assert len(told) == len(made)
    for chart, colours in zip(made, told, strict=True):
        expected = ["#818b98", "#0969da"][-len(chart.sparks) :]
        assert [
            colour for colour in colours if colour.startswith("#0969") or colour == "#818b98"
        ] == expected


def test_what_is_no_chart_would_be_found(mermaid: str, chromium: Path) -> None:
    with pytest.raises(AssertionError):
        drawn(chromium, mermaid, ["xychart-beta\n  line [1e-05, nan]"])
