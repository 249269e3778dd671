"""One report model → markdown, HTML, terminal, JSON; the forest plot as text; plots as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.lazy import names_of

if TYPE_CHECKING:
    from mlops_ci.report.document import render_json
    from mlops_ci.report.forest import draw_gate, draw_metric
    from mlops_ci.report.markdown import COMMENT, SUMMARY, render_markdown, render_summary
    from mlops_ci.report.model import (
        Chart,
        Failure,
        Links,
        Plot,
        Report,
        Section,
        failure_of,
        report_of,
        section_of,
    )
    from mlops_ci.report.page import render_html
    from mlops_ci.report.terminal import render_terminal
    from mlops_ci.report.words import headline, report_headline, report_mark, unchanged

__all__ = [
    "COMMENT",
    "SUMMARY",
    "Chart",
    "Failure",
    "Links",
    "Plot",
    "Report",
    "Section",
    "draw_gate",
    "draw_metric",
    "failure_of",
    "headline",
    "render_html",
    "render_json",
    "render_markdown",
    "render_summary",
    "render_terminal",
    "report_headline",
    "report_mark",
    "report_of",
    "section_of",
    "unchanged",
]
PLACES = {
    "document": ("render_json",),
    "forest": ("draw_gate", "draw_metric"),
    "markdown": ("COMMENT", "SUMMARY", "render_markdown", "render_summary"),
    "model": (
        "Chart",
        "Failure",
        "Links",
        "Plot",
        "Report",
        "Section",
        "failure_of",
        "report_of",
        "section_of",
    ),
    "page": ("render_html",),
    "terminal": ("render_terminal",),
    "words": ("headline", "report_headline", "report_mark", "unchanged"),
}
__getattr__ = names_of(__name__, PLACES)
