"""The report as one HTML page that needs nothing else: no network, no scripts of others."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any

from mlops_ci.report.advice import paste
from mlops_ci.report.changes import changes_of
from mlops_ci.report.facts import facts_of, shipped_rows
from mlops_ci.report.footer import footer_parts
from mlops_ci.report.forest import legend
from mlops_ci.report.labels import sides_of
from mlops_ci.report.markup import hypertext
from mlops_ci.report.model import Plot, Report, Section
from mlops_ci.report.numbers import count, show_percent
from mlops_ci.report.phrase import Phrase, quoted, text
from mlops_ci.report.rows import gate_rows, metric_rows
from mlops_ci.report.sentences import lead
from mlops_ci.report.words import headline_phrase, mark_of, report_headline, report_mark

SLICES = 500  # rows: what a page can hold and a person can look through


def render_html(report: Report) -> str:
    """Light and dark by the reader's setting; tables sort by their heads, also by keyboard."""
    template = _environment().get_template("page.html.j2")
    view = {
        "title": f"{report_mark(report)} {report_headline(report)}",
        "mark": report_mark(report),
        "headline": report_headline(report),
        "sections": [_section(section, report) for section in report.models],
        "footer": [_footer_part(part) for part in footer_parts(report)],
    }
    return str(template.render(view))


@cache
def _environment() -> Any:
    import jinja2
    from markupsafe import Markup

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("mlops_ci.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["html"] = lambda phrase: Markup(hypertext(phrase))  # noqa: S704 - it escapes
    made.filters["count"] = count
    made.globals.update(legend=legend(), open_legend=legend(gated=False))
    return made


def _section(section: Section, report: Report) -> dict[str, Any]:
    comparison = section.comparison
    sides = sides_of(comparison, report.base_name, report.head_name) if comparison else None
    failure = section.failure
    example = paste(section)
    return {
        "model": section.model,
        "state": section.state,
        "mark": mark_of(section),
        "title": headline_phrase(section),
        "lead": lead(section, report),
        "base": sides.base if sides else None,
        "head": sides.head if sides else text(report.head_name),
        "level": show_percent(comparison.level) if comparison else "interval",
        "gates": gate_rows(section),
        "metrics": metric_rows(section.metrics, slices=False),
        "slices": metric_rows(section.metrics, slices=True, most=SLICES),
        "more_slices": max(0, sum(m.slice is not None for m in section.metrics) - SLICES),
        "yardstick": [quoted(c) for c in comparison.changes] if comparison else [],
        "paste": example[1] if example else "",
        "changes": changes_of(section),
        "facts": facts_of(section),
        "failure": failure,
        "shipped": shipped_rows(section),
        "plots": [_plot(plot) for plot in section.plots],
    }


def _plot(plot: Plot) -> dict[str, str]:
    return {
        "name": plot.name,
        "title": plot.title,
        "light": _data_url(plot.light),
        "dark": _data_url(plot.dark),
    }


def _data_url(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def _footer_part(part: Phrase | tuple[str, str]) -> dict[str, Any]:
    if isinstance(part, Phrase):
        return {"phrase": part, "words": "", "address": ""}
    words, address = part
    safe = address.startswith(("https://", "http://"))
    return {"phrase": None, "words": words, "address": address if safe else ""}
