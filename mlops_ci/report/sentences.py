"""The lead below the headline: may it be merged, why, on which rows, and what would decide it."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_ci.records import Comparison, GateResult, MetricResult
from mlops_ci.report.advice import next_step, remedy
from mlops_ci.report.contract import contract_blocks, contract_lead
from mlops_ci.report.labels import decimals_for, full_name, gate_words, sides_of
from mlops_ci.report.model import Report, Section
from mlops_ci.report.numbers import count, decimals_apart, show, show_percent
from mlops_ci.report.permission import lead_of_failure, permission
from mlops_ci.report.phrase import Phrase, capital, code, join, quoted, strong, text
from mlops_ci.report.robustness import robustness_blocks, robustness_lead
from mlops_ci.report.standing import nothing_required
from mlops_ci.report.words import main_metric, unchanged

NOISE = "Retraining noise not measured (one seed)."
BECAUSE = {
    "unpaired": "Base and head were measured on different rows.",
    "unscored": "Rows that base was measured on were left out.",
    "relabelled": "Rows that base was measured on have another label or weight.",
    "unknown-rows": "Without ids nobody can tell which rows of base are gone.",
    "new-rows": "Rows are new, and base has not answered them.",
    "point": "A number without rows does not say how far it may be off.",
    "point-beyond": "A number without rows does not say how far it may be off.",
}


def lead(section: Section, report: Report) -> Phrase:
    """A few sentences; empty where the headline says it all."""
    if section.state == "failed":
        return lead_of_failure(section, report)
    comparison = section.comparison
    if comparison is None or section.state == "untouched":
        return quoted(section.why[:1].upper() + section.why[1:] + ".") if section.why else Phrase()
    if comparison.base is None:
        sentences = _lead_of_first(section, comparison, report)
    else:
        sentences = _lead_of_comparison(section, comparison, report)
    return join(sentences, " ")


def _lead_of_comparison(
    section: Section, comparison: Comparison, report: Report
) -> Iterator[Phrase]:
    base = sides_of(comparison, report.base_name, report.head_name).base or Phrase()
    alone = contract_blocks(section) or robustness_blocks(section)
    if alone:
        yield permission(section, report) + text(".")
    elif comparison.verdict == "ungated":
        why = nothing_required(comparison)[1]
        yield strong("Not judged") + text(f": {why}, so nothing stops it.")
        yield text("Measured ") + _rows(comparison, None) + text(".")
        yield from _optional(section)
    elif comparison.verdict == "pass" and not comparison.blocks:
        rows = text(", ") + _rows(comparison, None) + text(".")
        yield permission(section, report) + _kept(section, comparison, base) + rows
        yield from _optional(section)
    else:
        yield from _decided_against(section, comparison, permission(section, report))
    yield contract_lead(section)
    yield robustness_lead(section)
    yield remedy(section)
    if not (alone or comparison.evidence == "point" or unchanged(comparison)):
        yield text(_noise(comparison))


def _noise(comparison: Comparison) -> str:
    """Whether the intervals hold what another seed would change, and by which trainings."""
    known = comparison.retraining
    if known is None:
        return NOISE
    where = "the intervals of all rows" if known.history else "the intervals"
    said = {
        side: f"{count(number)} {'trainings of main' if side in known.history else 'seeds'}"
        for side, number in (("head", known.head), ("base", known.base))
        if number is not None
    }
    if len(said) == 1:
        ((side, by),) = said.items()
        other = "base" if side == "head" else "head"
        return f"Retraining noise of {side} is in {where} ({by}), that of {other} is not measured."
    if said["head"] != said["base"]:
        by = f"head: {said['head']}, base: {said['base']}"
    else:
        by = said["head"] + ("" if known.history else " each")
    return f"Retraining noise is in {where} ({by})."


def _kept(section: Section, comparison: Comparison, base: Phrase) -> Phrase:
    if unchanged(comparison):
        return text(": the same answers as ") + base
    drops = [g for g in section.gates if g.quantity == "difference" and g.verdict == "pass"]
    total = len([g for g in section.gates if g.required])
    every = {1: "its only gate", 2: "both gates"}.get(total, f"all {count(total)} gates")
    if not drops:
        return text(f": it keeps {every}")
    return text(": no worse than ") + base + text(f" in {every}")


def _optional(section: Section) -> Iterator[Phrase]:
    """What failed all the same, and why it does not count."""
    failed = [g for g in section.gates if not g.required and g.verdict == "fail"]
    waived = [gate for gate in failed if gate.waived is not None]
    others = [gate for gate in failed if gate.waived is None]
    for words, gates in (("Failed, but waived: ", waived), ("Not required, and failed: ", others)):
        if gates:
            names = join((full_name(gate.metric, gate.slice) for gate in gates[:3]), ", ")
            yield text(words) + names + text(".")


def _decided_against(section: Section, comparison: Comparison, may: Phrase) -> Iterator[Phrase]:
    gates = [gate for gate in section.gates if gate.required]
    failed = [gate for gate in gates if gate.verdict == "fail"]
    open_ = [gate for gate in gates if gate.verdict == "inconclusive"]
    if failed:
        said = f": {_failed(len(failed), len(gates))} failed, "
        yield may + text(said) + _rows(comparison, section.metric_of(failed[0])) + text(".")
        yield _shown(failed[0], section.metric_of(failed[0]), comparison)
        return
    gate = open_[0]
    metric = section.metric_of(gate)
    yield may + text(f": {_left_open(gate, len(open_), len(gates))}.")
    yield _because(gate, metric, comparison)
    yield _policy(gate, comparison)
    yield next_step(gate, metric, comparison)


def _left_open(gate: GateResult, open_: int, total: int) -> str:
    """What is undecided, in an order that does not contradict the words before it."""
    verb = "is" if open_ == 1 else "are"
    undecided = "its only gate is" if total == 1 else f"{_of(open_, total)} {verb}"
    failed = "no gate failed, and " if total > 1 and not gate.blocks else ""
    return f"{failed}{undecided} undecided"


def _failed(number: int, total: int) -> str:
    if number < total:
        return _of(number, total)
    return {1: "its only gate", 2: "both gates"}.get(total, f"all {count(total)} gates")


def _of(number: int, total: int) -> str:
    return f"{count(number)} of {count(total)} gates"


def _shown(gate: GateResult, metric: MetricResult | None, comparison: Comparison) -> Phrase:
    """What the interval says at its good end: the least that was lost."""
    level = show_percent(comparison.level)
    decimals = decimals_for(metric, gate)
    if gate.quantity == "value":
        best = gate.high if gate.kind == "min" else gate.low
        if best is None or gate.low == gate.high:
            return Phrase()
        digits = decimals_apart(best, gate.limit, decimals)
        most = "at most" if gate.kind == "min" else "at least"
        asks = gate_words(gate, decimals)
        return text(f"It is {most} {show(best, digits)} ({level} interval); the gate asks {asks}.")
    if metric is None or gate.low is None or gate.high is None or gate.margin is None:
        return Phrase()
    falls = metric.higher_is_better is not False
    least = -gate.high if falls else gate.low
    digits = decimals_apart(least, gate.margin, decimals)
    what = f"The {'drop' if falls else 'rise'} is at least {show(least, digits)}"
    if gate.low == gate.high:
        what = f"The {'drop' if falls else 'rise'} is {show(least, digits)}"
    where = " against the best of 90 days" if gate.against == "anchor" else ""
    return text(f"{what}{where} ({level} interval); the gate allows {gate_words(gate, decimals)}.")


def _because(gate: GateResult, metric: MetricResult | None, comparison: Comparison) -> Phrase:
    """Why a gate is undecided, from the verdict's own reason."""
    name = full_name(gate.metric, gate.slice)
    if gate.reason == "missing-metric":
        missing = text("There is no ") + name + text(" to judge")
        if metric is None or not metric.note:
            return missing + text(".")
        return missing + text(" (") + quoted(metric.note) + text(").")
    if gate.reason == "missing-slice":
        return text("No row is left of ") + code(gate.slice or "all rows") + text(".")
    if gate.reason in BECAUSE:
        return text(BECAUSE[gate.reason])
    if gate.low is None or gate.high is None:
        why = metric.note if metric is not None and metric.note else "too few rows"
        return name + text(" was not assessed (") + quoted(why) + text(").")
    return _may_be_anything(gate, metric, comparison)


