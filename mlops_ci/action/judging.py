"""The root action: what the event asks for, from plan to outputs."""

from __future__ import annotations

from typing import Any

from mlops_ci.action.groups import Groups
from mlops_ci.action.pictures import begin_pictures
from mlops_ci.action.publishing import Publication, publish, publish_stop
from mlops_ci.action.task import Task
from mlops_ci.baseline import Store
from mlops_ci.errors import EXIT_FINE, MlopsCiError
from mlops_ci.plan import Context, Occasion, Outcomes, Plan, execute, plan_project, store_of
from mlops_ci.plan.execution import ship
from mlops_ci.plan.reports import write_reports
from mlops_ci.project import Project


def judge(task: Task) -> int:
    """Train, evaluate, compare and report; on a push to the default branch, ship. The exit code
    is the same as on the command line."""
    if not task.event.asks:
        task.runner.annotate("notice", f"nothing to judge: this {task.event.kind} ends something")
        task.outputs["verdict"] = "untouched"
        return EXIT_FINE
    alone = not task.inputs.get("model") and not task.scope(None)
    task.posting.begin(alone=alone)
    project: Project | None = None
    try:
        project = task.open_project()
        store = store_of(project, task.access)
        plan = plan_project(project, _occasion(task), store)
        context = _context(task, project, store)
    except MlopsCiError as error:
        task.say_error(error)
        publish_stop(task, error, project)
        return error.exit_code
    for model in plan.models:
        if model.steps:
            task.posting.begin_model(task.check_name(model.name, project))
    if any(model.steps for model in plan.models):
        begin_pictures(task, project)
    outcomes = execute(plan, context)
    note_edits(project, outcomes)
    _tell(task, plan, outcomes)
    reported = write_reports(project, outcomes, task.links, **task.names)
    publish(task, Publication(reported.report, project, reported.records))
    return outcomes.exit_code


def _occasion(task: Task) -> Occasion:
    return Occasion(task.asked, ships=task.event.ships, models=task.inputs["model"])


def _context(task: Task, project: Project, store: Store | None) -> Context:
    groups = Groups(task.runner, task.world.monotonic)
    timeout = task.inputs["timeout"]

    def ship_it(step: str, name: str) -> Any:
        if step != "deploy":
            return ship(project, step, name)
        from mlops_ci.steps.deploy import DeployRequest, deploy

        inputs = task.inputs
        request = DeployRequest(inputs["target"], inputs["host"], inputs["port"])
        return deploy(project, name, request)

    return Context(project, groups, store, timeout, ship=ship_it, studio=task.studio)


def note_edits(project: Project, outcomes: Outcomes) -> None:
    """A job's checkout is the commit; where it is not, a reader has to know."""
    if not project.edited:
        return
    some = ", ".join(project.edited[:3]) + (", …" if len(project.edited) > 3 else "")
    for model in outcomes.models:
        if model.steps:
            model.notes.append(
                f"This is not the commit as it was pushed: an earlier step of the job edited {some}"
            )


def _tell(task: Task, plan: Plan, outcomes: Outcomes) -> None:
    for planned, model in zip(plan.models, outcomes.models, strict=True):
        if not planned.steps:
            task.runner.say(f"- {model.name}: {model.why}")
        if model.error is not None:
            task.runner.say(f"error: {model.error.about(model.name)}")
