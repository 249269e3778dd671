"""The report in a terminal: colours where there are any, narrow and wide; plain text when piped."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from mlops_ci.report.advice import paste
from mlops_ci.report.changes import changes_of
from mlops_ci.report.contract import contract_rows
from mlops_ci.report.effects import effects_of
from mlops_ci.report.facts import notes_of, shipped_rows
from mlops_ci.report.footer import footer_parts
from mlops_ci.report.forest import legend
from mlops_ci.report.labels import sides_of
from mlops_ci.report.model import Report, Section
from mlops_ci.report.numbers import ABSENT, NBSP, count, show_percent
from mlops_ci.report.permission import lead_of_many
from mlops_ci.report.phrase import Phrase, code, join, quoted, text
from mlops_ci.report.robustness import robustness_rows
from mlops_ci.report.rows import Row, gate_rows, metric_rows
from mlops_ci.report.sentences import lead
from mlops_ci.report.words import headline_phrase, mark_of, report_headline
from mlops_ci.value import Value

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

# A terminal's emoji are of uncertain width: these signs are one column everywhere.
SIGNS = {"✅": "✓", "❌": "✗", "⚠️": "?", "⛔": "✗", "💥": "✗", "📏": "·", "🌱": "+", "💤": "·",
         "🚀": "✓", "📦": "✓", "↩️": "↩"}  # fmt: skip
COLOURS = {"✅": "green", "❌": "red", "⚠️": "yellow", "⛔": "red", "💥": "red", "🚀": "green",
           "📏": "cyan", "🌱": "cyan", "↩️": "red"}  # fmt: skip
WIDE = 100  # columns: from here on the sides' values have room beside the picture
PICTURED = 64  # columns: from here on there is room for the picture
TAIL = 30  # lines of a log
WHOLE = 30  # metrics that a terminal shows without being asked for a page


def render_terminal(report: Report, width: int = 100, *, color: bool = False) -> str:
    from rich.console import Console

    stream = io.StringIO()
    console = Console(
        file=stream,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    for part in _parts(report, width):
        console.print(part)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def _parts(report: Report, width: int) -> Iterable[Any]:
    touched = [section for section in report.models if section.state != "untouched"]
    untouched = [section for section in report.models if section.state == "untouched"]
    if len(touched) > 1:
        yield _text(report_headline(report), "bold")
        yield _text(lead_of_many(report))
        yield ""
    for section in touched:
        yield from _section(section, report, width)
        yield ""
    if untouched:
        names = join((code(section.model) for section in untouched[:20]), ", ")
        yield _text(text("untouched by this change: ") + names)
    parts = (part if isinstance(part, Phrase) else text(f"{part[0]}: {part[1]}")
             for part in footer_parts(report))  # fmt: skip
    yield _text(join(parts, " · "), "dim")


def _section(section: Section, report: Report, width: int) -> Iterable[Any]:
    mark = mark_of(section)
    heading = text(f"{SIGNS.get(mark, '·')} ") + headline_phrase(section)
    yield _text(heading, f"bold {COLOURS.get(mark, '')}".strip())
    said = lead(section, report)
    if said:
        yield _text(said)
    yield from _failure(section)
    for change in section.comparison.changes if section.comparison else ():
        yield _text(text("! the yardstick changes: ") + quoted(change), "yellow")
    yield from _tables(section, report, width)
    yield from _contract(section)
    yield from _robustness(section)
    yield from (_text(text("note: ") + quoted(note), "yellow") for note in notes_of(section))
    example = paste(section)
    if example:
        yield _text(text("A gate says what may be lost:"))
        yield _text(text("\n".join(f"  {line}" for line in example[1].splitlines())), "cyan")
    effects = effects_of(section, gated=bool(section.gates))
    if effects:
        yield _text(text("what the rows did, what the model did:"))
        yield from (_text(text("  ") + effect) for effect in effects)
    changes = changes_of(section)
    if changes:
        yield _text(text("changed: ") + join(changes, " · "))
    for _, step, what in shipped_rows(section):
        yield _text(text(f"{step}: ") + what)


def _contract(section: Section) -> Iterable[Any]:
    """What does not hold, a line each; of what holds the lead says how much it is."""
    for row in contract_rows(section):
        if row.word != "passed":
            head = text(f"{SIGNS.get(row.mark, '·')} data contract: ") + row.name + text(": ")
            asked = text(" (asked: ") + row.asked + text(")")
            yield _text(head + row.found + asked, COLOURS.get(row.mark, ""))


def _robustness(section: Section) -> Iterable[Any]:
    for row in robustness_rows(section):
        head = text(f"{SIGNS.get(row.mark, '·')} changed rows, ") + row.name
        values = f": {row.clean} → {row.changed}, {row.change}" if row.change != ABSENT else ""
        gate = f" (gate: {row.gate})" if row.gate else ""
        yield _text(head + text(values + gate) + row.note, COLOURS.get(row.mark, ""))


def _failure(section: Section) -> Iterable[Any]:
    failure = section.failure
    if failure is None:
        return
    if failure.tail.strip():
        lines = failure.tail.splitlines()[-TAIL:]
        yield _text(text("\n".join(f"  │ {line}" for line in lines)), "dim")
    said = {"where: ": failure.where, "to do: ": failure.fix, "more: ": failure.link}
    yield from (_text(text(words + what)) for words, what in said.items() if what)


def _tables(section: Section, report: Report, width: int) -> Iterable[Any]:
    comparison = section.comparison
    if not section.metrics and not section.gates:
        return
    sides = sides_of(comparison, report.base_name, report.head_name) if comparison else None
    shape = Shape(
        str(sides.base) if sides and sides.base else None,
        str(sides.head) if sides else report.head_name,
        _printable(show_percent(comparison.level)) if comparison else "",
        width=width,
        gated=bool(section.gates),
    )
    if shape.gated:
        yield _table(gate_rows(section), shape)
    elif section.state != "live":
        yield _table(metric_rows(section.whole, WHOLE), shape)
        more = len(section.whole) - WHOLE
        if more > 0:
            yield _text(text(f"and {count(more)} more: see the page (--html)"), "dim")


class Shape(Value, frozen=True):
    """Which columns a table has. `base` None: a first run."""

    base: str | None
    head: str
    level: str
    width: int
    gated: bool

    @property
    def wide(self) -> bool:
        return self.width >= WIDE

    @property
    def pictured(self) -> bool:
        return self.base is not None and self.width >= PICTURED

    @property
    def ranged(self) -> bool:
        return self.base is None and self.width >= PICTURED


def _table(rows: Sequence[Row], shape: Shape) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("")
    table.add_column("metric", overflow="fold")
    if shape.base is not None:
        table.add_column(f"change ({shape.level})", justify="right", no_wrap=True)
    if shape.pictured:
        table.add_column(legend(gated=shape.gated), no_wrap=True)
    if shape.base is not None and shape.wide:
        table.add_column(_printable(shape.base), justify="right", no_wrap=True)
    if shape.wide or shape.base is None:
        table.add_column(_printable(shape.head), justify="right", no_wrap=True)
    if shape.ranged:
        table.add_column(f"{shape.level} interval".strip(), no_wrap=True)
    if shape.gated:
        table.add_column("gate", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row, shape))
    return table


def _cells(row: Row, shape: Shape) -> list[Any]:
    from rich.text import Text

    colour = COLOURS.get(row.mark, "")
    cells: list[Any] = [Text(SIGNS.get(row.mark, ""), colour), _text(row.name)]
    if shape.base is not None:
        change = f"{row.change} {row.within}".rstrip().replace(NBSP, " ")
        cells.append(Text(change))
    if shape.pictured:
        cells.append(Text(row.picture, colour))
    if shape.base is not None and shape.wide:
        cells.append(Text(row.base))
    if shape.wide or shape.base is None:
        cells.append(Text(row.head))
    if shape.ranged:
        cells.append(Text(row.own.replace(NBSP, " ")))
    if shape.gated:
        cells.append(Text(row.gate.replace(NBSP, " ")))
    return cells


def _printable(content: str) -> str:
    """Control characters of others' names and logs never reach the terminal."""
    return "".join(c for c in content.replace(NBSP, " ") if c == "\n" or c.isprintable())


def _text(phrase: Phrase, style: str = "") -> Text:
    from rich.text import Text

    made = Text(style=style)
    for kind, content in phrase.spans:
        made.append(_printable(content), style="bold" if kind != "text" else "")
    return made
