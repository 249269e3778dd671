"""A data contract: what is promised of a file's rows, and whether it holds.

Counts of the whole file decide, so there is no interval: one row that breaks a promise breaks it.
What could not be counted never passes. Base's contract holds beside head's, as its gates do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from mlops_ci.config.contract import Term
from mlops_ci.config.model import Waiver
from mlops_ci.records.findings import ContractResult, RobustnessResult
from mlops_ci.records.results import Verdict
from mlops_ci.verdict.structs import replaced
from mlops_ci.verdict.waivers import over_said, told, used

Source = Literal["base", "head", "both"]
Family = Literal["integer", "number", "text", "boolean", "date", "timestamp", "empty", "other"]

# dtype → what a column may be. Of text files only the family is known: an int8 is an integer.
WIDER: Mapping[str, tuple[Family, ...]] = {
    "number": ("number", "integer"),
    "timestamp": ("timestamp", "date"),
}


@dataclass(frozen=True)
class Promised:
    """A term and whose file asks for it."""

    term: Term
    source: Source


@dataclass(frozen=True)
class ColumnFacts:
    """What one column holds. `exact`: the type's own name (`int32`); None in a text file. `outside`
    counts, by term kind, the values that break it; `low`, `high`: the lowest and highest value;
    `strange`: values that are not allowed, the most frequent first.
    """

    family: Family
    exact: str | None
    missing: int
    outside: Mapping[str, int] = field(default_factory=dict)
    low: str | None = None
    high: str | None = None
    strange: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileFacts:
    """`columns`: those that were asked for and are there. `repeated`: by the columns that name a
    row, how many rows stand there once more. `refused`: why nothing could be counted."""

    rows: int | None = None
    columns: Mapping[str, ColumnFacts] = field(default_factory=dict)
    repeated: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    missing: bool = False
    refused: str | None = None


@dataclass(frozen=True)
class SchemaFacts:
    """What pandera says: how often each check failed, by (column or None, check). `refused`: why
    it could not be asked."""

    failures: Mapping[tuple[str | None, str], int] = field(default_factory=dict)
    refused: str | None = None


@dataclass(frozen=True)
class Seen:
    """What is known of the file of one term. `base_rows` None: not known, and `base_note` why."""

    path: str
    file: FileFacts
    base_rows: int | None = None
    base_note: str = ""
    schema: SchemaFacts | None = None


def judge_term(promised: Promised, seen: Seen) -> ContractResult:
    """Raises nothing: what is not there is not assessed, and blocks where it is required."""
    term, facts = promised.term, seen.file
    result = ContractResult(
        file=seen.path,
        kind=term.kind,
        column=term.column,
        limit=term.limit,
        allowed=term.allowed,
        spec=term.spec,
        rows=facts.rows,
        required=term.required,
        source=promised.source,
        verdict="inconclusive",
        reason="not-assessed",
        blocks=term.required,
    )
    found = _look(promised, seen)
    if found.get("verdict") == "pass" or found.get("waits"):
        found["blocks"] = False
    found.pop("waits", None)
    return replaced(result, **found)


def _look(promised: Promised, seen: Seen) -> dict[str, Any]:
    term, facts = promised.term, seen.file
    if facts.missing:
        return {"reason": "missing-file", "note": f"there is no {seen.path}"}
    if term.kind == "schema":
        return _look_at_schema(seen.schema or SchemaFacts(refused="it was not asked"))
    if facts.refused is not None or facts.rows is None:
        return {"note": facts.refused}
    if term.kind.startswith("rows-"):
        return _look_at_rows(promised, seen, facts.rows)
    gone = [name for name in term.columns if name not in facts.columns]
    if gone:
        note = f"there is no column {', '.join(map(repr, gone))}"
        return {"verdict": "fail", "reason": "missing-column", "note": note}
    if len(term.columns) > 1:
        return _counted(facts.repeated.get(term.columns))
    return _look_at_column(term, facts.columns[term.columns[0]], facts)


def _look_at_schema(schema: SchemaFacts) -> dict[str, Any]:
    if schema.refused is not None:
        return {"note": schema.refused}
    told = sorted(schema.failures.items(), key=lambda one: (-one[1], str(one[0])))
    found = tuple(
        f"{column}: {check} ({count}×)" if column else f"{check} ({count}×)"
        for (column, check), count in told
    )
    return {**_counted(sum(schema.failures.values())), "found": found}


def _look_at_rows(promised: Promised, seen: Seen, rows: int) -> dict[str, Any]:
    term = promised.term
    limit = _number(term)
    if term.kind != "rows-max-change":
        kept = rows >= limit if term.kind == "rows-min" else rows <= limit
        return {"value": float(rows), **_ruled(kept)}
    if not seen.base_rows:
        why = "base's file has no row" if seen.base_rows == 0 else seen.base_note
        # Only head asks for it: base could not have counted yet, and does from the merge on.
        waits = promised.source == "head" and seen.base_rows is None
        return {"reason": "no-base", "note": why or "base's rows are not known", "waits": waits}
    change = (rows - seen.base_rows) / seen.base_rows
    return {"value": change, "base_rows": seen.base_rows, **_ruled(abs(change) <= limit)}


def _look_at_column(term: Term, column: ColumnFacts, facts: FileFacts) -> dict[str, Any]:
    rows = facts.rows or 0
    if term.kind == "dtype":
        return {"found": (column.exact or column.family,), **_ruled(_fits(term, column))}
    if term.kind == "max-null":
        share = column.missing / rows
        return {"value": share, "bad": column.missing, **_ruled(share <= _number(term))}
    counted = _counted(column.outside.get(place_of(term)))
    if term.kind == "values":
        counted["found"] = column.strange
    if term.kind in ("min", "max"):
        end = column.low if term.kind == "min" else column.high
        counted["found"] = (end,) if end is not None else ()
    return counted


def place_of(term: Term) -> str:
    """By what the counts of one column are told apart: base's terms and head's may differ."""
    return f"{term.kind} {term.limit} {term.allowed!r}"


def _fits(term: Term, column: ColumnFacts) -> bool:
    """A column without any value fits every type."""
    asked = str(term.allowed[0])
    if column.family == "empty":
        return True
    plain = asked.rstrip("0123456789")
    if plain != asked:
        if column.exact is not None:
            return column.exact == asked
        asked = "number" if plain == "float" else "integer"
    return column.family in WIDER.get(asked, (asked,))


def _counted(bad: int | None) -> dict[str, Any]:
    if bad is None:
        return {"note": "it could not be counted"}
    return {"value": float(bad), "bad": bad, **_ruled(bad == 0)}


def _ruled(kept: bool) -> dict[str, Any]:  # noqa: FBT001 - what was found
    return {
        "verdict": "pass" if kept else "fail",
        "reason": "holds" if kept else "broken",
    }


def _number(term: Term) -> float:
    return float(term.limit) if isinstance(term.limit, (int, float)) else 0.0


def join_verdict(verdict: Verdict, results: Iterable[ContractResult | RobustnessResult]) -> Verdict:
    """The gates' verdict and what else was promised: the worse. A contract that holds judges no
    model, nor does a term that waits for its first base."""
    found = {one.verdict for one in results if one.required and _tells(one)}
    if verdict == "fail" or "fail" in found:
        return "fail"
    return "inconclusive" if "inconclusive" in found else verdict


def _tells(one: ContractResult | RobustnessResult) -> bool:
    return one.blocks or isinstance(one, RobustnessResult)


@dataclass(frozen=True)
class WaivedTerms:
    results: tuple[ContractResult, ...]
    notes: tuple[str, ...] = ()


def waive_contract(
    results: Sequence[ContractResult], waivers: Sequence[Waiver], today: date
) -> WaivedTerms:
    """A waiver whose `metric` is `contract` covers all terms, `contract:age` those of a column."""
    judged: list[ContractResult] = []
    notes: list[str] = []
    for result in results:
        if not result.required or result.verdict == "pass":
            judged.append(result)
            continue
        name = f"contract:{result.column}"
        found = [waiver for waiver in waivers if waiver.metric in {"contract", name}]
        valid = next((waiver for waiver in found if waiver.until >= today), None)
        notes += [over_said(waiver.metric, waiver) for waiver in found if waiver.until < today]
        if valid is not None:
            notes.append(used(valid.metric, valid))
            result = replaced(result, required=False, blocks=False, waived=told(valid))  # noqa: PLW2901
        judged.append(result)
    return WaivedTerms(tuple(judged), tuple(dict.fromkeys(notes)))
