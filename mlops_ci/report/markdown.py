"""The report as GitHub's markdown: the comment, and the job's summary, by one template."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from mlops_ci.report.advice import paste
from mlops_ci.report.changes import changes_of
from mlops_ci.report.facts import facts_of, shipped_rows
from mlops_ci.report.footer import footer_parts
from mlops_ci.report.forest import legend
from mlops_ci.report.labels import sides_of
from mlops_ci.report.markup import code_span, fenced, markdown, picture, plain, summary
from mlops_ci.report.model import Report, Section
from mlops_ci.report.numbers import NBSP, count, show_percent
from mlops_ci.report.phrase import Phrase, clip, code, join, quoted, text
from mlops_ci.report.rows import Row, gate_row, gate_rows, metric_row, metric_rows
from mlops_ci.report.sentences import lead
from mlops_ci.report.words import (
    headline_phrase,
    main_metric,
    mark_of,
    report_headline,
    report_mark,
)

COMMENT = 65_000  # code points: GitHub's own limit is near 65,536
SUMMARY = 1_000_000  # bytes of UTF-8: GitHub refuses more than 1 MiB
SHORTEST_ROW = 60  # code points of a table's row: a rung that cannot fit is not tried
SHOWN = 8  # metrics without a gate that stand open
NAMED = 3  # changes that are named without unfolding them
OPEN = 3  # models whose sections stand open


@dataclass(frozen=True)
class Rung:
    """One rung of the ladder: what is shown. `rows` bounds each table, `models` their number,
    `tail` the characters of a log; None: everything.
    """

    metrics: bool = True
    slices: bool = True
    facts: bool = True
    passed: bool = True
    rows: int | None = None
    models: int | None = None
    sections: int | None = None
    tail: int = 6000

    @property
    def full(self) -> bool:
        return self == Rung()


LADDER = (
    Rung(),
    Rung(slices=False),
    Rung(slices=False, metrics=False),
    Rung(slices=False, metrics=False, facts=False, tail=3000),
    Rung(slices=False, metrics=False, facts=False, passed=False, tail=2000, sections=30),
    *(
        Rung(
            slices=False,
            metrics=False,
            facts=False,
            passed=False,
            rows=rows,
            models=4 * rows,
            sections=rows // 4,
            tail=30 * rows,
        )
        for rows in (100, 50, 25, 10, 4, 1, 0)
    ),
)


def render_markdown(report: Report, limit: int = COMMENT) -> str:
    """At most `limit` code points: the first rung that fits, cut between rows and never in one."""
    return _first_that_fits(report, limit, len)


def render_summary(report: Report, limit: int = SUMMARY) -> str:
    """The same, for the job's summary: at most `limit` bytes."""
    return _first_that_fits(report, limit, lambda content: len(content.encode()))


def _first_that_fits(report: Report, limit: int, size: Callable[[str], int]) -> str:
    content = ""
    for rung in LADDER:
        if _slices(report) * SHORTEST_ROW > limit and rung.slices:
            continue
        content = _render(report, rung)
        if size(content) <= limit:
            return content
    line = f"### {report_mark(report)} {markdown(report_headline(report))}\n"
    return line if size(line) <= limit else ""


def _slices(report: Report) -> int:
    return sum(m.slice is not None for section in report.models for m in section.metrics)


def _render(report: Report, rung: Rung) -> str:
    template = environment().get_template("comment.md.j2")
    return str(template.render(view_of(report, rung))).rstrip("\n") + "\n"


@cache
def environment() -> Any:
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("mlops_ci.report", "templates"),
        autoescape=False,  # noqa: S701 - markdown: names are escaped by markup.py
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["cell"] = lambda phrase: markdown(phrase, cell=True)
    made.filters["md"] = markdown
    made.filters["html"] = summary
    made.filters["count"] = count
    made.filters["nbsp"] = lambda content: content.replace(" ", NBSP)
    made.globals.update(nbsp=NBSP, legend=legend(), open_legend=legend(gated=False))
    made.globals["floor_legend"] = legend(compared=False)
    return made


def view_of(report: Report, rung: Rung) -> dict[str, Any]:
    """What the template sees: strings that are markdown already, and lists of them."""
    touched = [section for section in report.models if section.state != "untouched"]
    untouched = [section for section in report.models if section.state == "untouched"]
    many = len(touched) > 1
    shown = touched[: rung.sections] if many and rung.sections is not None else touched
    view: dict[str, Any] = {
        "mark": report_mark(report),
        "headline": markdown(report_headline(report)),
        "many": many,
        "models": [_model_row(section) for section in touched[: rung.models]] if many else [],
        "more_models": len(touched[rung.models :]) if many and rung.models is not None else 0,
        "sections": [_section(section, report, rung, at) for at, section in enumerate(shown)],
        "untouched": markdown(_untouched(untouched)) if touched else "",
        "shortened": not rung.full and _hides(report),
        "footer": " · ".join(_footer(report)),
        "base_name": markdown(code(report.base_name), cell=True),
        "head_name": markdown(text(report.head_name), cell=True),
    }
    return view


def _hides(report: Report) -> bool:
    return any(section.metrics or section.failure for section in report.models)


