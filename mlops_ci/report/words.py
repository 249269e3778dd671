"""The headline: what happened, and to which model, in one line.

"Better" is said of the primary metric alone, "worse" where the whole interval lies beyond the
limit; everything else is "no worse", "probably worse" or "too few rows to tell".
"""

from __future__ import annotations

from collections.abc import Callable

from mlops_ci.records import Comparison, GateResult, MetricResult
from mlops_ci.report.contract import contract_blocks, contract_headline
from mlops_ci.report.labels import (
    BLOCKED,
    MARKS,
    decimals_for,
    full_name,
    gate_limit,
    gate_words,
)
from mlops_ci.report.model import Report, Section
from mlops_ci.report.numbers import NBSP, count, decimals_apart, show
from mlops_ci.report.phrase import Phrase, clip, code, join, quoted, text
from mlops_ci.report.robustness import robustness_blocks, robustness_headline
from mlops_ci.report.standing import nothing_required, shipped_words

# Which metric a report is about when nobody said so.
TELLING = ("roc_auc", "accuracy", "balanced_accuracy", "f1", "rmse", "mae", "r2", "log_loss")
STEPS = {
    "train": "did not train",
    "evaluate": "could not be evaluated",
    "base": "could not be compared",
    "compare": "could not be compared",
    "report": "could not be reported",
    "store": "was not stored",
    "build": "was not built",
    "push": "was not pushed",
    "deploy": "was not deployed",
    "rollback": "was not put back",
}


def headline(section: Section) -> str:
    """One line of plain text: a check's title, a terminal's first line, a notification."""
    return str(headline_phrase(section))


def report_headline(report: Report) -> Phrase:
    """Over all models: the one model's line, or how many are worse."""
    touched = [section for section in report.models if section.state != "untouched"]
    if len(report.models) == 1:
        return headline_phrase(report.models[0])
    if not touched:
        return text(f"{count(len(report.models))} models are untouched by this change")
    if len(touched) == 1:
        return headline_phrase(touched[0])
    return _headline_of_many(touched)


def report_mark(report: Report) -> str:
    marks = [mark_of(section) for section in report.models]
    order = ("💥", "❌", BLOCKED, "↩️", "⚠️", "📏", "🌱", "✅", "🚀", "📦", "💤")
    return next((mark for mark in order if mark in marks), "💤")


def mark_of(section: Section) -> str:
    """One picture for the state; the words beside it say the same."""
    comparison = section.comparison
    if section.state in ("failed", "untouched"):
        return "💥" if section.state == "failed" else "💤"
    if comparison is not None and comparison.blocks:
        return MARKS["fail"] if comparison.verdict == "fail" else BLOCKED
    if section.state == "live":
        return _shipping_mark(section)
    if section.state == "first":
        return "🌱"
    return MARKS[comparison.verdict] if comparison is not None else "💤"


def _shipping_mark(section: Section) -> str:
    if section.deployment is None:
        return "📦"
    return "🚀" if section.deployment.status == "live" else "↩️"


def headline_phrase(section: Section) -> Phrase:
    name, comparison = code(section.model), section.comparison
    if section.state == "untouched":
        return name + text(" is untouched by this change")
    if section.state == "failed":
        return name + _failed(section)
    if comparison is not None and comparison.blocks:
        return name + _stopped(section)
    if section.state == "live":
        return name + shipped_words(section)
    if comparison is None:
        return name + text(" was not compared")
    if section.state == "first":
        return name + text(": first run, nothing to compare with yet")
    return name + BY_VERDICT[comparison.verdict](section, comparison)


def main_metric(section: Section) -> MetricResult | None:
    """The primary metric on all rows; without one, the first of the telling ones."""
    whole = {metric.metric: metric for metric in reversed(section.whole)}
    comparison = section.comparison
    names = (comparison.primary if comparison else None, *TELLING)
    found = next((whole[name] for name in names if name in whole), None)
    return found or next(iter(section.whole), None)


