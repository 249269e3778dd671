"""What the rows did to the numbers and what the model did, where the evaluation rows changed."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_ci.records import Comparison, Decomposition, LeftOut, MetricResult
from mlops_ci.report.labels import decimals_for, full_name, metric_name
from mlops_ci.report.model import Section
from mlops_ci.report.numbers import count, decimals_apart, show
from mlops_ci.report.phrase import Phrase, text
from mlops_ci.report.words import main_metric

MOST = 20


def effects_of(section: Section, *, gated: bool = False) -> tuple[Phrase, ...]:
    """`accuracy: 0.900 → 0.750 by the rows (−0.150: −0.185 … −0.115), → 0.745 by the model (…)`

    Of all rows every metric; of slices those that a gate speaks of, else the main one, where the
    rows moved most first. `gated`: of the metrics that a gate speaks of alone, on all rows.
    """
    comparison = section.comparison
    if comparison is None:
        return ()
    names = {gate.metric for gate in section.gates}
    whole = [one for one in comparison.decomposition if one.slice is None]
    if gated:
        return tuple(_line(one, section) for one in whole if one.metric in names)[:MOST]
    sliced = _of_slices(section, comparison)
    lines = [_line(one, section) for one in (*whole[:MOST], *sliced[:MOST])]
    if len(sliced) > MOST:
        lines.append(text(f"{count(len(sliced) - MOST)} more of slices are in the record."))
    return tuple(lines)


def _of_slices(section: Section, comparison: Comparison) -> list[Decomposition]:
    main = main_metric(section)
    names = {gate.metric for gate in section.gates} or {main.metric if main else ""}
    found = [
        one
        for one in comparison.decomposition
        if one.slice is not None and one.metric in names and one.data_effect is not None
    ]
    return sorted(found, key=lambda one: -abs(one.data_effect or 0.0))


def _line(one: Decomposition, section: Section) -> Phrase:
    digits = _decimals(one, section)
    values = [show(value, digits) for value in (one.base_before, one.base_now, one.head)]
    data = _effect(one.data_effect, (one.data_low, one.data_high), digits)
    model = _effect(one.model_effect, (one.model_low, one.model_high), digits)
    return full_name(one.metric, one.slice) + text(
        f": {values[0]} → {values[1]} by the rows ({data}), → {values[2]} by the model ({model})."
    )


def _effect(value: float | None, ends: tuple[float | None, float | None], digits: int) -> str:
    said = show(value, digits, signed=True)
    if None in ends:
        return said
    low, high = (show(end, digits, signed=True) for end in ends)
    return f"{said}: {low} … {high}"


def _decimals(one: Decomposition, section: Section) -> int:
    """As many digits as in the tables."""
    return decimals_for(next((m for m in section.whole if m.metric == one.metric), None))


def effect_notes(section: Section) -> Iterator[str]:
    """Two sentences for who reads no further: on the main metric, and on the rows that are gone."""
    comparison, metric = section.comparison, main_metric(section)
    if comparison is None or metric is None:
        return
    whole = (one for one in comparison.decomposition if one.slice is None)
    effect = next((one for one in whole if one.metric == metric.metric), None)
    if effect is not None:
        digits = _decimals(effect, section)
        data, model = (
            show(value, digits, signed=True) for value in (effect.data_effect, effect.model_effect)
        )
        name = metric_name(metric.metric)
        yield (
            f"{name} moves by {data} because the rows are others (main's model "
            f"on both), and by {model} because the model is another (both on the new rows): only "
            "that is judged."
        )
    if comparison.left_out is not None:
        yield from _left_out(section, comparison, comparison.left_out)


def _told(section: Section) -> Iterator[MetricResult]:
    main = main_metric(section)
    if main is not None:
        yield main
    names = [gate.metric for gate in section.gates]
    yield from (one for one in section.whole if one.metric in names)


def _left_out(section: Section, comparison: Comparison, gone: LeftOut) -> Iterator[str]:
    """Of the main metric; where these rows have none, of one that a gate speaks of."""
    metric = next((one for one in _told(section) if one.metric in gone.metrics), None)
    if metric is None:
        return
    value, kept = gone.metrics[metric.metric], gone.kept.get(metric.metric)
    digits = decimals_for(metric)
    if kept is not None:
        digits = decimals_apart(value, kept, digits)
    others = f" ({show(kept, digits)} on the others)" if kept is not None else ""
    name = comparison.base.name if comparison.base is not None else "base"
    yield (
        f"On the {count(gone.rows)} rows of {name} that head does not have, {name}'s "
        f"{metric_name(metric.metric)} is {show(value, digits)}{others}."
    )
