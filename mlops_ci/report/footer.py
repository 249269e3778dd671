"""The last line: everything that varies from run to run, and nothing else of the report does."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_ci import __version__
from mlops_ci.records import Comparison
from mlops_ci.report.changes import cost_of
from mlops_ci.report.labels import DIRTY, is_file, short
from mlops_ci.report.lineage import made_in
from mlops_ci.report.model import Report
from mlops_ci.report.phrase import Phrase, code, text

Link = tuple[str, str]  # words, address


def footer_parts(report: Report) -> Iterator[Phrase | Link]:
    """In the order of use: what to run, where to read on, what it took, what was compared."""
    commit = head_commit(report)
    if commit is not None and not commit.endswith(DIRTY):
        yield code(f"mlops-ci reproduce {short(commit)}")
    links = report.links
    for words, address in (
        ("full report", links.report),
        ("run", links.run),
        ("log", links.log),
        ("environment", links.environment),
        ("plots", report.plots_url),
    ):
        if address is not None:
            yield words, address
    if report.plots_note:
        yield text(report.plots_note)
    yield from (text(cost) for cost in cost_of(report))
    yield from made_in(report)
    yield from _compared(report, commit)
    yield text(f"mlops-ci {__version__}")


def head_commit(report: Report) -> str | None:
    for section in report.models:
        for record in (section.comparison, section.evaluation, section.training):
            commit = record.head.commit if isinstance(record, Comparison) else None
            if record is not None and not isinstance(record, Comparison):
                commit = record.commit
            if commit is not None:
                return commit
    return None


def _compared(report: Report, commit: str | None) -> Iterator[Phrase]:
    found = (s.comparison for s in report.models if s.comparison is not None)
    comparison = next(found, None)
    if comparison is None or comparison.base is None:
        if commit is not None:
            yield code(short(commit))
        return
    base, head = comparison.base, comparison.head
    ours = code(head.name) if is_file(head) else code(short(head.commit or ""))
    theirs = code(base.name)
    if base.commit is not None:
        theirs += text(" at ") + code(short(base.commit))
    yield ours + text(" against ") + theirs