def values(metric: MetricResult | None, decimals: int | None = None) -> Phrase:
    """`ROC AUC 0.912 → 0.927`, with the digits that tell the two apart."""
    if metric is None:
        return Phrase()
    name = full_name(metric.metric, metric.slice, metric.average)
    least = decimals_for(metric) if decimals is None else decimals
    if metric.base is None or metric.head is None:
        shown = metric.head if metric.head is not None else metric.base
        return name + text(f" {show(shown, least)}")
    if metric.base == metric.head:
        return name + text(f" {show(metric.head, least)}")
    digits = decimals_apart(metric.base, metric.head, least)
    return name + text(f" {show(metric.base, digits)} → {show(metric.head, digits)}")


def _gate_values(section: Section, gate: GateResult) -> Phrase:
    metric = section.metric_of(gate)
    if gate.against == "anchor" and gate.estimate is not None:
        lost = show(abs(gate.estimate), decimals_for(None, gate))
        name = full_name(gate.metric, gate.slice)
        return name + text(f", {lost} against the best of the last 90 days")
    if metric is None:
        return full_name(gate.metric, gate.slice)
    return values(metric)


def _failed(section: Section) -> Phrase:
    failure = section.failure
    if failure is None:
        return text(" did not get through")
    verb = text(f" {STEPS.get(failure.step, f'stopped at {clip(failure.step)}')}: ")
    what = failure.what.removeprefix(f"{section.model}: ")
    what = what.removeprefix("training: ").removeprefix("predict: ")
    return verb + quoted(what, 200)


def _stopped(section: Section) -> Phrase:
    if contract_blocks(section):
        return contract_headline(section)
    return robustness_headline(section) if robustness_blocks(section) else _blocked(section)


def _blocked(section: Section) -> Phrase:
    gate = section.gates[0]
    found = _gate_values(section, gate)
    if gate.verdict == "fail":
        if gate.against == "anchor":
            return text(" has lost too much in small steps: ") + found
        if gate.quantity == "value":
            return _bound(gate, "is") + found + _asked(section, gate)
        return text(" is worse: ") + found + _allowed(section, gate)
    if gate.reason == "missing-slice":
        return text(": no row is left of ") + code(gate.slice or "all rows")
    if gate.reason == "missing-metric":
        return text(": there is no ") + full_name(gate.metric, gate.slice) + text(" to judge")
    if gate.reason in ("straddles-beyond", "point-beyond"):
        if gate.quantity == "value":
            return _bound(gate, "is probably") + found + _asked(section, gate)
        return text(" is probably worse: ") + found + _allowed(section, gate)
    return _undecided(section, gate) + found


def _bound(gate: GateResult, verb: str) -> Phrase:
    return text(f" {verb} {'below its floor' if gate.kind == 'min' else 'above its ceiling'}: ")


def _asked(section: Section, gate: GateResult) -> Phrase:
    return text(f" (gate: {gate_words(gate, decimals_for(section.metric_of(gate), gate))})")


def _allowed(section: Section, gate: GateResult) -> Phrase:
    """`(gate: −0.020)`: how far the value may go, as a number on the value's own axis."""
    metric = section.metric_of(gate)
    bound = gate_limit(gate, metric, decimals_for(metric, gate)).partition(NBSP)[2]
    falls = metric is None or metric.higher_is_better is not False
    if not gate.limit:
        bound = "no drop" if falls else "no rise"
    return text(f" (gate: {bound})")


def _undecided(section: Section, gate: GateResult) -> Phrase:
    metric = section.metric_of(gate)
    torn = gate.rows_needed is None and metric is not None and metric.seed_sd is not None
    unknown = "seeds differ too much to tell, " if torn else "too few rows to tell, "
    why = {
        "unpaired": "not the same rows, so nobody can tell: ",
        "unscored": "rows of base's test set are missing: ",
        "relabelled": "rows of base's test set have another label or weight: ",
        "unknown-rows": "nobody can tell which rows of base's test set are gone: ",
        "new-rows": "base has not answered all of these rows: ",
        "point": "numbers without rows cannot tell: ",
        "point-beyond": "numbers without rows cannot tell: ",
    }
    return text(": " + why.get(gate.reason, unknown))


