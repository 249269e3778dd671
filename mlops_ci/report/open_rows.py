"""Which rows of gates, contract and robustness stand open in a comment, and which are folded."""

from __future__ import annotations

from typing import Any

from msgspec import structs

from mlops_ci.report.contract import (
    TermRow,
    contract_blocks,
    contract_rows,
    contract_title,
    one_file,
)
from mlops_ci.report.ladder import Rung
from mlops_ci.report.model import Section
from mlops_ci.report.numbers import count
from mlops_ci.report.phrase import Phrase, code, text
from mlops_ci.report.robustness import robustness_blocks, robustness_rows, robustness_title
from mlops_ci.report.rows import gate_rows
from mlops_ci.report.words import unchanged

SHOWN = 8  # rows that stand open beside those that need attention
MOST = 12  # gates that stand open
UNHELD = ("failed", "undecided")
FEW = 5  # terms of a contract, and ways of changing rows, that stand open


def standing_open(section: Section, rung: Rung) -> dict[str, Any]:
    return {
        **_gates(section, rung),
        **_contract(section, rung),
        **_robustness(section, rung),
    }


def _gates(section: Section, rung: Rung) -> dict[str, Any]:
    """What needs attention and a few that passed stand open; the others are folded."""
    rows = gate_rows(section)
    attention = tuple(row for row in rows if row.word != "passed")
    passed = tuple(row for row in rows if row.word == "passed")
    beside = max(0, SHOWN - len(attention) - _unheld(section)) if rung.passed else 0
    if rung.passed and not attention and _told_otherwise(section):
        beside = 0
    elif rung.passed and len(passed) <= beside + 1:  # one row alone is not worth a fold
        beside = len(passed)
    most = MOST if rung.passed and rung.rows is None else rung.rows
    if len(attention) == MOST + 1:
        most = rung.rows
    kept = (*attention, *passed[:beside])[:most]
    folded = (*attention, *passed)[len(kept) :] if rung.passed and rung.rows is None else ()
    return {
        "gates": kept,
        "passed": folded,
        "passed_title": _title(len(folded), len(rows), len(attention) - len(kept)),
        "more_gates": len(rows) - len(kept) - len(folded),
    }


def _unheld(section: Section) -> int:
    """Rows of the tables below that of the gates: it is shorter where they are long."""
    words = [row.word for row in contract_rows(section)]
    words += [row.word for row in robustness_rows(section)]
    return sum(word in UNHELD for word in words)


def _told_otherwise(section: Section) -> bool:
    """Whether the gates all hold and something else is what a reader has come for."""
    if section.comparison is not None and unchanged(section.comparison):
        return True
    return contract_blocks(section) or robustness_blocks(section)


def _contract(section: Section, rung: Rung) -> dict[str, Any]:
    """What does not hold stands open, what does is folded."""
    rows = contract_rows(section)
    broken = tuple(row for row in rows if row.word != "passed")
    held = tuple(row for row in rows if row.word == "passed")
    unfolds = rung.passed and rung.rows is None
    shown = broken[: _few(len(broken)) if unfolds else rung.rows]
    folded = (*broken[len(shown) :], *held) if unfolds else ()
    return {
        "contract": _in_one_file(section, shown),
        "contract_held": folded,
        "contract_title": contract_title(folded, len(rows)),
        "more_terms": 0 if unfolds else len(broken) - len(shown),
    }


def _in_one_file(section: Section, rows: tuple[TermRow, ...]) -> tuple[TermRow, ...]:
    """Where all terms are about one file, the lead names it, and cells are for phones."""
    alone = one_file(section)
    if alone is None:
        return rows
    ending = text(" of ") + code(alone)
    return tuple(structs.replace(row, name=_without(row.name, ending)) for row in rows)


def _without(name: Phrase, ending: Phrase) -> Phrase:
    cut = len(name.spans) - len(ending.spans)
    return Phrase(name.spans[:cut]) if name.spans[cut:] == ending.spans else name


def _robustness(section: Section, rung: Rung) -> dict[str, Any]:
    """A gate that does not hold stands open; the others are folded."""
    rows = robustness_rows(section)
    broken = tuple(row for row in rows if row.word in UNHELD)
    others = tuple(row for row in rows if row.word not in UNHELD)
    unfolds = rung.passed and rung.rows is None
    shown = broken[: _few(len(broken)) if unfolds else rung.rows]
    folded = (*broken[len(shown) :], *others) if unfolds else ()
    return {
        "robustness": shown,
        "robustness_others": folded,
        "robustness_title": robustness_title(folded, bool(shown)),
        "more_drops": 0 if unfolds else len(broken) - len(shown),
    }


def _few(number: int) -> int:
    """One row alone is not worth a fold."""
    return number if number <= FEW + 1 else FEW


def _title(folded: int, total: int, unheld: int) -> str:
    if unheld > 0:
        rest = folded - unheld
        held = f", {count(rest)} passed" if rest else ""
        return f"{count(folded)} more gates: {count(unheld)} not passed{held}"
    if folded < total:
        return f"{count(folded)} more gates, all passed"
    return {1: "Its gate holds", 2: "Both gates hold"}.get(total, f"All {count(total)} gates hold")
