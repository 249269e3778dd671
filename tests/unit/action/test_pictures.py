"""Addresses find the plots that they belong to; what a job cannot do is said, and drawn as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mlops_ci.action.pictures import addressed, with_pictures
from mlops_ci.action.task import Task
from mlops_ci.github.client import Client
from mlops_ci.github.event import Event
from mlops_ci.github.patience import Patience, Trouble
from mlops_ci.github.posting import Posting
from mlops_ci.report import Chart, Plot, Report, render_markdown, report_of
from mlops_ci.world import Command, Finished, World
from tests.unit.report.states import HEAD, LINKS, SECTIONS

CHART = Chart("roc", "ROC", "xychart-beta\n  line [0, 1]", ("▁█", "▁█"))


def test_each_plot_gets_its_two_addresses_in_order() -> None:
    plots = [Plot(title, title, b"light", b"dark") for title in "abc"]
    sections = [
        replace(SECTIONS["better"](), plots=tuple(plots[:1])),
        SECTIONS["untouched"](),
        replace(SECTIONS["worse"](), plots=tuple(plots[1:])),
    ]
    addresses = [f"{title}-{theme}" for title in "abc" for theme in ("light", "dark")]
    found = [plot for section in addressed(sections, addresses) for plot in section.plots]
    assert [(p.title, p.light_url, p.dark_url) for p in found] == [
        (title, f"{title}-light", f"{title}-dark") for title in "abc"
    ]


def test_the_comment_gets_four_plots_and_those_that_a_gate_speaks_of() -> None:
    """The section's gate that failed is on recall."""
    names = ("gates", "slices", "roc", "calibration", "precision-recall", "confusion")
    plots = tuple(Plot(name, name, name.encode(), b"dark") for name in names)
    section = replace(SECTIONS["worse"](), plots=plots)
    stopped = {gate.metric for gate in section.gates if gate.verdict != "pass"}
    assert "recall" in stopped
    telling = [plot.name for plot in section.telling_plots]
    assert telling[:2] == ["gates", "slices"]
    assert "precision-recall" in telling
    assert len(telling) == 4
    shown = addressed([section], [f"{n}" for n in range(8)])[0].plots
    assert [plot.name for plot in shown] == list(names)
    assert [plot.name for plot in shown if plot.light_url] == telling


@dataclass
class Log:
    said: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.said.append(text)

    def mask(self, secret: str) -> None:
        self.said.append(f"mask {secret}")


def shown(
    plots: str,
    trouble: Trouble | None = None,
    environ: Mapping[str, str] | None = None,
    charts: tuple[Chart, ...] = (CHART,),
    **event: Any,
) -> tuple[Report, Task]:
    """What a job whose every request ends in `trouble` makes of a report with one plot."""
    denied = trouble or Trouble("denied", "Resource not accessible by integration", 403)

    def send(*_: Any) -> Any:
        raise denied

    def refuse(command: Command) -> Finished:
        words = f"fatal: {denied.said}" if denied.kind != "denied" else "error: 403"
        return Finished(0 if "init" in command.argv else 128, b"", words.encode(), 0.0)

    client = Client(send, Patience(lambda _: None, lambda: 0.5))
    server = {"GITHUB_SERVER_URL": "https://github.example"}
    world = World({**server, **(environ or {})}, Path(), say=lambda _: None, run_command=refuse)
    asked = Event("pull_request", "acme/churn", HEAD, "main", number=7, **event)
    posting = Posting(asked, client, None, None)
    task = Task("", {"token": "t"}, Log(), world, asked, posting)  # type: ignore[arg-type]
    section = replace(
        SECTIONS["better"](), plots=(Plot("roc", "ROC", b"light", b"dark"),), charts=charts
    )
    project: Any = SimpleNamespace(config=SimpleNamespace(plots=plots))
    return with_pictures(task, report_of([section], LINKS), project), task


def footer(report: Report) -> str:
    return render_markdown(report).rstrip().rpartition("\n")[2]


@pytest.mark.parametrize(
    ("plots", "why"),
    [
        ("auto", "this job may not write the branch mlops-ci-plots"),
        ("branch", "this job may not write the branch mlops-ci-plots"),
        ("attachments", "there is no MLOPS\\_CI\\_ATTACHMENTS\\_TOKEN that may attach them"),
        ("artifact", "this job may keep no artifacts"),
    ],
)
def test_every_way_ends_as_text_and_says_why(plots: str, why: str) -> None:
    report, task = shown(plots)
    assert f"plots as text: {why}".replace("\\", "") in footer(report).replace("\\", "")
    assert "```mermaid" in render_markdown(report)
    assert bool(task.posting.errors) == (plots != "auto"), "what was asked for is an error"


def test_the_fall_back_is_the_report_of_a_laptop_with_mermaid() -> None:
    report, _ = shown("auto")
    laptop = replace(report, plots_note="", charts=True)
    bodies = [render_markdown(one).rstrip().rpartition("\n")[0] for one in (report, laptop)]
    assert bodies[0] == bodies[1]


def test_where_no_curve_can_be_text_the_page_is_named() -> None:
    report, _ = shown("auto", charts=())
    assert "plots in the report's page: this job may not write" in footer(report)


def test_a_failure_is_not_taken_for_a_missing_right() -> None:
    report, task = shown("branch", Trouble("refused", "Server Error", 422))
    assert "the branch mlops-ci-plots could not be written" in footer(report)
    assert task.posting.errors


@pytest.mark.parametrize("plots", ["mermaid", "none"])
def test_what_needs_no_hosting_asks_nobody(plots: str) -> None:
    report, task = shown(plots, Trouble("refused", "nobody may ask"))
    assert (report.plots_note, task.posting.errors) == ("", [])


def test_auto_says_in_the_log_what_to_do() -> None:
    _, task = shown("auto")
    assert "contents: write" in "".join(task.runner.said)  # type: ignore[attr-defined]


def test_a_fork_cannot_do_anything_about_it() -> None:
    report, task = shown("auto", fork=True)
    assert "plots as text" in footer(report)
    assert task.runner.said == []  # type: ignore[attr-defined]
