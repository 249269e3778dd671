"""What came of a plan → report.md, report.html and plots beside the records of every model."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mlops_ci.errors import MlopsCiError
from mlops_ci.plan.outcome import ModelOutcome, Outcomes
from mlops_ci.plan.sections import report_outcomes
from mlops_ci.project import Project
from mlops_ci.records import Report as ReportRecord
from mlops_ci.report import Links, Report, Section
from mlops_ci.report.exhibit import Exhibit
from mlops_ci.steps.exhibits import exhibits_of
from mlops_ci.steps.report import ReportRequest, report, styled, with_plots


@dataclass(frozen=True)
class Reported:
    """`report` is over all models, its sections with their plots; `records` has one a model."""

    report: Report
    records: tuple[ReportRecord, ...]


def write_reports(
    project: Project, outcomes: Outcomes, links: Links | None = None, **names: str
) -> Reported:
    """A report that cannot be written never hides the verdict: it is a note in the section."""
    shown = report_outcomes(outcomes, links, **names)
    by_name = {model.name: model for model in outcomes.models}
    sections, records = [], []
    for section in shown.models:
        if section.state == "untouched":
            sections.append(section)
            continue
        try:
            request = _request(project, shown, section, by_name)
            records.append(report(project, section.model, request))
            sections.append(with_plots(project, section))
        except (MlopsCiError, OSError) as error:
            note = f"the report was not written: {error}"
            sections.append(replace(section, notes=(*section.notes, note)))
    whole = replace(shown, models=tuple(sections))
    return Reported(_styled(project, whole), tuple(records))


def _styled(project: Project, shown: Report) -> Report:
    """Templates that cannot be read are told by every model's note already."""
    try:
        return styled(project, shown)
    except (MlopsCiError, OSError):
        return shown


def _exhibits(project: Project, section: Section) -> tuple[list[Exhibit], list[str]]:
    """The project's own plots; of a training that failed there are none."""
    comparison = section.comparison
    if comparison is None or section.model not in project.config.models:
        return [], []
    base = comparison.base.commit if comparison.base is not None else None
    keys = {one.key for one in (section.training, section.base_training) if one is not None}
    same = section.base_training is not None and len(keys) == 1 and None not in keys
    return exhibits_of(project, section.model, base, same=same)


def _request(
    project: Project, shown: Report, section: Section, outcomes: dict[str, ModelOutcome]
) -> ReportRequest:
    outcome = outcomes[section.model]
    compared = outcome.compared
    exhibits, notes = _exhibits(project, section)
    return ReportRequest(
        section=section,
        exhibits=tuple(exhibits),
        notes=tuple(notes),
        base=compared.base if compared is not None else None,
        head=compared.head if compared is not None else None,
        drawing=outcome.drawing,
        links=shown.links,
        base_name=shown.base_name,
        head_name=shown.head_name,
    )