def _section(section: Section, report: Report, rung: Rung, at: int) -> dict[str, Any]:
    comparison = section.comparison
    gates = gate_rows(section)
    kept = gates if rung.passed else tuple(row for row in gates if row.word != "passed")
    kept = kept[: rung.rows] if rung.rows is not None else kept
    sides = sides_of(comparison, report.base_name, report.head_name) if comparison else None
    example = paste(section)
    metrics = metric_rows(section.metrics, slices=False)
    slices = metric_rows(section.metrics, slices=True) if rung.metrics and rung.slices else ()
    changes = changes_of(section)
    folded = metrics if rung.metrics and _has_more(section, len(metrics), len(slices)) else ()
    return {
        "state": section.state,
        "mark": mark_of(section),
        "title": headline_phrase(section),
        "lead": markdown(lead(section, report)),
        "open": at < OPEN and mark_of(section) in ("❌", "💥", "⛔"),
        "base": markdown(sides.base, cell=True) if sides and sides.base else None,
        "head": markdown(sides.head, cell=True) if sides else "",
        "gates": kept,
        "more_gates": len(gates) - len(kept),
        "own": () if gates else metrics[:SHOWN],
        "yardstick": [markdown(quoted(change)) for change in _changes(section)],
        "paste": fenced(example[1], example[0]) if example else "",
        "metrics": folded,
        "slices": slices,
        "metrics_title": _metrics_title(len(metrics), len(slices)),
        "changes": [markdown(change) for change in changes] if rung.facts else [],
        "changes_title": summary(text("What changed: ") + join(changes[:NAMED], " · "))
        + (" · …" if len(changes) > NAMED else ""),
        "pictures": [
            picture(plot.title, plot.light_url, plot.dark_url or plot.light_url)
            for plot in section.plots
            if rung.facts and plot.light_url
        ],
        "facts": [markdown(fact) for fact in facts_of(section)] if rung.facts else [],
        "failure": _failure(section, rung),
        "shipped": [
            (mark, step, markdown(what, cell=True)) for mark, step, what in shipped_rows(section)
        ],
        "level": show_percent(comparison.level) if comparison else "",
    }


def _has_more(section: Section, metrics: int, slices: int) -> bool:
    """Whether there is anything to unfold that the open table has not shown."""
    if slices or (not section.gates and metrics > SHOWN):
        return True
    gated = {(gate.metric, gate.slice) for gate in section.gates}
    rest = [m for m in section.metrics if (m.metric, m.slice) not in gated]
    return bool(rest) and bool(section.gates)


def _metrics_title(metrics: int, slices: int) -> str:
    whole = "One metric" if metrics == 1 else f"All {count(metrics)} metrics"
    return f"{whole} · {count(slices)} by slice" if slices else whole


def _changes(section: Section) -> tuple[str, ...]:
    return section.comparison.changes[:20] if section.comparison is not None else ()


def _failure(section: Section, rung: Rung) -> dict[str, str] | None:
    failure = section.failure
    if failure is None:
        return None
    tail = failure.tail.strip("\n")[-rung.tail :] if rung.tail else ""
    fix = failure.fix.strip("\n")[:4000]
    return {
        "tail": fenced(_without_controls(tail)) if tail.strip() else "",
        "where": _where(failure.where),
        "fix": _fix(fix),
        "link": failure.link,
    }


def _where(where: str) -> str:
    """A file, an option, an address; or several lines, as of a traceback."""
    lines = where.strip("\n")[-3000:]
    if "\n" not in lines:
        return code_span(clip(lines, 300)) if lines else ""
    return f"\n{fenced(_without_controls(lines))}"


def _fix(fix: str) -> str:
    """The first line is a sentence, what follows is there to be pasted."""
    if not fix:
        return ""
    first, _, rest = fix.partition("\n")
    if not rest.strip():
        return markdown(quoted(first))
    return f"{markdown(quoted(first))}\n{fenced(rest, 'yaml' if ':' in rest else '')}"


def _without_controls(content: str) -> str:
    import re

    plain_text = re.sub(r"\x1b\[[0-?]*[ -/]*[@-~]", "", content).replace("\r\n", "\n")
    return "".join(c for c in plain_text if c in "\n\t" or c.isprintable())


def _model_row(section: Section) -> dict[str, str]:
    """One model in the table of many: by the gate that decides, else by its main metric."""
    metric = main_metric(section)
    row: Row | None = None
    gates = section.gates
    if gates and gates[0].verdict == "pass" and metric is not None:
        gates = tuple(gate for gate in gates if gate.metric == metric.metric) or gates
    if gates:
        row = gate_row(gates[0], section.metric_of(gates[0]))
    elif metric is not None and section.state != "failed":
        row = metric_row(metric)
    return {
        "mark": mark_of(section),
        "name": markdown(code(section.model), cell=True),
        "metric": markdown(row.name, cell=True) if row else "",
        "change": row.change if row else "",
        "within": row.within if row else "",
        "picture": code_span(row.picture.replace(" ", NBSP)) if row and row.gate else "",
        "base": row.base if row else "",
        "head": row.head if row else "",
    }


def _untouched(sections: list[Section]) -> Phrase:
    if not sections:
        return Phrase()
    names = join((code(section.model) for section in sections[:20]), ", ")
    rest = len(sections) - 20
    more = text(f" and {count(rest)} more") if rest > 0 else Phrase()
    one = "1 more model is" if len(sections) == 1 else f"{count(len(sections))} more models are"
    return text(f"{one} untouched by this change: ") + names + more + text(".")


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
