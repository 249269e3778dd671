"""Plots that are hosted stand in the comment; others do not."""

from __future__ import annotations

from dataclasses import replace

from mlops_ci.report import Plot, Report, render_markdown
from tests.unit.report.states import one, worse

ROC = Plot("roc", 'ROC "curve" <b>', b"light", b"dark")


def shown(*plots: Plot) -> str:
    report: Report = one(replace(worse(), plots=plots))
    return render_markdown(report)


def test_a_hosted_plot_is_drawn_for_both_themes() -> None:
    hosted = replace(ROC, light_url="https://h/l.png?raw=true", dark_url="https://h/d.png?raw=true")
    comment = shown(hosted, replace(hosted, title="Calibration"))
    assert comment.count("<picture>") == 2
    assert (
        '<source media="(prefers-color-scheme: dark)" srcset="https://h/d.png?raw=true">' in comment
    )
    assert 'alt="ROC &quot;curve&quot; &lt;b&gt;" src="https://h/l.png?raw=true"' in comment


def test_a_plot_without_an_address_is_left_out() -> None:
    assert "<picture>" not in shown(ROC)
    assert shown(ROC) == shown()
