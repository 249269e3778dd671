"""Curves as text: Mermaid's source and sparklines, and where the comment shows them."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from mlops_ci.report import Report, render_markdown
from mlops_ci.report.charts import LEVELS, POINTS, draw_charts, sparkline
from tests.unit.report.pictures import plots, predictions
from tests.unit.report.states import better, first, one

NAMES = {
    "binary": ["roc", "precision-recall", "calibration"],
    "regression": ["residuals"],
    "multiclass": ["recall"],
}


def charted(report: Report, **other: object) -> Report:
    charts = draw_charts(predictions("binary", 0.8), predictions("binary", 0.65))
    sections = tuple(replace(section, charts=charts) for section in report.models)
    return replace(report, models=sections, **{"charts": True, **other})  # type: ignore[arg-type]


@pytest.mark.parametrize("task", NAMES)
def test_charts_of_each_task(task: str) -> None:
    classes = POINTS if task == "multiclass" else 2
    pair = [predictions(task, noise, classes=classes) for noise in (0.8, 0.65)]
    charts = draw_charts(*pair)
    assert [chart.name for chart in charts] == NAMES[task]
    assert draw_charts(*pair) == charts
    for chart in charts:
        lines = re.findall(r"^  line \[(.*)\]$", chart.mermaid, flags=re.MULTILINE)
        assert [len(line.split(", ")) for line in lines] == [POINTS, POINTS]
        assert all(re.fullmatch(r"-?\d+(\.\d+)?", n) for line in lines for n in line.split(", "))
        assert lines[0] != lines[1]
        assert [len(spark) for spark in chart.sparks] == [POINTS, POINTS]


def test_a_first_run_has_one_line() -> None:
    charts = draw_charts(None, predictions("binary", 0.8))
    assert {len(chart.sparks) for chart in charts} == {1}
    assert all(chart.mermaid.count("  line [") == 1 for chart in charts)


def test_recall_is_that_of_the_classes_that_have_rows() -> None:
    rows = predictions("multiclass", 0.8, classes=4)
    rows = replace(rows, label=np.where(rows.label == 2, 1, rows.label))
    (chart,) = draw_charts(None, rows)
    assert rows.prediction is not None
    recall = [float((rows.prediction[rows.label == at] == at).mean()) for at in (0, 1, 3)]
    (line,) = re.findall(r"^  line \[(.*)\]$", chart.mermaid, flags=re.MULTILINE)
    assert [float(number) for number in line.split(", ")] == pytest.approx(recall, abs=1e-4)
    assert "1 --> 3" in chart.mermaid
    assert draw_charts(rows, replace(rows, classes=(*rows.classes, "new"))) == ()


def test_nothing_is_drawn_of_one_class_or_of_numbers() -> None:
    rows = predictions("binary", 0.8)
    assert draw_charts(None, replace(rows, label=np.ones_like(rows.label))) == ()
    assert draw_charts(None, replace(rows, score=None)) == ()
    assert draw_charts(None, None) == ()


def test_sparkline() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 0, 7) == LEVELS
    assert sparkline([-5, 0.5, 99], 0, 1) == "▁▅█"
    assert sparkline([3, 3], 3, 3) == "▁▁"


def test_the_comment_shows_charts_where_they_were_asked_for() -> None:
    content = render_markdown(charted(one(better())))
    assert content.count("```mermaid\n") == 3
    assert "Grey is `main`, blue is this PR." in content.replace("\u00a0", " ")
    assert re.search(
        rf"^ROC: `[{LEVELS}]{{21}}` `main` · `[{LEVELS}]{{21}}` `this PR`$",
        content,
        flags=re.MULTILINE,
    )
    assert "mermaid" not in render_markdown(charted(one(better()), charts=False))


def test_a_first_run_s_chart_is_of_the_candidate() -> None:
    charts = draw_charts(None, predictions("binary", 0.8))
    report = replace(one(replace(first(), charts=charts)), charts=True)
    content = render_markdown(report).replace("\u00a0", " ")
    assert "Blue is this PR." in content
    assert "`main`" not in content.partition("<summary>Plots")[2].partition("</details>")[0]


def test_pictures_with_an_address_come_before_charts() -> None:
    hosted = tuple(replace(plot, light_url="https://a.example/l.png") for plot in plots())
    report = charted(one(better()))
    shown = tuple(replace(section, plots=hosted) for section in report.models)
    content = render_markdown(replace(report, models=shown))
    assert "mermaid" not in content
    assert content.count("<picture>") == 6
