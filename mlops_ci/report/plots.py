"""Pictures of two models on the same axes: PNG, once for light and once for dark pages.

The same predictions give the same bytes: no time, no version, no random order is in them.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_ci.report.curves import (
    CLASSES,
    bands,
    calibration,
    confusion,
    precision_recall_curve,
    roc_curve,
)
from mlops_ci.report.model import Plot
from mlops_ci.report.phrase import clip

if TYPE_CHECKING:
    from mlops_ci.data import Predictions

SIZE = (4.6, 3.6)  # inches
DPI = 100
MAX_BYTES = 60_000
NAME = 24  # characters of a name in a picture


@dataclass(frozen=True)
class Colours:
    paper: str
    ink: str
    soft: str
    line: str
    base: str
    head: str
    good: str
    bad: str


LIGHT = Colours(
    "#ffffff", "#1f2328", "#59636e", "#d1d9e0", "#818b98", "#0969da", "#0969da", "#cf222e"
)
DARK = Colours(
    "#0d1117", "#f0f6fc", "#9198a1", "#3d444d", "#9198a1", "#4493f8", "#4493f8", "#f85149"
)


@dataclass(frozen=True)
class Side:
    """One model's predictions and what a reader calls it."""

    name: str
    rows: Predictions


Painter = Callable[[Any, "list[Side]", Colours], None]


def draw_plots(
    base: Predictions | None, head: Predictions, names: tuple[str, str] = ("main", "this PR")
) -> tuple[Plot, ...]:
    """`base` None: a first run, head alone. Raises ImportError without matplotlib."""
    pairs = zip(names, (base, head), strict=True)
    sides = [Side(clip(name, NAME), rows) for name, rows in pairs if rows is not None]
    return tuple(
        Plot(name, title, *_paint_both(paint, sides)) for name, title, paint in _pictures(sides)
    )


def _pictures(sides: list[Side]) -> Iterator[tuple[str, str, Painter]]:
    rows = [side.rows for side in sides]
    task = rows[-1].task
    if task == "regression":
        yield "residuals", "Residuals: prediction − actual", _residuals
        yield "residual-bands", "Residuals by prediction: median, 10 % to 90 %", _residual_bands
        return
    scored = all(side.score is not None for side in rows)
    if task == "binary" and scored and all(_both_classes(side) for side in rows):
        yield "roc", "ROC", _roc
        yield "precision-recall", "Precision and recall", _precision_recall
        if all(_is_probability(side) for side in rows):
            yield "calibration", "Calibration: share of positives by score", _calibration
    if all(side.prediction is not None for side in rows):
        title = "Confusion: change in % points" if len(rows) == 2 else "Confusion: % of each class"
        yield "confusion", title, _confusion


def _both_classes(rows: Predictions) -> bool:
    actual = _actual(rows)
    return bool(actual.any() and not actual.all())


def _is_probability(rows: Predictions) -> bool:
    score = rows.score
    return score is not None and bool((score >= 0).all() and (score <= 1).all())


def _actual(rows: Predictions) -> Any:
    positive = rows.classes.index(rows.positive) if rows.positive in rows.classes else 1
    return rows.label == positive


def _paint_both(paint: Painter, sides: list[Side]) -> tuple[bytes, bytes]:
    """The dark one takes its layout from the light one: finding it costs as much as drawing."""
    light, place = _paint(paint, sides, LIGHT)
    return light, _paint(paint, sides, DARK, place)[0]


