"""Robustness in words: what was changed in the rows, and what the candidate loses by it."""

from __future__ import annotations

from dataclasses import dataclass

from mlops_ci.records.findings import RobustnessResult
from mlops_ci.report.contract import contract_blocks
from mlops_ci.report.labels import BLOCKED, MARKS, WORDS, metric_name
from mlops_ci.report.model import Section
from mlops_ci.report.numbers import NBSP, count, decimals_of, show, show_change, show_exact
from mlops_ci.report.phrase import Phrase, code, join, quoted, text

UNTOLD = ("ungated", "pass")


@dataclass(frozen=True)
class DropRow:
    """One perturbation in a table. `base`: main's own change, where it is known."""

    mark: str
    word: str
    name: Phrase
    clean: str
    changed: str
    change: str
    base: str
    gate: str
    note: Phrase


def robustness_rows(section: Section) -> tuple[DropRow, ...]:
    """What blocks first, then what failed otherwise, then as it was written."""
    comparison = section.comparison
    if comparison is None:
        return ()
    return tuple(_row(one) for one in sorted(comparison.robustness, key=_rank))


def robustness_blocks(section: Section) -> bool:
    """Whether it stops the change, and neither a gate nor the contract does."""
    comparison = section.comparison
    if comparison is None or any(gate.blocks for gate in comparison.gates):
        return False
    return not contract_blocks(section) and any(one.blocks for one in comparison.robustness)


def robustness_headline(section: Section) -> Phrase:
    """` loses too much on changed rows: ROC AUC 0.912 → 0.840 by noise of 0.1 sd (gate: …)`."""
    results = section.comparison.robustness if section.comparison is not None else ()
    first = next(one for one in sorted(results, key=_rank) if one.blocks)
    by = text(" by ") + _name(first)
    if first.clean is None or first.changed is None:
        return text(": robustness was not assessed: ") + _name(first) + _why(first)
    digits = _digits(first)
    moved = f" {show(first.clean, digits)} → {show(first.changed, digits)}"
    verb = " loses" if first.verdict == "fail" else " may lose"
    told = metric_name(first.metric) + text(moved) + by
    return text(f"{verb} too much on changed rows: ") + told + text(f" (gate: {_gate(first)})")


def robustness_lead(section: Section) -> Phrase:
    """`Of 4 robustness gates 1 does not hold.`; nothing without a gate."""
    results = section.comparison.robustness if section.comparison is not None else ()
    gated = [one for one in results if one.verdict != "ungated"]
    if not gated:
        return Phrase()
    failed = sum(one.verdict == "fail" for one in gated)
    open_ = sum(one.verdict == "inconclusive" for one in gated)
    total = len(gated)
    if not failed and not open_:
        every = {1: "its robustness gate holds", 2: "both robustness gates hold"}.get(
            total, f"all {count(total)} robustness gates hold"
        )
        return text(f"{every[0].upper()}{every[1:]}.")
    parts = [f"{count(failed)} {'does' if failed == 1 else 'do'} not hold"] if failed else []
    parts += [f"{count(open_)} {'is' if open_ == 1 else 'are'} undecided"] if open_ else []
    gates = "gate" if total == 1 else "gates"
    return text(f"Of {count(total)} robustness {gates} {', and '.join(parts)}.")


def _rank(one: RobustnessResult) -> int:
    order = {"fail": 0, "inconclusive": 2, "pass": 4, "ungated": 5}
    return order[one.verdict] + (0 if one.blocks or one.verdict in UNTOLD else 1)


def _row(one: RobustnessResult) -> DropRow:
    digits = _digits(one)
    change, within = show_change(one.difference, one.low, one.high, digits)
    blocked = one.verdict == "inconclusive" and one.blocks
    mark = "" if one.verdict == "ungated" else BLOCKED if blocked else MARKS[one.verdict]
    standing = f"{NBSP}(waived)" if one.waived else "" if one.required else f"{NBSP}(optional)"
    return DropRow(
        mark=mark,
        word=WORDS[one.verdict],
        name=_name(one) + text(" · ") + metric_name(one.metric or "metric"),
        clean=show(one.clean, digits),
        changed=show(one.changed, digits),
        change=f"{change}{NBSP}{within}" if within else change,
        base=show(one.base_difference, digits, signed=True),
        gate=_gate(one) + standing if one.limit is not None else "",
        note=_why(one),
    )


def _name(one: RobustnessResult) -> Phrase:
    amount = show_exact(one.amount)
    share = f"{100 * one.amount:.3g}{NBSP}%"
    what = {
        "noise": f"noise of {amount} sd",
        "missing": f"{share} missing",
        "scale": f"unit × {amount}",
        "swap": "another category" if one.amount == 1 else f"another category in {share}",
        "prior": f"{share} positive rows",
    }[one.kind]
    columns = join((code(name) for name in one.columns[:3]), ", ")
    more = text(f" and {count(len(one.columns) - 3)} more") if len(one.columns) > 3 else Phrase()
    return text(what) + (text(" in ") + columns + more if columns else Phrase())


def _why(one: RobustnessResult) -> Phrase:
    return text(" (") + quoted(one.note, 300) + text(")") if one.note else Phrase()


def _gate(one: RobustnessResult) -> str:
    limit = one.limit or 0.0
    falls = one.higher_is_better is not False
    signed = show_exact(-limit if falls else limit, signed=True) if limit else "0"
    return f"{'≥' if falls else '≤'}{NBSP}{signed}"


def _digits(one: RobustnessResult) -> int:
    if one.low is None or one.high is None:
        return 3
    return decimals_of((one.high - one.low) / 2)