def _may_be_anything(
    gate: GateResult, metric: MetricResult | None, comparison: Comparison
) -> Phrase:
    decimals = decimals_for(metric, gate)
    signed = gate.quantity == "difference"
    limit = gate.limit
    if signed:
        falls = metric is None or metric.higher_is_better is not False
        limit = (-1 if falls else 1) * (gate.margin or 0.0)
    ends = [end for end in (gate.low, gate.high) if end is not None]
    digits = max(decimals_apart(end, limit, decimals) for end in ends)
    low, high = (show(end, digits, signed=signed) for end in ends)
    what = "the change" if signed else "its value"
    rows = _sentence(_rows(comparison, metric))
    return rows + text(f" {what} may be anything from {low} to {high}.")


def _sentence(phrase: Phrase) -> Phrase:
    """With a capital letter."""
    (kind, first), *rest = phrase.spans
    return Phrase(((kind, capital(first)), *rest))


def _policy(gate: GateResult, comparison: Comparison) -> Phrase:
    """Why an undecided gate blocks, or does not."""
    policy = comparison.policy
    if gate.reason in ("missing-metric", "missing-slice"):
        return text("What was not measured never passes.")
    if policy == "fail":
        return text("The policy is to block until it is decided (") + _setting(policy)
    if policy == "warn":
        return text("The policy is to warn only (") + _setting(policy)
    if gate.reason == "not-assessed":
        return text("What was not assessed never passes.")
    if gate.blocks:
        return text("The estimate itself is beyond the limit: that blocks.")
    return text("The estimate itself is inside the limit: that only warns.")


