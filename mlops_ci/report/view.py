"""What the markdown template sees: strings that are markdown already, and lists of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mlops_ci.records import MetricResult
from mlops_ci.report.advice import paste
from mlops_ci.report.changes import changes_of
from mlops_ci.report.contract import contract_blocks
from mlops_ci.report.documents import failure_view
from mlops_ci.report.effects import effects_of
from mlops_ci.report.facts import facts_of, notes_of, shipped_rows
from mlops_ci.report.footer import footer_parts
from mlops_ci.report.labels import full_name, sides_of
from mlops_ci.report.ladder import Rung
from mlops_ci.report.lineage import lineage_of
from mlops_ci.report.markup import code_span, fenced, markdown, picture, plain, summary
from mlops_ci.report.model import Report, Section
from mlops_ci.report.numbers import ABSENT, NBSP, count, show_percent
from mlops_ci.report.open_rows import SHOWN, standing_open
from mlops_ci.report.permission import lead_of_many
from mlops_ci.report.phrase import Phrase, code, join, quoted, text
from mlops_ci.report.robustness import robustness_blocks
from mlops_ci.report.rows import Row, gate_row, metric_row, metric_rows
from mlops_ci.report.sentences import lead
from mlops_ci.report.words import (
    STEPS,
    headline_phrase,
    main_metric,
    mark_of,
    report_headline,
    report_mark,
)

NAMED = 3  # changes that are named without unfolding them
NOTES = 3  # that stand open
OPEN = 3  # models whose sections stand open


def view_of(report: Report, rung: Rung) -> dict[str, Any]:
    touched = [section for section in report.models if section.state != "untouched"]
    untouched = [section for section in report.models if section.state == "untouched"]
    many = len(touched) > 1
    shown = touched[: rung.sections] if many and rung.sections is not None else touched
    return {
        "mark": report_mark(report),
        "headline": markdown(report_headline(report) + _why(untouched, touched)),
        "quiet": bool(untouched) and not touched,
        "many": many,
        "lead": markdown(lead_of_many(report)) if many else "",
        "models": [_model_row(section) for section in touched[: rung.models]] if many else [],
        "more_models": len(touched[rung.models :]) if many and rung.models is not None else 0,
        "sections": [_section(section, report, rung, at) for at, section in enumerate(shown)],
        "untouched": markdown(_untouched(untouched)) if touched else "",
        "shortened": not rung.full and _hides(report),
        "footer": " · ".join(_footer(report)),
        "base_name": markdown(code(report.base_name), cell=True),
        "head_name": markdown(text(report.head_name), cell=True),
    }


def _hides(report: Report) -> bool:
    return any(section.metrics or section.failure for section in report.models)


def _section(section: Section, report: Report, rung: Rung, at: int) -> dict[str, Any]:
    comparison = section.comparison
    sides = sides_of(comparison, report.base_name, report.head_name) if comparison else None
    example = paste(section)
    return {
        "state": section.state,
        "mark": mark_of(section),
        "title": headline_phrase(section),
        "lead": markdown(lead(section, report)),
        "open": at < OPEN and mark_of(section) in ("❌", "💥", "⛔"),
        "base": markdown(sides.base, cell=True) if sides and sides.base else None,
        "head": markdown(sides.head if sides else text(report.head_name), cell=True),
        "level": show_percent(comparison.level) if comparison else "",
        "yardstick": [markdown(quoted(change)) for change in _yardstick(section)],
        "paste": fenced(example[1], example[0]) if example else "",
        "failure": failure_view(section.failure, rung.tail),
        "shipped": [
            (mark, step, markdown(what, cell=True)) for mark, step, what in shipped_rows(section)
        ],
        **standing_open(section, rung),
        **_metrics(section, rung),
        **_background(section, rung),
        "charts": _charts(section, report) if rung.facts else [],
    }


def _metrics(section: Section, rung: Rung) -> dict[str, Any]:
    whole, sliced = section.whole, section.sliced
    unfolds = rung.metrics and _has_more(section, len(whole))
    slices = metric_rows(sliced, rung.slices) if rung.metrics else ()
    own = () if section.gates else metric_rows(whole, SHOWN)
    return {
        "own": own,
        "metrics": metric_rows(whole) if unfolds else (),
        "metrics_title": "One metric" if len(whole) == 1 else f"All {count(len(whole))} metrics",
        "resources": metric_rows(section.resources) if rung.metrics else (),
        "slices": slices,
        "more_slices": len(sliced) - len(slices),
        "slices_title": summary(_slices_title(sliced)) if slices else "",
    }


def _has_more(section: Section, metrics: int) -> bool:
    """Whether there is anything to unfold that the open table has not shown."""
    if not section.gates:
        return metrics > SHOWN
    gated = {(gate.metric, gate.slice) for gate in section.gates}
    return any((metric.metric, None) not in gated for metric in section.whole)


def _slices_title(sliced: Sequence[MetricResult]) -> Phrase:
    names = {metric.slice for metric in sliced}
    said = text(f"{count(len(names))} {'slice' if len(names) == 1 else 'slices'}")
    worst = sliced[0]
    row = metric_row(worst)
    if row.key is None:
        return said
    name = full_name(worst.metric, worst.slice, worst.average)
    return said + text(", the worst: ") + name + text(f" {row.change}")


def _background(section: Section, rung: Rung) -> dict[str, Any]:
    """What is folded away: everything but the verdict and what it rests on."""
    changes = changes_of(section) if rung.facts else ()
    named = text("What changed: ") + join(changes[:NAMED], " · ")
    pictures = [plot for plot in section.plots if rung.facts and plot.light_url]
    return {
        **_notes(section, rung),
        "changes": [markdown(change) for change in changes],
        "changes_title": summary(named) + (" · …" if len(changes) > NAMED else ""),
        "pictures": [
            picture(plot.title, plot.light_url or "", plot.dark_url or plot.light_url or "")
            for plot in pictures
        ],
        "facts": [markdown(fact) for fact in facts_of(section)] if rung.facts else [],
        "effects": [markdown(line) for line in effects_of(section)] if rung.facts else [],
        "lineage": [markdown(line) for line in lineage_of(section)] if rung.facts else [],
    }


def _notes(section: Section, rung: Rung) -> dict[str, Any]:
    """The first stand open; one alone is not worth a fold."""
    notes = [markdown(quoted(note)) for note in notes_of(section)]
    most = NOTES if len(notes) > NOTES + 1 else len(notes)
    return {"notes": notes[:most], "more_notes": notes[most:] if rung.facts else []}


def _charts(section: Section, report: Report) -> list[dict[str, Any]]:
    """Where no picture has an address and the project wants to see them all the same."""
    if not report.charts or any(plot.light_url for plot in section.plots):
        return []
    names = (report.base_name, report.head_name)
    return [
        {
            "title": chart.title,
            "mermaid": fenced(chart.mermaid, "mermaid"),
            "sparks": [
                f"{code_span(spark)} {markdown(code(name))}"
                for spark, name in zip(chart.sparks, names[-len(chart.sparks) :], strict=True)
            ],
        }
        for chart in section.charts
    ]


def _yardstick(section: Section) -> tuple[str, ...]:
    return section.comparison.changes[:20] if section.comparison is not None else ()


def _model_row(section: Section) -> dict[str, str]:
    """One model in the table of many: by the gate that decides, else by its main metric."""
    row = _deciding_row(section)
    failure = section.failure
    stopped = text(STEPS.get(failure.step, f"stopped at {failure.step}")) if failure else Phrase()
    if contract_blocks(section):
        row, stopped = None, text("data contract")
    if robustness_blocks(section):
        row, stopped = None, text("robustness")
    return {
        "mark": mark_of(section),
        "name": markdown(code(section.model), cell=True),
        "metric": markdown(row.name if row else stopped, cell=True),
        "change": row.change if row and row.change != ABSENT else "",
        "within": row.within if row else "",
        "picture": code_span(row.picture.replace(" ", NBSP)) if row and row.gate else "",
        "base": row.base if row else "",
        "head": row.head if row else "",
    }


def _deciding_row(section: Section) -> Row | None:
    metric, gates = main_metric(section), section.gates
    if section.state == "failed":
        return None
    if gates and gates[0].verdict == "pass" and metric is not None:
        gates = tuple(gate for gate in gates if gate.metric == metric.metric) or gates
    if gates:
        return gate_row(gates[0], section.metric_of(gates[0]))
    return metric_row(metric) if metric is not None else None


def _why(untouched: list[Section], touched: list[Section]) -> Phrase:
    """Nothing changed: one quiet line says so, and of what."""
    if touched or not untouched:
        return Phrase()
    if len(untouched) == 1:
        why = untouched[0].why
        return text(": ") + quoted(why) if why else Phrase()
    return text(": ") + _names(untouched)


def _untouched(sections: list[Section]) -> Phrase:
    if not sections:
        return Phrase()
    one = "1 more model is" if len(sections) == 1 else f"{count(len(sections))} more models are"
    return text(f"{one} untouched by this change: ") + _names(sections) + text(".")


def _names(sections: list[Section]) -> Phrase:
    names = join((code(section.model) for section in sections[:20]), ", ")
    rest = len(sections) - 20
    return names + text(f" and {count(rest)} more") if rest > 0 else names


def _footer(report: Report) -> Iterator[str]:
    for part in footer_parts(report):
        if isinstance(part, Phrase):
            yield markdown(part)
        else:
            words, address = part
            yield f"[{plain(words)}](<{_address(address)}>)"


def _address(address: str) -> str:
    from urllib.parse import quote

    return quote(address, safe="/:?=&#%+,;@!~*'()[]$-._")
