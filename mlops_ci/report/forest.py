"""One row of a forest plot as text: the rule of the verdict, drawn from the gate's own numbers.

    ░░░░░░┊    │  ├──●──┤

The axis is counted in the gate's margin and turned so that right is better. `░` beyond the limit,
`┊` the limit, `│` no change (of a floor or ceiling: base's value), `├─●─┤` the interval, `◀ ▶` it
goes on. A solid interval wholly right of `┊` passed, wholly left of it failed, across it is
undecided. What carries no decision is not solid: `├╌●╌┤` were other rows, `○` a number without any.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from mlops_ci.records.results import GateResult, MetricResult
from mlops_ci.value import Value

WIDTH = 22
LIMIT, ZERO = 6, 11  # columns
PER_MARGIN = ZERO - LIMIT
PER_HALF_WIDTH = 4
RIGHT = WIDTH - LIMIT - 1  # columns on the good side of the limit
WEAK = ("unpaired", "unscored", "relabelled", "unknown-rows", "new-rows")


class Interval(Value, frozen=True):
    """Oriented so that + is better, with the limit at 0; without a gate, no change at 0.

    `mark` is where `│` goes. `closed`: a lower end exactly on the limit keeps the promise.
    """

    estimate: float
    low: float | None
    high: float | None
    mark: float | None
    closed: bool = False
    solid: bool = True

    @property
    def half_width(self) -> float:
        if self.low is None or self.high is None:
            return abs(self.estimate)
        return (self.high - self.low) / 2


def draw_gate(gate: GateResult, metric: MetricResult | None) -> str:
    """22 columns; all blank but for the limit when there is no estimate."""
    interval = _interval_of(gate, metric)
    if interval is None:
        return _canvas(LIMIT, None)
    scale = _scale(interval, gate)
    return _draw(interval, lambda value: LIMIT + value * scale, LIMIT)


def draw_metric(metric: MetricResult) -> str:
    """Without a gate: no limit, and the axis counted in half-widths of the interval, as large as
    they fit.
    """
    if metric.difference is None or metric.higher_is_better is None:
        return " " * WIDTH
    sign = 1.0 if metric.higher_is_better else -1.0
    ends = sorted(sign * end for end in (metric.low, metric.high) if end is not None)
    low, high = (ends[0], ends[1]) if len(ends) == 2 else (None, None)
    interval = Interval(sign * metric.difference, low, high, 0.0)
    scale = _scale_of_half_widths(interval)
    return _draw(interval, lambda value: ZERO + value * scale, None)


def legend(*, gated: bool = True, compared: bool = True) -> str:
    """The head of the column, in the columns of the rows below it."""
    if not gated:
        return "worse      │0   better"
    return "worse ┊gate│0   better" if compared else "worse ┊gate     better"


def _interval_of(gate: GateResult, metric: MetricResult | None) -> Interval | None:
    upwards = gate.kind == "min"
    room = -gate.limit if upwards else gate.limit
    mark = None if metric is None else metric.base
    if gate.quantity == "difference":
        if metric is None or metric.higher_is_better is None or gate.margin is None:
            return None
        upwards, room, mark = metric.higher_is_better, gate.margin, 0.0
    if gate.estimate is None:
        return None
    sign = 1.0 if upwards else -1.0
    ends = sorted(room + sign * end for end in (gate.low, gate.high) if end is not None)
    low, high = (ends[0], ends[1]) if len(ends) == 2 else (None, None)
    return Interval(
        room + sign * gate.estimate,
        low,
        high,
        None if mark is None else room + sign * mark,
        closed=gate.quantity == "value" or low == high,
        solid=gate.reason not in WEAK,
    )


def margins_of(
    gate: GateResult, metric: MetricResult | None
) -> tuple[float, float | None, float | None] | None:
    """Estimate and interval counted in margins: the limit is −1, no change (or base's value) is 0,
    + is better. None where base and limit are too near each other to count in.
    """
    interval = _interval_of(gate, metric)
    if interval is None or not interval.mark or interval.mark < 0:
        return None
    room = interval.mark
    if gate.quantity == "value" and interval.half_width >= 2 * room:
        return None
    ends = (interval.estimate, interval.low, interval.high)
    found = [None if end is None else end / room - 1 for end in ends]
    return found[0] or 0.0, found[1], found[2]


def _scale(interval: Interval, gate: GateResult) -> float:
    """Columns for one unit. The room between base and limit is the axis' unit; where there is none
    or it is small beside the interval, the picture is fitted to what it shows.
    """
    room = interval.mark or 0.0
    if room > 0 and (gate.quantity == "difference" or interval.half_width < 2 * room):
        return PER_MARGIN / room
    ends = [interval.estimate, interval.low or 0.0, interval.high or 0.0, interval.mark or 0.0]
    right, left = max(*ends, 0.0), max(*(-end for end in ends), 0.0)
    fits = [columns / size for columns, size in ((RIGHT, right), (LIMIT, left)) if size > 0]
    return min(fits, default=0.0)


def _scale_of_half_widths(interval: Interval) -> float:
    if not interval.half_width:
        return 0.0
    ends = [interval.estimate, interval.low or 0.0, interval.high or 0.0]
    right, left = max(*ends, 0.0), max(*(-end for end in ends), 0.0)
    sides = ((WIDTH - ZERO - 1, right), (ZERO, left))
    fits = min(columns / size for columns, size in sides if size > 0)
    most = PER_HALF_WIDTH / interval.half_width
    return min(most, max(fits, 1 / interval.half_width))


def _draw(interval: Interval, column: Callable[[float], float], limit: int | None) -> str:
    """Rounding moves nothing across the limit (without one, across no change): a column beside it
    is kept for each side.
    """
    divide = ZERO if limit is None else limit
    place = _placer(column, divide)
    mark = None if interval.mark is None else _nearest(column(interval.mark))
    cells = list(_canvas(limit, mark))
    dot = place(interval.estimate, interval.estimate >= 0)
    if limit is None and interval.estimate == 0:
        dot = ZERO
    if interval.low is None or interval.high is None:
        cells[min(max(dot, 0), WIDTH - 1)] = "○"
        return "".join(cells)
    low = place(interval.low, interval.low > 0 or (interval.closed and interval.low == 0))
    high = place(interval.high, interval.high >= 0)
    _draw_line(cells, (low, dot, high), "─" if interval.solid else "╌")
    if low < divide < high and dot != divide:
        cells[divide] = "│" if limit is None else "┊"
    return "".join(cells)


def _draw_line(cells: list[str], ends: tuple[int, int, int], line: str) -> None:
    low, dot, high = ends
    for at in range(max(low, 0), min(high, WIDTH - 1) + 1):
        cells[at] = line
    for at, end in ((low, "├"), (high, "┤")):
        if 0 <= at < WIDTH:
            cells[at] = end
    if low < 0 >= high or high >= WIDTH - 1 <= low < high or low >= WIDTH:  # outside, all of it
        dot = 1 if high <= 0 else WIDTH - 2
    if 0 <= dot < WIDTH:
        cells[dot] = "●"
    if low < 0:
        cells[0] = "◀"
    if high >= WIDTH:
        cells[-1] = "▶"


def _placer(column: Callable[[float], float], divide: int) -> Callable[[float, bool], int]:
    def place(value: float, inside: bool) -> int:  # noqa: FBT001 - the side of the limit
        at = _nearest(column(value))
        return max(at, divide + 1) if inside else min(at, divide - 1)

    return place


def _nearest(column: float) -> int:
    """Halves go right; beyond the picture is one column beside it."""
    return math.floor(max(-1.0, min(float(WIDTH), column)) + 0.5)


def _canvas(limit: int | None, mark: int | None) -> str:
    cells = [" "] * WIDTH
    if mark is not None and 0 <= mark < WIDTH:
        cells[mark] = "│"
    if limit is not None:
        cells[:limit] = "░" * limit
        cells[limit] = "┊"
    return "".join(cells)
