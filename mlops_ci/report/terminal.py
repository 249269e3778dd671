"""The report in a terminal: colours where there are any, narrow and wide; plain text when piped."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from mlops_ci.report.changes import changes_of
from mlops_ci.report.facts import shipped_rows
from mlops_ci.report.footer import footer_parts
from mlops_ci.report.forest import legend
from mlops_ci.report.labels import sides_of
from mlops_ci.report.model import Report, Section
from mlops_ci.report.numbers import NBSP, count, show_percent
from mlops_ci.report.phrase import Phrase, code, join, quoted, text
from mlops_ci.report.rows import Row, gate_rows, metric_rows
from mlops_ci.report.sentences import lead, paste
from mlops_ci.report.words import headline_phrase, mark_of

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

# A terminal's emoji are of uncertain width: these signs are one column everywhere.
SIGNS = {"✅": "✓", "❌": "✗", "⚠️": "?", "⛔": "✗", "💥": "✗", "📏": "·", "🌱": "+", "💤": "·",
         "🚀": "✓", "📦": "✓", "↩️": "↩"}  # fmt: skip
COLOURS = {"✅": "green", "❌": "red", "⚠️": "yellow", "⛔": "red", "💥": "red", "🚀": "green",
           "📏": "cyan", "🌱": "cyan", "↩️": "red"}  # fmt: skip
WIDE = 100  # columns: from here on the sides' values have room beside the picture
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
    example = paste(section)
    if example:
        yield _text(text("A gate says what may be lost:"))
        yield _text(text("\n".join(f"  {line}" for line in example[1].splitlines())), "cyan")
    changes = changes_of(section)
    if changes:
        yield _text(text("changed: ") + join(changes, " · "))
    for _, step, what in shipped_rows(section):
        yield _text(text(f"{step}: ") + what)


def _failure(section: Section) -> Iterable[Any]:
    failure = section.failure
    if failure is None:
        return
    if failure.tail.strip():
        yield _text(
            text("\n".join(f"  │ {line}" for line in failure.tail.splitlines()[-30:])), "dim"
        )
    for words, said in (
        ("where: ", failure.where),
        ("to do: ", failure.fix),
        ("more: ", failure.link),
    ):
        if said:
            yield _text(text(words + said))


def _tables(section: Section, report: Report, width: int) -> Iterable[Table]:
    comparison = section.comparison
    if comparison is None:
        return
    sides = sides_of(comparison, report.base_name, report.head_name)
    names = (str(sides.base) if sides.base else None, str(sides.head))
    level = show_percent(comparison.level)
    gates = gate_rows(section)
    if gates:
        yield _table(gates, names, level, width)
    elif section.state != "live":
        rows = metric_rows(section.metrics, slices=False)
        yield _table(rows[:WHOLE], names, level, width, gated=False)
        if len(rows) > WHOLE:
            yield _table((), (None, ""), f"{count(len(rows) - WHOLE)} more", width)


def _table(
    rows: Sequence[Row],
    names: tuple[str | None, str],
    level: str,
    width: int,
    *,
    gated: bool = True,
) -> Table:
    from rich.table import Table

    base, head = names
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    wide = width >= WIDE
    table.add_column("")
    table.add_column("metric", overflow="fold")
    if base is not None:
        table.add_column(f"change ({level})", justify="right", no_wrap=True)
        table.add_column(legend(gated=gated), no_wrap=True)
    if base is not None and wide:
        table.add_column(base, justify="right", no_wrap=True)
    if wide or base is None:
        table.add_column(head, justify="right", no_wrap=True)
    if base is None:
        table.add_column(f"{level} interval", no_wrap=True)
    if gated:
        table.add_column("gate", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row, base is not None, wide, gated))
    return table


def _cells(row: Row, compared: bool, wide: bool, gated: bool) -> list[Any]:  # noqa: FBT001
    from rich.text import Text

    colour = COLOURS.get(row.mark, "")
    cells: list[Any] = [Text(SIGNS.get(row.mark, ""), colour), _text(row.name)]
    if compared:
        change = f"{row.change} {row.within}".rstrip().replace(NBSP, " ")
        cells += [Text(change), Text(row.picture, colour)]
    if compared and wide:
        cells.append(Text(row.base))
    if wide or not compared:
        cells.append(Text(row.head))
    if not compared:
        cells.append(Text(row.own.replace(NBSP, " ")))
    if gated:
        cells.append(Text(row.gate.replace(NBSP, " ")))
    return cells


def _text(phrase: Phrase, style: str = "") -> Text:
    """Control characters of others' names and logs never reach the terminal."""
    from rich.text import Text

    made = Text(style=style)
    for kind, content in phrase.spans:
        clean = "".join(c for c in content.replace(NBSP, " ") if c == "\n" or c.isprintable())
        made.append(clean, style="bold" if kind != "text" else "")
    return made