def _passed(section: Section, comparison: Comparison) -> Phrase:
    metric = main_metric(section)
    primary = metric is not None and metric.metric == comparison.primary
    if metric is not None and metric.better and primary:
        return text(" is better: ") + values(metric)
    if unchanged(comparison):
        return text(" is unchanged: ") + values(metric)
    if any(gate.quantity == "difference" for gate in comparison.gates):
        return text(" is no worse: ") + values(metric)
    return text(" keeps its bounds: ") + values(metric)


def _inconclusive(section: Section, comparison: Comparison) -> Phrase:
    del comparison
    gate = next(gate for gate in section.gates if gate.verdict == "inconclusive")
    return _undecided(section, gate) + _gate_values(section, gate)


def _ungated(section: Section, comparison: Comparison) -> Phrase:
    if unchanged(comparison):
        return text(" is unchanged: ") + values(main_metric(section))
    return join((text(f" {nothing_required(comparison)[0]}"), values(main_metric(section))), ": ")


BY_VERDICT: dict[str, Callable[[Section, Comparison], Phrase]] = {
    "fail": lambda section, _: _blocked(section),
    "inconclusive": _inconclusive,
    "pass": _passed,
    "ungated": _ungated,
}


def unchanged(comparison: Comparison) -> bool:
    """Equal digests: both models gave the same answers, byte by byte."""
    base, head = comparison.base, comparison.head
    if base is None:
        return False
    digests = base.predictions_digest, head.predictions_digest
    return digests[0] is not None and digests[0] == digests[1]


def _headline_of_many(touched: list[Section]) -> Phrase:
    total = count(len(touched))
    failed = [s for s in touched if s.state == "failed"]
    blocked = [s for s in touched if s.state != "failed" and s.comparison and s.comparison.blocks]
    if failed:
        return text(_of(len(failed), total) + " did not get through: ") + _names(failed)
    worse = [s for s in blocked if any(g.blocks and g.verdict == "fail" for g in s.gates)]
    if worse:
        verb = "is worse: " if len(worse) == 1 else "are worse: "
        return text(f"{_of(len(worse), total)} {verb}") + _names(worse)
    if blocked:
        return text(f"{_of(len(blocked), total)} must not be merged yet: ") + _names(blocked)
    return _none_blocks(touched, total)


def _none_blocks(touched: list[Section], total: str) -> Phrase:
    def with_verdict(verdict: str) -> list[Section]:
        return [s for s in touched if s.comparison is not None and s.comparison.verdict == verdict]

    undecided = with_verdict("inconclusive")
    if undecided:
        return text(f"{_of(len(undecided), total)}: too few rows to tell: ") + _names(undecided)
    if all(section.state == "live" for section in touched):
        return text(f"{total} models are shipped: ") + _names(touched)
    if all(section.state == "first" for section in touched):
        return text(f"{total} models, first run: nothing to compare with yet")
    ungated = with_verdict("ungated")
    if ungated:
        verb = "has" if len(ungated) == 1 else "have"
        what = "no gate that counts" if any(one.gates for one in ungated) else "no gates"
        return text(f"{_of(len(ungated), total)} {verb} {what}: ") + _names(ungated)
    return text("both models are no worse" if total == "2" else f"all {total} models are no worse")


def _of(number: int, total: str) -> str:
    if count(number) == total != "1":
        return "both models" if number == 2 else f"all {total} models"
    return f"{count(number)} of {total} models"


def _names(sections: list[Section], most: int = 5) -> Phrase:
    names = join((code(section.model) for section in sections[:most]), ", ")
    rest = len(sections) - most
    return names + text(f" and {count(rest)} more") if rest > 0 else names
