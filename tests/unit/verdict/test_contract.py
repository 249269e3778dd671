"""A promise about rows holds, is broken, or cannot be told; the last never passes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.config import Waiver
from mlops_ci.config.contract import Column, Contract, Rows, Term, expand_contract
from mlops_ci.records.findings import ContractResult
from mlops_ci.verdict.contract import (
    ColumnFacts,
    FileFacts,
    Promised,
    SchemaFacts,
    Seen,
    join_verdict,
    judge_term,
    place_of,
    waive_contract,
)
from mlops_ci.verdict.terms import merge_terms


def one(contract: Contract) -> Term:
    (term,) = expand_contract(contract)
    return term


def judged(
    contract: Contract, file: FileFacts, source: Any = "both", **seen: Any
) -> ContractResult:
    return judge_term(Promised(one(contract), source), Seen("d.csv", file, **seen))


def column(**asked: Any) -> Contract:
    return Contract(columns={"age": Column(**asked)})


def holding(**facts: Any) -> FileFacts:
    fields = {"family": "integer", "exact": None, "missing": 0, **facts}
    return FileFacts(100, {"age": ColumnFacts(**fields)})


@pytest.mark.parametrize(("missing", "verdict"), [(0, "pass"), (1, "pass"), (2, "fail")])
def test_a_share_may_be_reached_and_not_passed(missing: int, verdict: str) -> None:
    contract = column(max_null=0.01)
    found = judged(contract, holding(missing=missing))
    assert (found.verdict, found.blocks, found.bad) == (verdict, verdict == "fail", missing)


@pytest.mark.parametrize(
    "asked", [{"min": 0.0}, {"max": date(2026, 1, 1)}, {"values": ["a"]}, {"unique": True}]
)
def test_one_row_breaks_a_promise_about_all(asked: dict[str, Any]) -> None:
    term = one(column(**asked))
    verdicts = [
        judged(column(**asked), holding(outside={place_of(term): bad})).verdict for bad in (0, 1)
    ]
    assert verdicts == ["pass", "fail"]


@pytest.mark.parametrize("asked", [{"min": 0.0}, {"max": 1.0}, {"values": ["a"]}, {"unique": True}])
def test_what_was_not_counted_does_not_pass(asked: dict[str, Any]) -> None:
    found = judged(column(**asked), holding())
    assert (found.verdict, found.blocks) == ("inconclusive", True)


@pytest.mark.parametrize(
    ("asked", "family", "exact", "fits"),
    [
        ("integer", "integer", "int8", True),
        ("integer", "number", "float64", False),
        ("number", "integer", "int8", True),
        ("int8", "integer", "int8", True),
        ("int8", "integer", "int16", False),
        ("int8", "integer", None, True),
        ("float64", "text", None, False),
        ("float32", "integer", None, True),
        ("timestamp", "date", None, True),
        ("date", "timestamp", None, False),
        ("boolean", "empty", None, True),
    ],
)
def test_types(asked: Any, family: Any, exact: str | None, fits: bool) -> None:
    contract = column(dtype=asked)
    found = judged(contract, holding(family=family, exact=exact))
    assert found.verdict == ("pass" if fits else "fail")


def test_a_column_that_is_not_there_breaks_the_contract() -> None:
    found = judged(column(max_null=1.0), FileFacts(100))
    assert (found.verdict, found.blocks, found.reason) == ("fail", True, "missing-column")


@pytest.mark.parametrize("file", [FileFacts(missing=True), FileFacts(refused="it is truncated")])
@pytest.mark.parametrize("required", [True, False])
def test_a_file_that_cannot_be_read_is_never_a_pass(file: FileFacts, required: bool) -> None:
    contract = Contract(
        columns={"age": Column(max_null=1.0)}, rows=Rows(min=0), schema="s.py:S", required=required
    )
    for term in expand_contract(contract):
        found = judge_term(Promised(term, "both"), Seen("d.csv", file))
        assert (found.verdict, found.blocks) == ("inconclusive", required)


@pytest.mark.parametrize(
    ("base", "verdict"), [(100, "pass"), (84, "pass"), (83, "fail"), (125, "pass"), (126, "fail")]
)
def test_rows_against_bases(base: int, verdict: str) -> None:
    change = Contract(rows=Rows(max_change=0.2))
    assert judged(change, FileFacts(100), base_rows=base).verdict == verdict


def test_rows_of_a_base_that_nobody_counted_wait_for_a_new_term_alone() -> None:
    change = Contract(rows=Rows(max_change=0.2))
    blocks = {
        source: judged(change, FileFacts(100), source).blocks for source in ("base", "head", "both")
    }
    assert blocks == {"base": True, "head": False, "both": True}
    assert judged(change, FileFacts(100), "head", base_rows=0).blocks, (
        "an empty base is no yardstick"
    )
    assert judged(change, FileFacts(100), "head").verdict == "inconclusive"


def test_a_schema_fails_by_any_check_and_is_open_without_an_answer() -> None:
    schema = Contract(schema="s.py:S")
    said = SchemaFacts({("age", "ge(0)"): 2, (None, "rows"): 1})
    failed = judged(schema, FileFacts(100), schema=said)
    assert (failed.verdict, failed.bad, failed.found) == (
        "fail",
        3,
        ("age: ge(0) (2×)", "rows (1×)"),
    )
    assert judged(schema, FileFacts(100), schema=SchemaFacts()).verdict == "pass"
    assert judged(schema, FileFacts(100)).blocks
    assert judged(schema, FileFacts(100), schema=SchemaFacts(refused="no pandera")).blocks


def result(verdict: Any, **other: Any) -> ContractResult:
    fields = {"file": "d.csv", "kind": "max-null", "reason": "holds", "column": "age"}
    return ContractResult(**{**fields, "verdict": verdict, "blocks": verdict != "pass", **other})


def test_the_contract_never_makes_a_verdict_better() -> None:
    order = {"fail": 0, "inconclusive": 1, "ungated": 2, "pass": 3}
    for verdict, place in order.items():
        for term in ("pass", "inconclusive", "fail"):
            joined = join_verdict(verdict, [result(term)])  # type: ignore[arg-type]
            assert order[joined] <= place
            assert (joined == "fail") == ("fail" in (verdict, term))
    assert join_verdict("ungated", [result("pass")]) == "ungated"
    assert join_verdict("pass", [result("fail", required=False, blocks=False)]) == "pass"


def test_waivers_cover_a_column_or_all_until_their_day() -> None:
    def waived(metric: str, today: date) -> tuple[bool, tuple[str, ...]]:
        waiver = Waiver(metric=metric, owner="ana", reason="audit", until=date(2026, 6, 1))
        found = waive_contract([result("fail")], [waiver], today)
        return found.results[0].blocks, found.notes

    assert waived("contract", date(2026, 6, 1))[0] is False
    assert waived("contract:age", date(2026, 6, 1))[0] is False
    assert waived("contract:plan", date(2026, 6, 1)) == (True, ())
    blocks, notes = waived("contract", date(2026, 6, 2))
    assert blocks
    assert "ended on 2026-06-01" in notes[0]


def changes(base: Contract, head: Contract) -> tuple[str, ...]:
    return merge_terms(expand_contract(base), expand_contract(head))[1]


def test_a_looser_term_is_judged_by_bases_too_and_told() -> None:
    pairs = [
        (column(max_null=0.0), column(max_null=0.5)),
        (column(min=0.0), column(min=-5.0)),
        (column(max=date(2026, 1, 1)), column(max=date(2027, 1, 1))),
        (column(values=["a"]), column(values=["a", "b"])),
        (Contract(rows=Rows(max_change=0.1)), Contract(rows=Rows(max_change=0.9))),
        (column(max_null=0.0), Contract(columns={"age": Column(max_null=0.0)}, required=False)),
    ]
    for base, head in pairs:
        merged, said = merge_terms(expand_contract(base), expand_contract(head))
        assert [p.source for p in merged] == ["base", "head"]
        assert "looser: base's holds" in said[0]
        assert "both hold" in changes(head, base)[0]


def test_a_term_that_goes_holds_and_a_new_one_holds_already() -> None:
    assert "is removed; it holds until this is merged" in changes(column(min=0.0), Contract())[0]
    assert "is new and already holds" in changes(Contract(), column(min=0.0))[0]
    assert changes(column(min=0.0), column(min=0.0)) == ()


@given(
    st.lists(st.sampled_from(["max_null", "min", "max"]), min_size=0, max_size=3, unique=True),
    st.lists(st.sampled_from(["max_null", "min", "max"]), min_size=0, max_size=3, unique=True),
)
def test_no_term_of_base_is_ever_lost(base: list[str], head: list[str]) -> None:
    ours = expand_contract(column(**dict.fromkeys(base, 0.5)))
    theirs = expand_contract(column(**dict.fromkeys(head, 0.7)))
    merged, _ = merge_terms(ours, theirs)
    assert {p.term for p in merged if p.source != "head"} == set(ours)
    assert {p.term for p in merged} == {*ours, *theirs}
