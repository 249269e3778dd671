"""Pictures of two models' predictions on the same axes, and of the difference between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlops_ci.report.canvas import Canvas, Side, plain_name
from mlops_ci.report.curves import (
    CLASSES,
    Curve,
    bands,
    calibration,
    confusion,
    difference_curve,
    precision_recall_curve,
    roc_curve,
)

WITH_DIFFERENCE = (3, 1)  # heights of the curves and of their difference


def actual_of(rows: Any) -> Any:
    positive = rows.classes.index(rows.positive) if rows.positive in rows.classes else 1
    return rows.label == positive


def draw_roc(canvas: Canvas, sides: list[Side]) -> None:
    curves = [roc_curve(actual_of(side.rows), side.rows.score) for side in sides]  # type: ignore[arg-type]
    axes = _curves(canvas, sides, curves)
    axes[0].plot([0, 1], [0, 1], color=canvas.colours.line, linewidth=1)
    axes[0].set(ylabel="true positive rate", xlim=(0, 1), ylim=(0, 1.01))
    axes[-1].set(xlabel="false positive rate")
    canvas.legend(axes[0], "lower right")


def draw_precision_recall(canvas: Canvas, sides: list[Side]) -> None:
    curves = [precision_recall_curve(actual_of(side.rows), side.rows.score) for side in sides]  # type: ignore[arg-type]
    axes = _curves(canvas, sides, curves)
    axes[0].set(ylabel="precision", xlim=(0, 1), ylim=(0, 1.01))
    axes[-1].set(xlabel="recall")
    canvas.legend(axes[0], "lower left")


def _curves(canvas: Canvas, sides: list[Side], curves: list[Curve]) -> list[Any]:
    """Below the curves: head − base at equal x; what lies above 0 is better."""
    axes = canvas.axes(WITH_DIFFERENCE if len(sides) == 2 else (1,))
    canvas.grid(axes[0])
    for at, (side, curve) in enumerate(zip(sides, curves, strict=True)):
        axes[0].plot(curve.x, curve.y, color=canvas.side(at, sides), label=plain_name(side.name))
    if len(sides) == 2:
        _draw_difference(canvas, axes[1], difference_curve(curves[0], curves[1]))
    return axes


def _draw_difference(canvas: Canvas, axes: Any, change: Curve) -> None:
    colours = canvas.colours
    canvas.grid(axes)
    axes.axhline(0, color=colours.soft, linewidth=1)
    for where, colour in ((change.y >= 0, colours.good), (change.y <= 0, colours.bad)):
        axes.fill_between(
            change.x, 0, change.y, where=where, color=colour, alpha=0.35, linewidth=0,
            interpolate=True,
        )  # fmt: skip
    axes.plot(change.x, change.y, color=colours.ink, linewidth=0.9)
    reach = max(float(np.abs(change.y).max()), 1e-3) * 1.15
    axes.set(ylim=(-reach, reach), ylabel="difference")


def draw_calibration(canvas: Canvas, sides: list[Side]) -> None:
    axes = canvas.axes()[0]
    canvas.grid(axes)
    axes.plot([0, 1], [0, 1], color=canvas.colours.line, linewidth=1)
    for at, side in enumerate(sides):
        found = calibration(actual_of(side.rows), side.rows.score)  # type: ignore[arg-type]
        errors = [found.share - found.low, found.high - found.share]
        style = {"fmt": "o-", "markersize": 3.5, "linewidth": 1.2, "elinewidth": 1, "capsize": 2}
        axes.errorbar(
            found.score, found.share, np.maximum(errors, 0), color=canvas.side(at, sides),
            label=plain_name(side.name), **style,
        )  # fmt: skip
    axes.set(xlabel="mean score", ylabel="share of positives", xlim=(0, 1), ylim=(0, 1.01))
    canvas.legend(axes, "upper left")


def draw_confusion(canvas: Canvas, sides: list[Side]) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    axes, colours = canvas.axes()[0], canvas.colours
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
    return [plain_name(name, 12) for name in kept], tables


def draw_residuals(canvas: Canvas, sides: list[Side]) -> None:
    axes, colours = canvas.axes()[0], canvas.colours
    canvas.grid(axes)
    residuals = [_residual(side.rows) for side in sides]
    low, high = np.quantile(np.concatenate(residuals), (0.005, 0.995))
    edges = np.linspace(low, high if high > low else low + 1, 41)
    axes.axvline(0, color=colours.soft, linewidth=1)
    for at, (side, residual) in enumerate(zip(sides, residuals, strict=True)):
        shares = np.histogram(residual, edges)[0] / len(residual)
        colour = canvas.side(at, sides)
        axes.stairs(100 * shares, edges, color=colour, linewidth=1.5, label=plain_name(side.name))
    axes.set(xlabel="prediction − actual", ylabel="% of rows")
    canvas.legend(axes, "upper right")


def draw_residual_bands(canvas: Canvas, sides: list[Side]) -> None:
    axes, colours = canvas.axes()[0], canvas.colours
    canvas.grid(axes)
    axes.axhline(0, color=colours.soft, linewidth=1)
    for at, side in enumerate(sides):
        found = bands(side.rows.prediction, _residual(side.rows))  # type: ignore[arg-type]
        colour = canvas.side(at, sides)
        axes.plot(
            found.center,
            found.middle,
            "o-",
            markersize=3,
            color=colour,
            label=plain_name(side.name),
        )
        for edge in (found.low, found.high):
            axes.plot(found.center, edge, "--", linewidth=1, color=colour)
    axes.set(xlabel="prediction", ylabel="prediction − actual")
    canvas.legend(axes, "best")


def _residual(rows: Any) -> Any:
    return rows.prediction - rows.label