def _setting(policy: str) -> Phrase:
    return code(f"on-inconclusive: {policy}") + text(").")


def _rows(comparison: Comparison, metric: MetricResult | None) -> Phrase:
    """`on the same 12,408 rows (4,102 in region=north)`."""
    rows = comparison.rows
    if comparison.evidence == "point" or (rows.paired is None and rows.head is None):
        return text("by numbers without rows")
    if comparison.evidence == "unpaired":
        return text(f"on {count(rows.head or 0)} rows, {count(rows.base or 0)} others in base")
    said = text(f"on the same {count(rows.paired or 0)} rows")
    if metric is not None and metric.slice is not None and metric.n is not None:
        said += text(f" ({count(metric.n)} in ") + code(metric.slice) + text(")")
    if rows.paired_by == "position":
        said += text(" (paired by position)")
    return said


def _lead_of_first(section: Section, comparison: Comparison, report: Report) -> Iterator[Phrase]:
    rows = comparison.rows.head
    where = f" on {count(rows)} rows" if rows is not None else ""
    may = permission(section, report) + text(": ")
    yield may + _own_value(main_metric(section)) + text(where) + _floors(section)
    yield contract_lead(section)
    yield robustness_lead(section)
    yield remedy(section)
    alone = contract_blocks(section) or robustness_blocks(section)
    if comparison.verdict == "inconclusive" and not alone:
        gate = section.gates[0]
        yield _policy(gate, comparison)
        yield next_step(gate, section.metric_of(gate), comparison)
    if not comparison.blocks:
        yield (
            text("Once it is on ")
            + code(report.base_name)
            + text(f", pull requests are compared with it{_held(comparison.waiting)}.")
        )


def _held(waiting: int) -> str:
    if not waiting:
        return ""
    gates = "the gate" if waiting == 1 else f"the {waiting} gates"
    return f", by {gates} on changes"


def _own_value(metric: MetricResult | None) -> Phrase:
    if metric is None:
        return text("No metric")
    decimals = decimals_for(metric)
    said = full_name(metric.metric, None, metric.average) + text(f" {show(metric.head, decimals)}")
    if metric.head_low is None or metric.head_high is None:
        return said
    ends = f"{show(metric.head_low, decimals)} … {show(metric.head_high, decimals)}"
    return said + text(f" ({ends})")


def _floors(section: Section) -> Phrase:
    gates = section.gates
    if not gates:
        return text(".")
    held = sum(gate.verdict == "pass" for gate in gates)
    several = f"all {len(gates)} bounds hold"
    every = {1: "its bound holds", 2: "both bounds hold"}.get(len(gates), several)
    if held == len(gates):
        return text(f"; {every}.")
    failed = [gate for gate in gates if gate.verdict == "fail"]
    what = f"{len(failed)} failed" if failed else f"{len(gates) - held} cannot be decided"
    return text(f"; of {len(gates)} bounds {what}.")