def _paint(
    paint: Painter, sides: list[Side], colours: Colours, place: Any = None
) -> tuple[bytes, Any]:
    """The picture, and where in it the axes lie; at `place` where that is known."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, dpi=DPI, facecolor=colours.paper)
    canvas: Any = FigureCanvasAgg(figure)
    axes = figure.add_subplot(facecolor=colours.paper)
    if place is None:
        figure.set_layout_engine("constrained")
    else:
        axes.set_position(place)
    axes.tick_params(colors=colours.soft, labelsize=8)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_color(colours.line)
    paint(axes, sides, colours)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set(color=colours.ink, size=9)
    stream = io.BytesIO()
    canvas.print_png(stream, metadata={"Software": None})  # savefig would draw all twice
    return stream.getvalue(), axes.get_position()


def _colour(at: int, sides: list[Side], colours: Colours) -> str:
    return colours.head if at == len(sides) - 1 else colours.base


def _legend(axes: Any, colours: Colours, place: str) -> None:
    axes.legend(loc=place, fontsize=8, labelcolor=colours.ink, frameon=False)


def _grid(axes: Any, colours: Colours) -> None:
    axes.grid(visible=True, color=colours.line, linewidth=0.6)


def _roc(axes: Any, sides: list[Side], colours: Colours) -> None:
    _grid(axes, colours)
    axes.plot([0, 1], [0, 1], color=colours.line, linewidth=1)
    for at, side in enumerate(sides):
        curve = roc_curve(_actual(side.rows), side.rows.score)  # type: ignore[arg-type]
        axes.plot(curve.x, curve.y, color=_colour(at, sides, colours), label=_plain(side.name))
    axes.set(xlabel="false positive rate", ylabel="true positive rate", xlim=(0, 1), ylim=(0, 1.01))
    _legend(axes, colours, "lower right")


def _precision_recall(axes: Any, sides: list[Side], colours: Colours) -> None:
    _grid(axes, colours)
    for at, side in enumerate(sides):
        curve = precision_recall_curve(_actual(side.rows), side.rows.score)  # type: ignore[arg-type]
        axes.plot(curve.x, curve.y, color=_colour(at, sides, colours), label=_plain(side.name))
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.01))
    _legend(axes, colours, "lower left")


def _calibration(axes: Any, sides: list[Side], colours: Colours) -> None:
    _grid(axes, colours)
    axes.plot([0, 1], [0, 1], color=colours.line, linewidth=1)
    for at, side in enumerate(sides):
        found = calibration(_actual(side.rows), side.rows.score)  # type: ignore[arg-type]
        errors = [found.share - found.low, found.high - found.share]
        style = {"fmt": "o-", "markersize": 3.5, "linewidth": 1.2, "elinewidth": 1, "capsize": 2}
        colour = _colour(at, sides, colours)
        axes.errorbar(
            found.score, found.share, np.maximum(errors, 0), color=colour,
            label=_plain(side.name), **style,
        )  # fmt: skip
    axes.set(xlabel="mean score", ylabel="share of positives", xlim=(0, 1), ylim=(0, 1.01))
    _legend(axes, colours, "upper left")


def _confusion(axes: Any, sides: list[Side], colours: Colours) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    names, tables = _confusions(sides)
    change = 100 * (tables[-1] - tables[0] if len(tables) == 2 else tables[0])
    reach = max(float(np.abs(change).max()), 1e-9)
    shades = LinearSegmentedColormap.from_list("change", [colours.bad, colours.paper, colours.good])
    axes.imshow(_turned(change, len(tables) == 2), cmap=shades, vmin=-2 * reach, vmax=2 * reach)
    size = 9 if len(names) <= 4 else 6
    for row in range(len(names)):
        for column in range(len(names)):
            shown = _points(change[row, column], signed=len(tables) == 2)
            axes.text(column, row, shown, ha="center", va="center", size=size, color=colours.ink)
    ticks = range(len(names))
    tilt = 45 if max(map(len, names)) > 6 and len(names) > 3 else 0
    axes.set_xticks(ticks, names, rotation=tilt, ha="right" if tilt else "center")
    axes.set_yticks(ticks, names)
    axes.set(xlabel="predicted", ylabel="actual")


def _turned(change: Any, signed: bool) -> Any:  # noqa: FBT001 - a difference, or shares
    """More on the diagonal is better, more beside it worse."""
    better = np.where(np.eye(len(change), dtype=bool), change, -change)
    return better if signed else np.abs(change)


def _points(value: float, *, signed: bool) -> str:
    text = f"{value:+.1f}" if signed else f"{value:.1f}"
    return "0" if text.strip("+-") == "0.0" else text.replace("-", "−")


def _confusions(sides: list[Side]) -> tuple[list[str], list[Any]]:
    """The tables in one order of classes; rare classes beyond the first are counted together."""
    known = sorted({name for side in sides for name in side.rows.classes})
    counts = dict.fromkeys(known, 0)
    for code, number in enumerate(np.bincount(sides[-1].rows.label)):
        counts[sides[-1].rows.classes[code]] = int(number)
    kept = known
    if len(known) > CLASSES:
        common = sorted(known, key=lambda name: (-counts[name], name))[: CLASSES - 1]
        kept = [*sorted(common), "others"]
    places = {name: at for at, name in enumerate(kept)}
    tables = []
    for side in sides:
        codes = np.array([places.get(name, len(kept) - 1) for name in side.rows.classes])
        answers = codes[side.rows.prediction]
        tables.append(confusion(codes[side.rows.label], answers, len(kept)))
    return [_plain(clip(name, 12)) for name in kept], tables


def _residuals(axes: Any, sides: list[Side], colours: Colours) -> None:
    _grid(axes, colours)
    residuals = [_residual(side.rows) for side in sides]
    low, high = np.quantile(np.concatenate(residuals), (0.005, 0.995))
    edges = np.linspace(low, high if high > low else low + 1, 41)
    axes.axvline(0, color=colours.soft, linewidth=1)
    for at, (side, residual) in enumerate(zip(sides, residuals, strict=True)):
        shares = np.histogram(residual, edges)[0] / len(residual)
        colour = _colour(at, sides, colours)
        axes.stairs(100 * shares, edges, color=colour, linewidth=1.5, label=_plain(side.name))
    axes.set(xlabel="prediction − actual", ylabel="% of rows")
    _legend(axes, colours, "upper right")


def _residual_bands(axes: Any, sides: list[Side], colours: Colours) -> None:
    _grid(axes, colours)
    axes.axhline(0, color=colours.soft, linewidth=1)
    for at, side in enumerate(sides):
        found = bands(side.rows.prediction, _residual(side.rows))  # type: ignore[arg-type]
        colour = _colour(at, sides, colours)
        axes.plot(
            found.center, found.middle, "o-", markersize=3, color=colour, label=_plain(side.name)
        )
        for edge in (found.low, found.high):
            axes.plot(found.center, edge, "--", linewidth=1, color=colour)
    axes.set(xlabel="prediction", ylabel="prediction − actual")
    _legend(axes, colours, "best")


def _residual(rows: Predictions) -> Any:
    return rows.prediction - rows.label


def _plain(name: str) -> str:
    """matplotlib would read `$…$` as mathematics, and leave out names that begin with `_`."""
    return f"\u200b{name}".replace("$", r"\$") if name.startswith("_") else name.replace("$", r"\$")
