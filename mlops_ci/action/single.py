"""The actions of one step each: the job's own workflow strings them together, records travel in
the workspace."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from mlops_ci.action.groups import Groups
from mlops_ci.action.judging import note_edits
from mlops_ci.action.publishing import Publication, publish, publish_stop
from mlops_ci.action.results import shipped_outputs
from mlops_ci.action.task import Task
from mlops_ci.errors import EXIT_BLOCKED, EXIT_FINE, MlopsCiError, worst_exit_code
from mlops_ci.plan import Outcomes, store_of
from mlops_ci.plan.image_size import judge_build, told
from mlops_ci.plan.recorded import (
    compare_recorded,
    evaluate_sides,
    failed_comparison,
    lost_models,
    train_sides,
)
from mlops_ci.plan.reports import write_reports
from mlops_ci.project import Project
from mlops_ci.records import Build
from mlops_ci.report import report_of
from mlops_ci.steps.deploy import DeployRequest
from mlops_ci.steps.report import ReportRequest, recorded_section, report, styled, with_plots

Work = Callable[[str], Any]
JUDGING = ("compare", "report")


def run_step(task: Task) -> int:
    """The exit code is that of the command of the same name."""
    if task.step in JUDGING:
        task.posting.begin()
    project: Project | None = None
    try:
        project = task.open_project()
        names = _chosen(task, project)
    except MlopsCiError as error:
        task.say_error(error)
        _stop(task, error, project)
        return error.exit_code
    if task.step == "compare":
        return _compare(task, project, names)
    if task.step == "report":
        return _report(task, project, names)
    try:
        return _each(task, project, names, _work_of(task, project))
    finally:
        task.give_back(project)


def _stop(task: Task, error: MlopsCiError, project: Project | None) -> None:
    if task.step in JUDGING:
        publish_stop(task, error, project)
    else:
        task.runner.annotate("error", str(error), title=f"mlops-ci {task.step}")


def _chosen(task: Task, project: Project) -> tuple[str, ...]:
    """As the commands choose: those asked for; else, to ship, those that have where to go."""
    models = project.config.models
    for name in task.inputs["model"]:
        project.model(name)
    if task.inputs["model"]:
        return tuple(task.inputs["model"])
    shipped: tuple[str, ...] = ()
    if task.step in {"build", "push"}:
        shipped = tuple(name for name, model in models.items() if model.image)
    if task.step in {"deploy", "rollback"}:
        shipped = tuple(name for name, model in models.items() if model.deploy)
    return shipped or tuple(models)


def _each(task: Task, project: Project, names: Iterable[str], work: Work) -> int:
    codes, records = [EXIT_FINE], []
    groups = Groups(task.runner, task.world.monotonic)
    for name in names:
        try:
            if task.step in {"train", "evaluate"}:  # these say themselves what they do
                records.append(work(name))
            else:
                with groups.step(name, task.step, ""):
                    records.append(work(name))
                codes.append(_judged(task, records[-1], project))
        except MlopsCiError as error:
            task.say_error(error, name)
            task.runner.annotate("error", str(error), title=f"mlops-ci {task.step}: {name}")
            codes.append(error.exit_code)
    task.outputs |= shipped_outputs(records)
    return worst_exit_code(codes)


def _judged(task: Task, record: Any, project: Project) -> int:
    """Of an image: whether its gates let it be pushed."""
    if not isinstance(record, Build):
        return EXIT_FINE
    gates = judge_build(project, record, task.asked, store_of(project, task.access))
    for gate in gates:
        task.runner.annotate(
            "error" if gate.blocks else "notice",
            told(gate),
            title=f"mlops-ci {task.step}: {record.model}",
        )
    return EXIT_BLOCKED if any(gate.blocks for gate in gates) else EXIT_FINE


def _work_of(task: Task, project: Project) -> Work:
    inputs, groups = task.inputs, Groups(task.runner, task.world.monotonic)
    if task.step in {"train", "evaluate"}:
        sides = train_sides if task.step == "train" else evaluate_sides
        timeout = inputs["timeout"]
        return lambda name: sides(project, name, inputs["base"], timeout=timeout, progress=groups)
    if task.step in {"build", "push"}:
        from mlops_ci.plan.execution import ship

        return lambda name: ship(project, task.step, name)
    request = DeployRequest(inputs["target"], inputs["host"], inputs["port"])
    if task.step == "deploy":
        from mlops_ci.steps.deploy import deploy

        return lambda name: deploy(project, name, request)
    from mlops_ci.steps.rollback import rollback

    return lambda name: rollback(project, name, request)


def _compare(task: Task, project: Project, names: Iterable[str]) -> int:
    """The verdict: checks, summary and outputs. The comment is `report`'s."""
    groups = Groups(task.runner, task.world.monotonic)
    outcomes = Outcomes(project.commit, None)
    store = store_of(project, task.access)
    for name in names:
        task.posting.begin_model(task.check_name(name, project))
        try:
            outcomes.models.append(compare_recorded(project, name, task.asked, store, groups))
        except MlopsCiError as error:
            task.say_error(error, name)
            outcomes.models.append(failed_comparison(name, error))
    if not task.inputs["model"]:
        outcomes.models += lost_models(project, task.asked)
    note_edits(project, outcomes)
    reported = write_reports(project, outcomes, task.links, **task.names)
    publication = Publication(reported.report, project, reported.records, commented=False)
    publish(task, publication)
    return outcomes.exit_code


def _report(task: Task, project: Project, names: Iterable[str]) -> int:
    """What the records say, posted. The comparison is not made again, so it does not fail."""
    sections, records = [], []
    for name in names:
        try:
            section = recorded_section(project, name)
            records.append(report(project, name, ReportRequest(section, links=task.links)))
        except MlopsCiError as error:
            task.say_error(error)
            publish_stop(task, error, project)
            return error.exit_code
        sections.append(with_plots(project, section))
    bases = [s.comparison.base.name for s in sections if s.comparison and s.comparison.base]
    shown = report_of(sections, task.links, base_name=bases[0] if bases else "main", **task.names)
    publish(task, Publication(styled(project, shown), project, tuple(records)))
    return EXIT_FINE
