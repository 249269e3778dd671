"""What the rows did, slice by slice, where a reader looks for it."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from mlops_ci.records import Decomposition
from mlops_ci.report import render_html, render_markdown
from mlops_ci.report.effects import MOST, effect_notes, effects_of
from mlops_ci.report.model import Section
from tests.unit.report.states import one, other_rows


def effect(metric: str, region: str, data: float) -> Decomposition:
    return Decomposition(
        metric=metric, slice=f"region={region}", base_before=0.9, base_now=0.9 + data, head=0.91,
        data_effect=data, data_low=data - 0.01, data_high=data + 0.01, model_effect=0.01,
        model_low=0.002, model_high=0.018,
    )  # fmt: skip


def section_of(*more: Decomposition) -> Section:
    found = other_rows()
    assert found.comparison is not None
    whole = found.comparison.decomposition
    comparison = msgspec.structs.replace(found.comparison, decomposition=(*more, *whole))
    return replace(found, comparison=comparison)


def test_slices_stand_after_all_rows_and_the_most_moved_first() -> None:
    section = section_of(
        effect("roc_auc", "north", -0.02),
        effect("roc_auc", "south", -0.2),
        effect("log_loss", "south", -0.3),
    )
    lines = [str(line) for line in effects_of(section)]
    assert [line.split(":")[0] for line in lines] == [
        "ROC AUC", "log loss", "ROC AUC for region=south", "ROC AUC for region=north",
    ]  # fmt: skip
    assert "0.900 → 0.700 by the rows (−0.200: −0.210 … −0.190), → 0.910 by the model" in lines[2]
    gated = [str(line) for line in effects_of(section, gated=True)]
    assert [line.split(":")[0] for line in gated] == ["ROC AUC"]
    notes = " ".join(map(str, effect_notes(section)))
    assert "moves by −0.051" in notes, "of all rows"


def test_they_are_in_the_comment_and_on_the_page() -> None:
    report = one(section_of(effect("roc_auc", "south", -0.2)))
    markdown, page = render_markdown(report), render_html(report)
    for shown in (markdown, page):
        assert "0.900 → 0.700 by the rows" in shown
    fold = markdown.rindex("<details>", 0, markdown.index("0.900 → 0.700"))
    assert fold > 0, "folded"


def test_many_slices_are_counted() -> None:
    section = section_of(*(effect("roc_auc", f"r{n}", -n / 100) for n in range(MOST + 7)))
    lines = [str(line) for line in effects_of(section)]
    assert len(lines) == 2 + MOST + 1
    assert lines[-1] == "7 more of slices are in the record."
