"""What came of a plan → report.md, report.html and plots beside the records of every model."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mlops_ci.errors import MlopsCiError
from mlops_ci.plan.outcome import ModelOutcome, Outcomes
from mlops_ci.plan.sections import report_outcomes
from mlops_ci.project import Project
from mlops_ci.records import Report as ReportRecord
from mlops_ci.report import Links, Report, Section
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
            records.append(report(project, section.model, _request(shown, section, by_name)))
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


def _request(shown: Report, section: Section, outcomes: dict[str, ModelOutcome]) -> ReportRequest:
    compared = outcomes[section.model].compared
    return ReportRequest(
        section=section,
        base=compared.base if compared is not None else None,
        head=compared.head if compared is not None else None,
        links=shown.links,
        base_name=shown.base_name,
        head_name=shown.head_name,
    )
