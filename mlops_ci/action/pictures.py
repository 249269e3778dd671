"""Plots → addresses that the comment can show, by the chain of `plots:` in mlops-ci.yaml."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mlops_ci.action.task import Task
from mlops_ci.github.pictures import BRANCH, Pictures
from mlops_ci.project import Project
from mlops_ci.report import Report, Section

WITHOUT = (
    "plots are in the report's page alone: to show them in the comment, give the job "
    f"`contents: write` (they go to the branch {BRANCH}), or choose `plots: none`."
)


def with_pictures(task: Task, report: Report, project: Project) -> Report:
    """Nothing is raised: a comment without pictures is a comment. What is missing is said in the
    log: the comment differs from the laptop's report in its footer alone."""
    choice = project.config.plots
    plots = [plot for section in report.models for plot in section.plots]
    client = task.posting.client
    if not plots or client is None or choice in {"mermaid", "none"} or task.event.number is None:
        return report
    web = task.world.environ.get("GITHUB_SERVER_URL", "https://github.com")
    pictures = Pictures(client, task.event.repository, web, task.world.now().date())
    contents = [content for plot in plots for content in (plot.light, plot.dark)]
    addresses = task.posting.attempt(
        "the plots were not published", lambda: pictures.publish(contents), quiet=choice == "auto"
    )
    if addresses is None:
        task.runner.say(f"- {WITHOUT}")
        return report
    return replace(report, models=_addressed(report.models, addresses))


def _addressed(sections: Sequence[Section], addresses: Sequence[str]) -> tuple[Section, ...]:
    pairs = iter(zip(addresses[::2], addresses[1::2], strict=True))
    return tuple(
        replace(
            section,
            plots=tuple(
                replace(plot, light_url=light, dark_url=dark)
                for plot, (light, dark) in zip(section.plots, pairs, strict=False)
            ),
        )
        for section in sections
    )
