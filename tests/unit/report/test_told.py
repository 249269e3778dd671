"""What a search has found, and who vouches for a gate, stand where a reader sees them."""

from __future__ import annotations

from dataclasses import replace

from msgspec.structs import replace as replaced

from mlops_ci.records.findings import WeakSlice
from mlops_ci.report import render_markdown, render_terminal
from tests.unit.report.states import first_ungated, one, undecided, worse

FOUND = WeakSlice(
    slice="plan=basic & region=@team",
    n=677,
    loss=0.2,
    worse=209,
    worse_of_all=483,
    better=60,
    q=2.4e-22,
    tried=11,
)


def test_the_slice_that_got_worse_is_named() -> None:
    section = worse()
    assert section.comparison is not None
    told = replace(section, comparison=replaced(section.comparison, weak_slices=(FOUND,)))
    comment = render_markdown(one(told))
    said = "209 of the 483 rows that got worse lie where `plan=basic` and `region=@team` (677 rows)"
    assert said in comment
    assert "q =" not in comment, "an adjusted p-value is a p-value"


def test_on_a_first_run_gates_on_changes_wait() -> None:
    section = first_ungated()
    assert section.comparison is not None
    waits = replace(section, comparison=replaced(section.comparison, waiting=2))
    comment = render_markdown(one(waits))
    assert "compared with it, by the 2 gates on changes" in comment
    assert "To paste" not in comment
    assert "To paste" in render_markdown(one(section))


def test_more_rows_decide_nothing_between_other_rows() -> None:
    section = undecided()
    assert section.comparison is not None
    gates = tuple(replaced(gate, evidence="unpaired") for gate in section.comparison.gates)
    other = replace(section, comparison=replaced(section.comparison, gates=gates))
    assert "would decide it" in render_markdown(one(section))
    assert "would decide it" not in render_markdown(one(other))
    assert "to pair the rows" in render_markdown(one(other))


def test_a_waived_gate_says_so() -> None:
    section = worse()
    assert section.comparison is not None
    first, *others = section.comparison.gates
    waived = replaced(first, required=False, blocks=False, waived="by ana until 2026-12-31: audit")
    told = replace(section, comparison=replaced(section.comparison, gates=(waived, *others)))
    assert "(waived)" in render_markdown(one(told))
    assert "(waived)" in render_terminal(one(told), 200)
