"""A report → comment, checks, summary, outputs and annotations; and the report's records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec.structs import replace as replaced

from mlops_ci.action.pictures import with_pictures
from mlops_ci.action.results import (
    OUTPUTS,
    conclusive,
    conclusive_model,
    shipped_outputs,
    worst_verdict,
)
from mlops_ci.action.task import Task
from mlops_ci.action.telling import tell_others
from mlops_ci.errors import MlopsCiError
from mlops_ci.github.parts import Origin, Ours
from mlops_ci.project import Project
from mlops_ci.records import Report as ReportRecord
from mlops_ci.records.files import write_atomically
from mlops_ci.report import (
    Report,
    Section,
    failure_of,
    render_html,
    render_markdown,
    render_summary,
    report_of,
    unchanged,
)

OVERVIEW = "report.html"
STOPPED = "mlops-ci"  # stands where a model's name would: the run ended before any model's turn


@dataclass(frozen=True)
class Publication:
    """`project` is None when it could not be opened. `commented`: this job writes the comment."""

    report: Report
    project: Project | None
    records: tuple[ReportRecord, ...] = ()
    commented: bool = True


def publish(task: Task, publication: Publication) -> None:
    """The verdict's own way out is the exit code: nothing here changes it, nothing is raised."""
    posting, report, project = task.posting, publication.report, publication.project
    shown = report
    if publication.commented and (project is None or project.config.comment != "none"):
        if project is not None:
            shown = with_pictures(task, report, project)
        ours = replace(publication, report=shown)
        posting.comment(lambda current: _ours(task, ours, current), task.world.monotonic)
    if publication.commented:
        tell_others(task, report, project)
    names = []
    for section in report.models:
        if project is not None:
            name = task.check_name(section.model, project)
            posting.conclude_model(name, conclusive_model(report, section, project))
            names.append(name)
    posting.conclude(conclusive(report), names)
    if project is not None:
        _record(task, publication, project)
        _write_files(task, report, project)
    task.outputs |= _outputs(task, publication)
    task.runner.summary(_summary(task, shown))
    _annotate(task, report, project)


def publish_stop(task: Task, error: MlopsCiError, project: Project | None) -> None:
    """An error before any model's turn: where the report would be, there it is said."""
    section = Section(STOPPED, "failed", failure=failure_of(error, task.step or "start"))
    report = report_of([section], task.links, **task.names)
    publish(task, Publication(report, None))
    if project is not None:
        task.give_back(project)


def _ours(task: Task, publication: Publication, current: str) -> Ours:
    report, project, job = publication.report, publication.project, task.posting.checks
    asked = tuple(sorted(task.inputs.get("model") or ()))
    whole = project is not None and set(asked) == set(project.config.models)
    origin = Origin(
        scope=task.scope(project),
        models=() if whole else asked,
        sha=task.event.head,
        run=job.job.run if job is not None else 0,
        attempt=job.job.attempt if job is not None else 1,
    )
    changes = project is not None and project.config.comment == "changes"
    quiet = all(_is_quiet(section, changes=changes) for section in report.models)
    return Ours(origin, lambda limit: render_markdown(report, limit), current, quiet=quiet)


def _is_quiet(section: Section, *, changes: bool) -> bool:
    """Not worth a first comment; one that is there already is brought up to date all the same."""
    comparison = section.comparison
    if section.state == "untouched" or comparison is None:
        return section.state == "untouched"
    return changes and not comparison.blocks and unchanged(comparison)


def _record(task: Task, publication: Publication, project: Project) -> None:
    posting = task.posting
    notes = [*posting.notes, *(error.what for error in posting.errors)]
    for record in publication.records:
        told = replaced(
            record,
            comment_url=posting.comment_url or None,
            check_url=posting.check_url or None,
            notes=[*record.notes, *notes],
        )
        project.records.write("report", told)


def _write_files(task: Task, report: Report, project: Project) -> None:
    """The page over all models, and what the inputs ask for."""
    asked: list[Path] = []
    for name, text in (("html", render_html), ("markdown", render_markdown)):
        path = task.inputs.get(name)
        if path is not None:
            asked.append(task.runner.workspace / path)
            write_atomically(asked[-1], text(report).encode())
    if len(_touched(report)) > 1:
        write_atomically(project.records.path / OVERVIEW, render_html(report).encode())
    task.give_back(project, *asked)


def _outputs(task: Task, publication: Publication) -> dict[str, str]:
    report, project, posting = publication.report, publication.project, task.posting
    found = dict.fromkeys(OUTPUTS, "")
    found |= shipped_outputs(
        record for one in report.models for record in (one.push or one.build, one.deployment)
    )
    found["verdict"] = worst_verdict(report.models)
    found["comment-url"], found["check-url"] = posting.comment_url, posting.check_url
    if project is None:
        return found
    compared = [
        project.records.file(section.model, section.comparison.head.commit or "", "compare")
        for section in report.models
        if section.comparison is not None
    ]
    found["comparison-path"] = "\n".join(task.path_of(path) for path in compared)
    pages = [project.root / record.html for record in publication.records if record.html]
    overview = project.records.path / OVERVIEW
    if len(_touched(report)) > 1:
        found["report-path"] = task.path_of(overview)
    elif pages:
        found["report-path"] = task.path_of(pages[0])
    return found


def _touched(report: Report) -> Sequence[Section]:
    return [section for section in report.models if section.state != "untouched"]


def _summary(task: Task, report: Report) -> str:
    """The notes stand first: they say why a reader finds the report here alone."""
    text = render_summary(replace(report, links=task.links))
    notes = [*(f"> {note}\n" for note in task.posting.notes), *_not_posted(task.posting.errors)]
    return "\n".join([*notes, text])


def _not_posted(errors: Sequence[MlopsCiError]) -> list[str]:
    """Somebody else's words, so fenced; what to do is there to be pasted, once."""
    if not errors:
        return []
    whats = [line.replace("`", "'") for error in errors for line in error.what.splitlines()]
    fixes = list(dict.fromkeys(error.fix for error in errors if error.fix))
    said = ["> Not everything could be posted; the verdict is not changed by that.\n"]
    said += ["```text", *whats, "```", ""]
    return said + [line for fix in fixes for line in ("```text", fix, "```", "")]


def _annotate(task: Task, report: Report, project: Project | None) -> None:
    runner, posting = task.runner, task.posting
    for note in posting.notes:
        runner.annotate("notice", note, title="mlops-ci")
    for error in posting.errors:
        runner.annotate("warning", str(error), title="mlops-ci: not posted")
    for section in report.models:
        failure = section.failure
        if failure is None:
            continue
        file, line = place_of(failure.where)
        what = failure.what.removeprefix(f"{section.model}: ")
        said = "\n".join(text for text in (what, failure.where, failure.fix) if text)
        title = "mlops-ci" if section.model == STOPPED else f"mlops-ci: {section.model}"
        inside = f"{task.scope(project)}{file}" if file else ""
        runner.annotate("error", said, title=title, file=inside, line=line)


def place_of(where: str) -> tuple[str, int]:
    """`mlops-ci.yaml line 7, models.churn` → file and line, where an error names them."""
    name, _, rest = where.partition(" line ")
    number = rest.partition(",")[0]
    return (name, int(number)) if number.isdigit() and "\n" not in name else ("", 0)
