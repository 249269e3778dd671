"""Curves as text: Mermaid's xychart for where no picture can be hosted, sparklines for a terminal.

numpy alone, no matplotlib. Names of others never stand inside of Mermaid's text: the lines are told
apart by their colour and their order.
https://mermaid.js.org/syntax/xyChart.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_ci.report.curves import (
    Curve,
    calibration,
    confusion,
    height_at,
    precision_recall_curve,
    roc_curve,
)
from mlops_ci.report.model import Chart

if TYPE_CHECKING:
    from mlops_ci.data import Predictions

POINTS = 21
MOST_CLASSES = 60
LEVELS = "▁▂▃▄▅▆▇█"
GREY, BLUE = "#818b98", "#0969da"


def draw_charts(base: Predictions | None, head: Predictions | None) -> tuple[Chart, ...]:
    """`base` None: a first run, head alone."""
    if head is None:
        return ()
    from mlops_ci.data.predictions import sample_of

    sides = [sample_of(rows) for rows in (base, head) if rows is not None]
    if head.task == "regression":
        return (_residuals(sides),)
    return tuple(_of_scores(sides) if head.task == "binary" else _of_classes(sides))


def _of_scores(sides: list[Predictions]) -> Iterator[Chart]:
    from mlops_ci.report.curve_plots import actual_of

    pairs = [(actual_of(rows), rows.score) for rows in sides if rows.score is not None]
    if len(pairs) < len(sides) or any(actual.all() or not actual.any() for actual, _ in pairs):
        return
    x = np.linspace(0.0, 1.0, POINTS)
    roc = [height_at(roc_curve(*pair), x) for pair in pairs]
    yield _chart("roc", "ROC", ("false positive rate", "true positive rate"), roc)
    curves = [height_at(precision_recall_curve(*pair), x) for pair in pairs]
    yield _chart("precision-recall", "Precision by recall", ("recall", "precision"), curves)
    if all(((score >= 0) & (score <= 1)).all() for _, score in pairs):
        found = [calibration(*pair) for pair in pairs]
        shares = [height_at(Curve(one.score, one.share), x) for one in found]
        yield _chart("calibration", "Calibration", ("mean score", "share of positives"), shares)


def _of_classes(sides: list[Predictions]) -> Iterator[Chart]:
    """How much of each class is found, in the order of the classes that have rows."""
    tables = [
        confusion(rows.label, rows.prediction, len(rows.classes))
        for rows in sides
        if rows.prediction is not None and len(rows.classes) == len(sides[-1].classes)
    ]
    if len(tables) < len(sides):
        return
    there = np.flatnonzero(np.all([table.sum(axis=1) > 0 for table in tables], axis=0))
    if len(there) < 2:
        return
    shares = [np.diag(table)[there][:MOST_CLASSES] for table in tables]
    axes = ("class, in their order", "recall")
    yield _chart("recall", "Recall by class", axes, shares, (1.0, float(len(shares[0]))))


def _residuals(sides: list[Predictions]) -> Chart:
    residuals = [rows.prediction - rows.label for rows in sides]
    low, high = np.quantile(np.concatenate(residuals), (0.005, 0.995))
    edges = np.linspace(low, high if high > low else low + 1, POINTS + 1)
    shares = [100 * np.histogram(one, edges)[0] / len(one) for one in residuals]
    axes = ("prediction − actual", "% of rows")
    return _chart("residuals", "Residuals", axes, shares, (float(edges[0]), float(edges[-1])))


def _chart(
    name: str,
    title: str,
    axes: tuple[str, str],
    lines: Sequence[Any],
    reach: tuple[float, float] = (0.0, 1.0),
) -> Chart:
    """Shares reach to 1, what is in % to its highest."""
    top = max(1.0, *(float(line.max()) for line in lines))
    palette = BLUE if len(lines) == 1 else f"{GREY}, {BLUE}"
    text = [
        f'%%{{init: {{"themeVariables": {{"xyChart": {{"plotColorPalette": "{palette}"}}}}}}}}%%',
        "xychart-beta",
        f'  title "{title}"',
        f'  x-axis "{axes[0]}" {_number(reach[0])} --> {_number(reach[1])}',
        f'  y-axis "{axes[1]}" 0 --> {_number(top)}',
        *(f"  line [{', '.join(_number(value) for value in line)}]" for line in lines),
    ]
    sparks = tuple(sparkline(line, 0.0, top) for line in lines)
    return Chart(name, title, "\n".join(text), sparks)


def _number(value: float) -> str:
    """Plain decimals: Mermaid reads no exponents."""
    shown = f"{float(value):.4f}".rstrip("0").rstrip(".")
    return "0" if shown in ("-0", "") else shown


def sparkline(values: Sequence[float], low: float, high: float) -> str:
    """One of eight heights each."""
    span = (high - low) or 1.0
    places = (round((float(value) - low) / span * (len(LEVELS) - 1)) for value in values)
    return "".join(LEVELS[min(max(place, 0), len(LEVELS) - 1)] for place in places)
