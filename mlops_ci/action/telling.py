"""The outcome → the places that `alerts:` tells."""

from __future__ import annotations

from mlops_ci.action.results import verdict_of, worst_verdict
from mlops_ci.action.task import Task
from mlops_ci.alerts import Message, ModelMessage, alert
from mlops_ci.config import Alarm, Alerts
from mlops_ci.project import Project
from mlops_ci.report import Report, headline, report_headline


def tell_others(task: Task, report: Report, project: Project | None) -> None:
    """Nothing is raised: who could not be told is a note in the log and the summary."""
    message = message_of(task, report)
    if message is None:
        return
    settings = project.config.alerts if project is not None else Alerts()
    task.posting.errors += alert(message, settings.on, task.world)


def message_of(task: Task, report: Report) -> Message | None:
    """None when the event touched no model."""
    worst = worst_verdict(report.models)
    if worst == "untouched":
        return None
    state: Alarm = worst
    live = [section for section in report.models if section.state == "live"]
    if live and state != "error":
        state = "deployed"
    return Message(
        state=state,
        headline=str(report_headline(report)),
        repository=task.event.repository,
        commit=task.event.head,
        pull_request=task.event.number,
        comment_url=task.posting.comment_url or None,
        run_url=task.runner.run_url,
        models=[
            ModelMessage(model=s.model, verdict=verdict_of(s), headline=headline(s))
            for s in report.models
            if s.state != "untouched"
        ],
    )
