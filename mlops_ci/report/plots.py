"""Pictures of two models on the same axes: PNG, once for light and once for dark pages.

The same predictions give the same bytes: no time, no version, no random order is in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from mlops_ci.records import Comparison, MetricResult
from mlops_ci.report import curve_plots
from mlops_ci.report.canvas import MAX_BYTES, Picture, Side, paint, plain_name
from mlops_ci.report.curve_plots import actual_of
from mlops_ci.report.forest_plot import OVER, draw_forest, gate_forest, size_of, slice_forest
from mlops_ci.report.model import Plot, Section, section_of
from mlops_ci.report.numbers import show_percent
from mlops_ci.report.words import main_metric

if TYPE_CHECKING:
    from mlops_ci.data import Predictions

__all__ = ["MAX_BYTES", "draw_curves", "draw_forests", "draw_plots"]


def draw_plots(
    base: Predictions | None,
    head: Predictions | None,
    names: tuple[str, str] = ("main", "this PR"),
    comparison: Comparison | None = None,
) -> tuple[Plot, ...]:
    """`base` None: a first run, head alone; `head` None: numbers without rows. The forests come
    out of `comparison`. Raises ImportError without matplotlib.
    """
    return (*draw_forests(comparison), *draw_curves(base, head, names))


def draw_forests(comparison: Comparison | None) -> tuple[Plot, ...]:
    return _painted(_forests(comparison)) if comparison is not None else ()


def draw_curves(
    base: Predictions | None, head: Predictions | None, names: tuple[str, str]
) -> tuple[Plot, ...]:
    from mlops_ci.data.predictions import sample_of

    pairs = zip(names, (base, head), strict=True)
    sides = [Side(name, sample_of(rows)) for name, rows in pairs if rows is not None]
    return _painted(_curves(sides)) if head is not None else ()


def _painted(pictures: Iterable[Picture]) -> tuple[Plot, ...]:
    return tuple(Plot(picture.name, picture.title, *paint(picture)) for picture in pictures)


def _forests(comparison: Comparison) -> Iterator[Picture]:
    if comparison.base is None:
        return
    section = section_of(comparison)
    level = show_percent(comparison.level)
    gates = gate_forest(section.gates, [section.metric_of(gate) for gate in section.gates])
    if gates:
        label = "change in margins (gate at −1); right is better"
        draw = partial(draw_forest, rows=gates, label=label, reach=OVER)
        title = f"Gates: change with its {level} interval, in margins"
        yield Picture("gates", title, draw, size_of(gates))
    metric = _telling(section)
    if metric is None:
        return
    name, rows = slice_forest(comparison, metric)
    if len(rows) > 1:
        label = f"change of {plain_name(name)}; right is better"
        draw = partial(draw_forest, rows=rows, label=label, reach=None)
        title = f"Slices: change of {name} with its {level} interval"
        yield Picture("slices", title, draw, size_of(rows))


def _telling(section: Section) -> MetricResult | None:
    """What a gate on a slice stopped, else the metric that the report is about."""
    stopped = [gate for gate in section.gates if gate.slice and gate.verdict != "pass"]
    whole = {metric.metric: metric for metric in section.whole}
    found = next((whole[gate.metric] for gate in stopped if gate.metric in whole), None)
    return found or main_metric(section)


def _curves(sides: list[Side]) -> Iterator[Picture]:
    rows = [side.rows for side in sides]

    def picture(name: str, title: str) -> Picture:
        draw = getattr(curve_plots, f"draw_{name.replace('-', '_')}")
        return Picture(name, title, partial(draw, sides=sides))

    if rows[-1].task == "regression":
        yield picture("residuals", "Residuals: prediction − actual")
        yield picture("residual-bands", "Residuals by prediction: median, 10 % to 90 %")
        return
    scored = all(side.score is not None for side in rows)
    below = ", and the difference" if len(rows) == 2 else ""
    if rows[-1].task == "binary" and scored and all(_both_classes(side) for side in rows):
        yield picture("roc", f"ROC{below}")
        yield picture("precision-recall", f"Precision and recall{below}")
        if all(_is_probability(side) for side in rows):
            yield picture("calibration", "Calibration: share of positives by score")
    if all(side.prediction is not None for side in rows):
        change = "Confusion: change in % points"
        yield picture("confusion", change if len(rows) == 2 else "Confusion: % of each class")


def _both_classes(rows: Predictions) -> bool:
    actual = actual_of(rows)
    return bool(actual.any() and not actual.all())


def _is_probability(rows: Predictions) -> bool:
    score = rows.score
    return score is not None and bool((score >= 0).all() and (score <= 1).all())
