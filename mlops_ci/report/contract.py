"""The data contract in words: what was promised of a file, and what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from msgspec import structs

from mlops_ci.records.findings import ContractResult
from mlops_ci.report.labels import BLOCKED, MARKS, WORDS
from mlops_ci.report.model import Section
from mlops_ci.report.numbers import NBSP, count, show_exact
from mlops_ci.report.phrase import Phrase, clip, code, join, quoted, text
from mlops_ci.value import Value

NAMED = 5  # values, and failures of a schema, that are named in one cell


class TermRow(Value, frozen=True):
    """One term in a table. `found` is what the file holds, `asked` what was promised."""

    mark: str
    word: str
    name: Phrase
    found: Phrase
    asked: Phrase


def contract_rows(section: Section) -> tuple[TermRow, ...]:
    """What blocks first, then what failed otherwise, then as it was written. A file that cannot be
    read has one row."""
    comparison = section.comparison
    if comparison is None:
        return ()
    ranked = sorted(comparison.contract, key=_rank)
    grouped: dict[Any, list[ContractResult]] = {}
    for place, one in enumerate(ranked):
        asked_of_another = one.reason == "not-assessed" and one.kind != "schema"
        unread = one.reason == "missing-file" or asked_of_another
        alike = (one.file, one.reason, one.note, one.required, one.waived)
        grouped.setdefault(alike if unread else place, []).append(one)
    return tuple(
        _row(many[0]) if len(many) == 1 else _row_of_many(many) for many in grouped.values()
    )


def one_file(section: Section) -> str | None:
    """The file that all terms are about; None where they are about several, or there is none."""
    terms = section.comparison.contract if section.comparison is not None else ()
    files = {one.file for one in terms}
    return files.pop() if len(files) == 1 else None


def contract_blocks(section: Section) -> bool:
    """Whether the contract alone stops the change: no gate does."""
    comparison = section.comparison
    if comparison is None or any(gate.blocks for gate in comparison.gates):
        return False
    return any(one.blocks for one in comparison.contract)


def contract_headline(section: Section) -> Phrase:
    """` breaks its data contract: age of data/train.csv, 3.2 % missing (at most 1 %)`."""
    first = _blocking(section)[0]
    if first.verdict == "inconclusive":
        return text(": its data contract cannot be checked: ") + _found(first)
    said = _name(first) + text(", ") + _found(first)
    asked = _asked(first)
    return text(" breaks its data contract: ") + said + text(" (asked: ") + asked + text(")")


def contract_lead(section: Section) -> Phrase:
    """`2 of 6 terms of its data contract do not hold.`; nothing without a contract."""
    comparison = section.comparison
    terms = comparison.contract if comparison is not None else ()
    if not terms:
        return Phrase()
    total = len(terms)
    open_ = sum(one.verdict == "inconclusive" for one in terms)
    failed = sum(one.verdict == "fail" for one in terms)
    if not failed and not open_:
        every = {1: "the term", 2: "both terms"}.get(total, f"all {count(total)} terms")
        verb = "holds" if total == 1 else "hold"
        return text(f"Of its data contract {every} {verb}.")
    if open_ == total > 1:
        return text(f"None of the {_terms(total)} of its data contract can be checked.")
    of = f" of {_terms(total)} of its data contract"
    file = one_file(section)
    about = text(" (") + code(file) + text(")") if file is not None else Phrase()
    parts = [f"{count(failed)}{of} {_do(failed)} not hold"] if failed else []
    parts += [f"{count(open_)}{'' if failed else of} cannot be checked"] if open_ else []
    first, *rest = parts
    told, _, verb = first.partition(of)
    said = text(told + of) + about + text(verb) if verb else text(first)
    return said + text("".join(f", and {part}" for part in rest) + ".")


def _do(number: int) -> str:
    return "does" if number == 1 else "do"


def _terms(number: int) -> str:
    return f"{count(number)} {'term' if number == 1 else 'terms'}"


def contract_title(held: Sequence[TermRow], total: int) -> str:
    """Of a fold with the terms that hold, and before them what is too much to stand open."""
    broken = sum(row.word != "passed" for row in held)
    if broken:
        rest = len(held) - broken
        also = f", {count(rest)} that {_hold(rest)}" if rest else ""
        return f"The data contract: {count(broken)} more that {_do(broken)} not hold{also}"
    if len(held) < total:
        return f"{_terms(len(held))} of the data contract {_hold(len(held))}"
    return f"The data contract holds: {_terms(total)}"


def _hold(number: int) -> str:
    return "holds" if number == 1 else "hold"


def _blocking(section: Section) -> list[ContractResult]:
    terms = section.comparison.contract if section.comparison is not None else ()
    return sorted((one for one in terms if one.blocks), key=_rank)


def _rank(one: ContractResult) -> int:
    order = {"fail": 0, "inconclusive": 2, "pass": 4}
    return order[one.verdict] + (0 if one.blocks or one.verdict == "pass" else 1)


def _row(one: ContractResult) -> TermRow:
    blocked = one.verdict == "inconclusive" and one.blocks
    standing = f"{NBSP}(waived)" if one.waived else "" if one.required else f"{NBSP}(optional)"
    return TermRow(
        mark=BLOCKED if blocked else MARKS[one.verdict],
        word=WORDS[one.verdict],
        name=_name(one),
        found=_found(one),
        asked=_asked(one) + text(standing),
    )


def _row_of_many(many: Sequence[ContractResult]) -> TermRow:
    """Terms of a file that is not there: one row says it."""
    first = _row(many[0])
    return structs.replace(first, name=code(many[0].file), asked=text(_terms(len(many))))


def _name(one: ContractResult) -> Phrase:
    columns = one.column.split(", ") if one.column is not None else []
    named = join((code(column) for column in columns), ", ")
    file = code(one.file)
    return named + text(" of ") + file if named else file


def _found(one: ContractResult) -> Phrase:
    if one.verdict == "inconclusive" or one.reason == "missing-column":
        return quoted((one.note or "not assessed").replace("'", "`"), 200)
    if one.kind in ("min", "max"):
        return _found_ends(one)
    if one.kind == "dtype":
        return code(one.found[0] if one.found else "?")
    if one.kind == "max-null":
        return text(f"{_percent(one.value or 0.0)} missing") + _rows(one)
    if one.kind == "values":
        return _found_values(one)
    if one.kind == "unique":
        bad = one.bad or 0
        return text(f"{_n_rows(bad)} repeated" if bad else "no row twice")
    if one.kind == "schema":
        return _found_failures(one)
    return _found_rows(one)


def _found_ends(one: ContractResult) -> Phrase:
    """What is no number at all lies outside, too, and is told apart by the end that does not."""
    word = "lowest" if one.kind == "min" else "highest"
    end = text(f"{word} ") + code(one.found[0]) if one.found else text("no value")
    if not one.bad:
        return end
    if not one.found or _inside(one.found[0], one):
        kind = "day" if isinstance(one.limit, date) else "number"
        return text(f"{_n_rows(one.bad)} that {'is' if one.bad == 1 else 'are'} no {kind}")
    return text(f"{_n_rows(one.bad)} outside, ") + end


def _inside(end: str, one: ContractResult) -> bool:
    if isinstance(one.limit, date) or one.limit is None:
        limit = str(one.limit)
        return end >= limit if one.kind == "min" else end <= limit
    return float(end) >= one.limit if one.kind == "min" else float(end) <= one.limit


def _found_values(one: ContractResult) -> Phrase:
    if not one.bad:
        return text("no other value")
    named = join((code(value) for value in one.found), ", ")
    return text(f"{_n_rows(one.bad)} with other values: ") + named


def _found_failures(one: ContractResult) -> Phrase:
    if not one.bad:
        return text("no failure")
    shown = join((code(failure) for failure in one.found[:NAMED]), ", ")
    rest = len(one.found) - NAMED
    more = text(f" and {count(rest)} more checks") if rest > 0 else Phrase()
    return text(f"{count(one.bad)} {'failure' if one.bad == 1 else 'failures'}: ") + shown + more


def _found_rows(one: ContractResult) -> Phrase:
    rows = one.rows or 0
    if one.kind != "rows-max-change" or one.base_rows is None:
        return text(_n_rows(rows))
    change = 100 * (one.value or 0.0)
    sign = "+" if change > 0 else "−" if change < 0 else ""
    told = f"{sign}{abs(change):.3g}{NBSP}%" if change else "as many"
    return text(f"{told} ({count(one.base_rows)} → {_n_rows(rows)})")


def _asked(one: ContractResult) -> Phrase:
    if one.kind == "dtype":
        return text("type ") + code(str(one.allowed[0]) if one.allowed else "?")
    if one.kind == "values":
        named = join((code(_written(value)) for value in one.allowed[:NAMED]), ", ")
        rest = len(one.allowed) - NAMED
        return (
            text("one of ") + named + (text(f" and {count(rest)} more") if rest > 0 else Phrase())
        )
    if one.kind == "schema":
        whose = text(" as base has it") if one.source == "base" else Phrase()
        return code(one.spec or "a schema") + whose
    return text(_asked_words(one))


def _asked_words(one: ContractResult) -> str:
    if one.kind == "unique":
        return "no row twice" if len((one.column or "").split(", ")) > 1 else "no value twice"
    if isinstance(one.limit, date):
        return f"{'from' if one.kind == 'min' else 'until'} {one.limit.isoformat()}"
    limit = one.limit or 0.0
    words = {
        "max-null": f"at most {_percent(limit)} missing" if limit else "none missing",
        "min": f"≥{NBSP}{show_exact(limit)}",
        "max": f"≤{NBSP}{show_exact(limit)}",
        "rows-min": f"≥{NBSP}{_n_rows(int(limit))}",
        "rows-max": f"≤{NBSP}{_n_rows(int(limit))}",
        "rows-max-change": f"±{NBSP}{_percent(limit)} of base's rows",
    }
    return words[one.kind]


def _written(value: str | float | bool) -> str:  # noqa: FBT001 - a value of theirs
    return str(value).lower() if isinstance(value, bool) else clip(str(value))


def _percent(share: float) -> str:
    """No share that is more than nothing reads as nothing."""
    return f"{100 * share:.3g}{NBSP}%"


def _rows(one: ContractResult) -> Phrase:
    return text(f" ({_n_rows(one.bad)})") if one.bad else Phrase()


def _n_rows(number: int) -> str:
    return f"{count(number)} {'row' if number == 1 else 'rows'}"
