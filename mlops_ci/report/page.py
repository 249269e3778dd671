"""The report as one HTML page that needs nothing else: no network, no scripts of others."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from mlops_ci.report.advice import paste
from mlops_ci.report.changes import changes_of
from mlops_ci.report.contract import contract_rows
from mlops_ci.report.documents import without_controls
from mlops_ci.report.effects import effects_of
from mlops_ci.report.facts import facts_of, notes_of, shipped_rows
from mlops_ci.report.footer import footer_parts
from mlops_ci.report.labels import sides_of
from mlops_ci.report.lineage import lineage_of, made_by
from mlops_ci.report.model import Plot, Report, Section
from mlops_ci.report.numbers import show_percent
from mlops_ci.report.permission import lead_of_many
from mlops_ci.report.phrase import Phrase, quoted, text
from mlops_ci.report.robustness import robustness_rows
from mlops_ci.report.rows import Row, gate_rows, metric_rows
from mlops_ci.report.sentences import lead
from mlops_ci.report.templating import PAGE, render
from mlops_ci.report.words import headline_phrase, mark_of, report_headline, report_mark
from mlops_ci.value import Value

MOST_BYTES = 300_000  # of a page besides its pictures: what a browser opens and sorts at once
NOTES = 2  # of a model in a page of very many
ROW_BYTES = 220  # of the shortest row


class Reach(Value, frozen=True):
    """Rows of each model's tables; None: all. `terms`: of a data contract, and ways of changing
    rows. `models`: how many have a section of their own; `background`: how each was measured.
    """

    slices: int = 500
    metrics: int | None = None
    gates: int | None = None
    models: int | None = None
    terms: int = 300
    background: bool = True


LADDER = (
    *(Reach(slices) for slices in (500, 300, 150, 50)),
    *(Reach(slices=50, metrics=metrics) for metrics in (800, 500, 300)),
    *(Reach(slices=20, metrics=metrics, gates=200, terms=50) for metrics in (100, 30, 10)),
    *(Reach(slices=0, metrics=0, gates=gates, terms=gates) for gates in (50, 20, 10)),
    Reach(slices=0, metrics=0, gates=4, terms=4, background=False),
    *(
        Reach(slices=0, metrics=0, gates=2, terms=2, models=models, background=False)
        for models in (100, 50, 25)
    ),
)


def render_html(report: Report) -> str:
    """Light and dark by the reader's setting; tables sort by their heads, also by keyboard. What
    is left out of a long page is counted, the best last.
    """
    page = ""
    pictures = sum(len(_data_url(picture)) for picture in _pictures(report))
    for reach in LADDER:
        if reach is not LADDER[-1] and _rows(report, reach) * ROW_BYTES > MOST_BYTES:
            continue
        page = _render(report, reach)
        if len(page.encode()) - pictures <= MOST_BYTES:
            break
    return page


def _rows(report: Report, reach: Reach) -> int:
    found = 0
    for section in report.models[: reach.models]:
        whole, sliced = len(section.whole), len(section.sliced)
        found += min(sliced, reach.slices)
        found += whole if reach.metrics is None else min(whole, reach.metrics)
        found += min(len(section.gates), reach.gates or len(section.gates))
        if section.comparison is not None:
            found += min(len(section.comparison.contract), reach.terms)
    return found


def _pictures(report: Report) -> list[bytes]:
    plots = [plot for section in report.models for plot in section.plots]
    return [picture for plot in plots for picture in (plot.light, plot.dark)]


def _render(report: Report, reach: Reach) -> str:
    touched = [section for section in report.models if section.state != "untouched"]
    view = {
        "title": f"{report_mark(report)} {report_headline(report)}",
        "mark": report_mark(report),
        "headline": report_headline(report),
        "lead": lead_of_many(report) if len(touched) > 1 else Phrase(),
        "sections": [_section(section, report, reach) for section in report.models[: reach.models]],
        "more_models": len(report.models[reach.models :]) if reach.models is not None else 0,
        "footer": [_footer_part(part) for part in footer_parts(report)],
    }
    return render(report, PAGE, view)


def _section(section: Section, report: Report, reach: Reach) -> dict[str, Any]:
    comparison = section.comparison
    sides = sides_of(comparison, report.base_name, report.head_name) if comparison else None
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
        "notes": [quoted(n) for n in notes_of(section)[: None if reach.background else NOTES]],
        "yardstick": [quoted(c) for c in comparison.changes] if comparison else [],
        "paste": example[1] if example else "",
        "changes": changes_of(section),
        "facts": facts_of(section) if reach.background else (),
        "effects": effects_of(section) if reach.background else (),
        "lineage": (*lineage_of(section), *made_by(section)) if reach.background else (),
        "failure": section.failure,
        "tail": without_controls(section.failure.tail) if section.failure else "",
        "shipped": shipped_rows(section),
        "plots": [_plot(plot) for plot in section.plots],
        **_tables(section, reach),
    }


def _tables(section: Section, reach: Reach) -> dict[str, Any]:
    gates, terms, drops = gate_rows(section), contract_rows(section), robustness_rows(section)
    shown: dict[str, Sequence[Row]] = {
        "gates": gates[: reach.gates],
        "metrics": metric_rows(section.whole, reach.metrics),
        "resources": metric_rows(section.resources) if reach.background else (),
        "slices": metric_rows(section.sliced, reach.slices),
    }
    return {
        **shown,
        "contract": terms[: reach.terms],
        "robustness": drops[: reach.terms],
        "more_terms": max(0, len(terms) - reach.terms),
        "more_drops": max(0, len(drops) - reach.terms),
        "more_gates": len(gates) - len(shown["gates"]),
        "more_metrics": len(section.whole) - len(shown["metrics"]),
        "more_slices": len(section.sliced) - len(shown["slices"]),
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
