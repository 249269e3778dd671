"""The report as GitHub's markdown: the comment, and the job's summary, by one template."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from mlops_ci.report.ladder import LADDER, Rung
from mlops_ci.report.markup import markdown
from mlops_ci.report.model import Report, Section
from mlops_ci.report.templating import COMMENT as TEMPLATE
from mlops_ci.report.templating import render
from mlops_ci.report.view import view_of
from mlops_ci.report.words import report_headline, report_mark

COMMENT = 65_000  # code points: GitHub's own limit is near 65,536
SUMMARY = 1_000_000  # bytes of UTF-8: GitHub refuses more than 1 MiB
# Code points of a table's shortest row, without and with a baseline: what cannot fit is not tried.
SHORTEST_ROW, COMPARED_ROW = 25, 65
_FENCE = re.compile(r"^ {0,3}(`{3,})")


def render_markdown(report: Report, limit: int = COMMENT) -> str:
    """At most `limit` code points: the first rung that fits, cut between rows and never in one."""
    return _first_that_fits(report, limit, len)


def render_summary(report: Report, limit: int = SUMMARY) -> str:
    """The same, for the job's summary: at most `limit` bytes."""
    return _first_that_fits(report, limit, lambda content: len(content.encode()))


def _first_that_fits(report: Report, limit: int, size: Callable[[str], int]) -> str:
    content = ""
    for rung in LADDER:
        if _least(report, rung) > limit:
            continue
        content = _render(report, rung)
        if size(content) <= limit:
            return content
    if report.templates:  # a template of the project's own that shows more than it is given
        return _first_that_fits(replace(report, templates={}), limit, size)
    return next((last for last in _last_words(report, content) if size(last) <= limit), "")


def _last_words(report: Report, content: str) -> Iterator[str]:
    """Headline and footer, else the headline: where to read on is the last thing left out."""
    line = f"### {report_mark(report)} {markdown(report_headline(report))}\n"
    yield f"{line}\n{content.rstrip().rpartition(chr(10))[2]}\n"
    yield line


def _least(report: Report, rung: Rung) -> int:
    """Code points that the rung's tables need at least."""
    return sum(_least_of(section, rung) for section in report.models[: rung.sections])


def _least_of(section: Section, rung: Rung) -> int:
    """0 where nothing is known without rendering."""
    if rung.sections is not None or section.comparison is None:
        return 0
    sliced = len(section.sliced)
    gates = len(section.comparison.gates) if rung.passed else 0
    slices = min(sliced, rung.slices)
    whole = len(section.whole) if gates else 0
    rows = gates + slices + (whole - gates if rung.metrics and whole > gates else 0)
    return rows * (SHORTEST_ROW if section.comparison.base is None else COMPARED_ROW)


def _render(report: Report, rung: Rung) -> str:
    return _tidy(render(report, TEMPLATE, view_of(report, rung)))


def _tidy(content: str) -> str:
    """One blank line at most, but for those of a log; and one newline at the end."""
    kept: list[str] = []
    fence = ""
    for line in content.strip("\n").split("\n"):
        found = _FENCE.match(line)
        if found and not fence:
            fence = found[1]
        elif fence and line.strip() == fence:
            fence = ""
        if line or fence or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept) + "\n"
