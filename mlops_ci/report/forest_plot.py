"""Forest plots as pictures: the twins of the text in the tables, with numbers on their axes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlops_ci.records import Comparison, GateResult, MetricResult
from mlops_ci.report.canvas import Canvas, plain_name
from mlops_ci.report.forest import WEAK, margins_of
from mlops_ci.report.labels import cell_name, metric_name
from mlops_ci.report.model import worst_first

MOST = 24  # rows of a picture
NAME = 26  # characters of a row's name
ROW = 0.24  # inches
WIDTH = 4.6
OVER = 4.0  # margins: what lies beyond is drawn at the edge, as an arrow


@dataclass(frozen=True)
class Row:
    """`low`, `high` are None for a number without rows. `word` is a verdict, or empty."""

    name: str
    estimate: float
    low: float | None
    high: float | None
    word: str = ""
    limit: float | None = None
    solid: bool = True


def gate_forest(gates: Sequence[GateResult], found: Sequence[MetricResult | None]) -> list[Row]:
    """In margins, right is better: the limit lies at −1, no change at 0. Gates on a value, whose
    limit lies nowhere near its base, are left to the table.
    """
    rows = []
    for gate, metric in zip(gates, found, strict=True):
        placed = margins_of(gate, metric)
        if placed is None:
            continue
        name = plain_name(str(cell_name(gate.metric, gate.slice, metric)), NAME)
        rows.append(Row(name, *placed, gate.verdict, -1.0, gate.reason not in WEAK))
    return rows[:MOST]


def slice_forest(comparison: Comparison, metric: MetricResult) -> tuple[str, list[Row]]:
    """Of the metric that a reader looks at first: all rows, then the slices, the worst first."""
    limits = {
        (gate.metric, gate.slice): -gate.margin
        for gate in comparison.gates
        if gate.quantity == "difference" and gate.margin and gate.against == "base"
    }
    verdicts = {(gate.metric, gate.slice): gate.verdict for gate in comparison.gates}
    slices = [m for m in comparison.metrics if m.metric == metric.metric and m.slice is not None]
    shown = [metric, *worst_first(slices)[: MOST - 1]]
    rows = [
        Row(
            plain_name(one.slice or "all rows", NAME),
            *turned,
            verdicts.get((one.metric, one.slice), "") if (one.metric, one.slice) in limits else "",
            limits.get((one.metric, one.slice)),
            one.evidence == "paired",
        )
        for one in shown
        if (turned := _turned(one)) is not None
    ]
    return str(metric_name(metric.metric, metric.average)), rows


def _turned(metric: MetricResult) -> tuple[float, float | None, float | None] | None:
    if metric.difference is None or metric.higher_is_better is None:
        return None
    sign = 1.0 if metric.higher_is_better else -1.0
    ends = sorted(sign * end for end in (metric.low, metric.high) if end is not None)
    low, high = (ends[0], ends[1]) if len(ends) == 2 else (None, None)
    return sign * metric.difference, low, high


def size_of(rows: Sequence[Row]) -> tuple[float, float]:
    return WIDTH, 0.95 + ROW * len(rows)


def draw_forest(canvas: Canvas, rows: Sequence[Row], label: str, reach: float | None) -> None:
    """`reach`: the axis ends there on both sides; None: where the intervals end."""
    axes = canvas.axes()[0]
    canvas.grid(axes, axis="x")
    axes.axvline(0, color=canvas.colours.soft, linewidth=1)
    left, right = _ends(rows, reach)
    for at, row in enumerate(rows):
        _draw_row(canvas, axes, (at, row), (left, right))
    axes.set_yticks(range(len(rows)), [row.name for row in rows])
    axes.tick_params(axis="y", colors=canvas.colours.ink, length=0)
    axes.set(xlim=(left, right), ylim=(len(rows) - 0.4, -0.6), xlabel=label)


def _ends(rows: Sequence[Row], reach: float | None) -> tuple[float, float]:
    ends = [0.0, *_numbers(rows)]
    low, high = min(ends), max(ends)
    if reach is not None:
        low, high = max(low, -reach), min(high, reach)
    room = 0.06 * ((high - low) or 1.0)
    return low - room, high + room


def _numbers(rows: Iterable[Row]) -> list[float]:
    found = [end for row in rows for end in (row.estimate, row.low, row.high, row.limit)]
    return [number for number in found if number is not None]


def _draw_row(
    canvas: Canvas, axes: object, placed: tuple[int, Row], ends: tuple[float, float]
) -> None:
    at, row = placed
    left, right = ends
    colours = canvas.colours
    words = {"pass": colours.head, "fail": colours.bad, "inconclusive": colours.open}
    colour = words.get(row.word, colours.ink)
    draw = axes.plot  # type: ignore[attr-defined]
    if row.limit is not None and row.limit > left:
        axes.fill_betweenx(  # type: ignore[attr-defined]
            [at - 0.42, at + 0.42], left, row.limit, color=colours.bad, alpha=0.14, linewidth=0
        )
        draw([row.limit] * 2, [at - 0.42, at + 0.42], color=colours.bad, linewidth=1)
    if row.low is not None and row.high is not None:
        low, high = (min(max(end, left), right) for end in (row.low, row.high))
        style = "-" if row.solid else (0, (2, 2))
        draw([low, high], [at, at], color=colour, linewidth=1.6, linestyle=style)
        marks = ("<" if low > row.low else "|", ">" if high < row.high else "|")
        for end, mark in zip((low, high), marks, strict=True):
            draw([end], [at], color=colour, marker=mark, markersize=6, clip_on=False)
    dot = min(max(row.estimate, left), right)
    mark = "o" if dot == row.estimate else "<" if dot == left else ">"
    fill = colour if row.low is not None else colours.paper
    draw([dot], [at], color=colour, marker=mark, markersize=5.5, markerfacecolor=fill)
