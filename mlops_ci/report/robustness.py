"""Robustness in words: what was changed in the rows, and what the candidate loses by it."""

from __future__ import annotations

from collections.abc import Sequence

from mlops_ci.records.findings import RobustnessResult
from mlops_ci.report.contract import contract_blocks
from mlops_ci.report.labels import BLOCKED, MARKS, WORDS, metric_name
from mlops_ci.report.model import Section
from mlops_ci.report.numbers import NBSP, count, decimals_of, show, show_change, show_exact
from mlops_ci.report.phrase import Phrase, code, join, quoted, text
from mlops_ci.value import Value

UNTOLD = ("ungated", "pass")
UNHELD = {
    "fail": ("does not hold", "do not hold"),
    "inconclusive": ("is undecided", "are undecided"),
}


class DropRow(Value, frozen=True):
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
    by = text(" with ") + _name(first)
    if first.clean is None or first.changed is None:
        return text(": robustness was not assessed: ") + _name(first) + _why(first)
    digits = _digits(first)
    moved = f" {show(first.clean, digits)} → {show(first.changed, digits)}"
    verb = " loses" if first.verdict == "fail" else " may lose"
    told = metric_name(first.metric) + text(moved) + by
    limit = _gate(first).partition(NBSP)[2]
    return text(f"{verb} too much on changed rows: ") + told + text(f" (gate: {limit})")


def robustness_lead(section: Section) -> Phrase:
    """`1 of 4 robustness gates does not hold.`; nothing without a gate."""
    results = section.comparison.robustness if section.comparison is not None else ()
    gated = [one for one in results if one.verdict != "ungated"]
    if not gated:
        return Phrase()
    total = len(gated)
    if all(one.verdict == "pass" for one in gated):
        every = {1: "its robustness gate holds", 2: "both robustness gates hold"}.get(
            total, f"all {count(total)} robustness gates hold"
        )
        return text(f"{every[0].upper()}{every[1:]}.")
    of = f" of {count(total)} robustness {'gate' if total == 1 else 'gates'}"
    parts: list[str] = []
    for verdict, verbs in UNHELD.items():
        found = [one for one in gated if one.verdict == verdict]
        verb = verbs[len(found) != 1]
        if found:
            parts.append(f"{count(len(found))}{'' if parts else of} {verb}{_harmless(found)}")
    return text(f"{', and '.join(parts)}.")


def _harmless(found: list[RobustnessResult]) -> str:
    """How many of them do not stop the change because nobody asks it of them."""
    waived = sum(one.waived is not None for one in found)
    optional = sum(one.waived is None and not one.required for one in found)
    told = [(waived, "waived"), (optional, "optional")]
    said = [word if many == len(found) else f"{many} {word}" for many, word in told if many]
    return f" ({', '.join(said)})" if said else ""


def robustness_title(rows: Sequence[DropRow], beside: bool) -> str:  # noqa: FBT001 - one call
    """Of a fold: what of robustness holds, or has no gate."""
    more = f"{count(len(rows))} more {'way' if len(rows) == 1 else 'ways'}" if beside else ""
    ways = more or f"{count(len(rows))} {'way' if len(rows) == 1 else 'ways'}"
    held = sum(row.word == "passed" for row in rows)
    gates = f", {count(held)} with a gate that holds" if held else ""
    return f"Robustness: {ways} of changing the rows{gates}"


def _rank(one: RobustnessResult) -> int:
    order = {"fail": 0, "inconclusive": 2, "pass": 4, "ungated": 5}
    return order[one.verdict] + (0 if one.blocks or one.verdict in UNTOLD else 1)


def _row(one: RobustnessResult) -> DropRow:
    digits = _digits(one)
    change = _told(show_change(one.difference, one.low, one.high, digits))
    base = _told(show_change(one.base_difference, one.base_low, one.base_high, digits))
    blocked = one.verdict == "inconclusive" and one.blocks
    mark = "" if one.verdict == "ungated" else BLOCKED if blocked else MARKS[one.verdict]
    standing = f"{NBSP}(waived)" if one.waived else "" if one.required else f"{NBSP}(optional)"
    return DropRow(
        mark=mark,
        word=WORDS[one.verdict],
        name=_name(one) + text(" · ") + metric_name(one.metric or "metric"),
        clean=show(one.clean, digits),
        changed=show(one.changed, digits),
        change=change,
        base=base,
        gate=_gate(one) + standing if one.limit is not None else "",
        note=_why(one),
    )


def _told(change: tuple[str, str]) -> str:
    return NBSP.join(part for part in change if part)


def _name(one: RobustnessResult) -> Phrase:
    amount = show_exact(one.amount)
    share = f"{100 * one.amount:.3g}{NBSP}%"
    what = {
        "noise": f"noise of {amount} sd",
        "missing": f"{share} missing",
        "scale": f"values × {amount}",
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
