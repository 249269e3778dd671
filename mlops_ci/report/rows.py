"""Table rows of gates and metrics: numbers as text, names as phrases; no markup."""

from __future__ import annotations

from collections.abc import Sequence

from mlops_ci.records import GateResult, MetricResult
from mlops_ci.report.forest import draw_gate, draw_metric
from mlops_ci.report.labels import BLOCKED, MARKS, WORDS, cell_name, decimals_for, gate_limit
from mlops_ci.report.model import Section, standing
from mlops_ci.report.numbers import NBSP, decimals_apart, show, show_change
from mlops_ci.report.phrase import Phrase, text
from mlops_ci.value import Value

SMALL = 1e-12


class Row(Value, frozen=True):
    """`within` says how far `change` may be off; `own` is the candidate's own interval. `key`
    sorts: the change in standard errors, + is better.
    """

    mark: str
    word: str
    name: Phrase
    change: str
    within: str
    picture: str
    base: str
    head: str
    own: str = ""
    gate: str = ""
    rows: int | None = None
    note: str = ""
    method: str = ""
    key: float | None = None


class Digits(Value, frozen=True):
    """`change` and `value` decimals of one row."""

    change: int
    value: int


def gate_rows(section: Section) -> tuple[Row, ...]:
    """Worst first."""
    return tuple(gate_row(gate, section.metric_of(gate)) for gate in section.gates)


def mark_of_gate(gate: GateResult) -> str:
    """What is undecided and stops the change bears the sign of the headline that it leads."""
    return BLOCKED if gate.verdict == "inconclusive" and gate.blocks else MARKS[gate.verdict]


def gate_row(gate: GateResult, metric: MetricResult | None) -> Row:
    decimals = decimals_for(metric, gate)
    base, head = _values(gate, metric)
    digits = Digits(decimals, _value_digits(base, head, decimals))
    change, within = _change_of(gate, metric, decimals)
    return Row(
        mark=mark_of_gate(gate),
        word=WORDS[gate.verdict],
        name=cell_name(gate.metric, gate.slice, metric) + _against(gate),
        change=change,
        within=within,
        picture=draw_gate(gate, metric),
        base=show(base, digits.value),
        head=show(head, digits.value),
        own=_own(metric, decimals),
        gate=gate_limit(gate, metric, decimals) + _standing(gate),
        rows=metric.n if metric else None,
        note=_why(gate, metric),
        method=metric.method if metric else "",
        key=standing(_difference(gate, metric), metric),
    )


def _standing(gate: GateResult) -> str:
    if gate.waived is not None:
        return f"{NBSP}(waived)"
    return "" if gate.required else f"{NBSP}(optional)"


def metric_rows(metrics: Sequence[MetricResult], most: int | None = None) -> tuple[Row, ...]:
    return tuple(metric_row(metric) for metric in metrics[:most])


def metric_row(metric: MetricResult) -> Row:
    decimals = decimals_for(metric)
    change, within = show_change(metric.difference, metric.low, metric.high, decimals)
    value = _value_digits(metric.base, metric.head, decimals)
    word = "better" if metric.better else ""
    return Row(
        mark="",
        word=word,
        name=cell_name(metric.metric, metric.slice, metric),
        change=change,
        within=within,
        picture=draw_metric(metric),
        base=show(metric.base, value),
        head=show(metric.head, value),
        own=_own(metric, decimals),
        rows=metric.n,
        note=metric.note or "",
        method=metric.method,
        key=standing(metric.difference, metric),
    )


def _difference(gate: GateResult, metric: MetricResult | None) -> float | None:
    """Against base (or the anchor), also of a floor or ceiling."""
    if gate.quantity == "difference":
        return gate.estimate
    return metric.difference if metric is not None else None


def _change_of(gate: GateResult, metric: MetricResult | None, decimals: int) -> tuple[str, str]:
    """The change against base, also of a floor or ceiling, where there is one."""
    if gate.quantity == "difference":
        return show_change(gate.estimate, gate.low, gate.high, decimals)
    if metric is None:
        return show(None), ""
    return show_change(metric.difference, metric.low, metric.high, decimals)


def _values(gate: GateResult, metric: MetricResult | None) -> tuple[float | None, float | None]:
    head = metric.head if metric is not None else None
    if gate.against == "anchor":
        known = head is not None and gate.estimate is not None
        return (head - gate.estimate if known else None), head  # type: ignore[operator]
    return (metric.base if metric is not None else None), head


def _value_digits(base: float | None, head: float | None, decimals: int) -> int:
    """Two values that differ by next to nothing may read the same; two that differ may not."""
    if base is None or head is None or abs(base - head) < SMALL:
        return decimals
    return decimals_apart(base, head, decimals, more=2)


def _own(metric: MetricResult | None, decimals: int) -> str:
    if metric is None or metric.head_low is None or metric.head_high is None:
        return ""
    if metric.head_low == metric.head_high:  # counted, not estimated
        return ""
    return f"{show(metric.head_low, decimals)}{NBSP}…{NBSP}{show(metric.head_high, decimals)}"


def _against(gate: GateResult) -> Phrase:
    return text(" · in 90 days") if gate.against == "anchor" else Phrase()


def _why(gate: GateResult, metric: MetricResult | None) -> str:
    """What a reader of the row asks when the picture does not answer it."""
    said = {
        "unpaired": "measured on different rows",
        "unscored": "rows of base's test set were left out",
        "relabelled": "rows of base's test set have another label or weight",
        "unknown-rows": "no id tells which rows of base's test set are gone",
        "new-rows": "base has not answered the new rows",
        "point": "a number without rows",
        "point-beyond": "a number without rows",
        "missing-metric": "there is no value to judge",
        "missing-slice": "no row of this slice is left",
        "not-assessed": "not assessed: too few rows",
    }.get(gate.reason, "")
    note = metric.note if metric is not None else None
    return note or said
