"""What is said, and what is never said, for records that are near the edges."""

from __future__ import annotations

import msgspec
import pytest

from mlops_ci.config import Policy
from mlops_ci.records import Decomposition, LeftOut
from mlops_ci.report import (
    Report,
    headline,
    render_markdown,
    report_headline,
    report_of,
    section_of,
)
from mlops_ci.report.advice import paste, suggested_margin
from mlops_ci.report.sentences import lead
from mlops_ci.report.words import mark_of, report_mark
from mlops_ci.verdict import Uncommon, judge
from tests.unit.report.states import (
    better,
    compared,
    drop,
    failed,
    first,
    floor,
    metric,
    named,
    no_worse,
    one,
    probably_worse,
    two_files,
    undecided,
    ungated,
    untouched,
    worse,
)


def said(section: object) -> str:
    return str(lead(section, one(section)))  # type: ignore[arg-type]


def test_better_is_said_of_the_primary_metric_alone() -> None:
    metrics = [metric("recall", 0.64, 0.645, 0.02), metric("roc_auc", 0.9, 0.95, 0.001)]
    section = section_of(compared(metrics, (drop("recall", 0.05), drop("roc_auc", 0.01))))
    assert section.comparison is not None
    assert section.comparison.metrics[1].better
    assert headline(section) == "churn is no worse: recall 0.640 → 0.645"


def test_floors_alone_do_not_make_a_model_no_worse() -> None:
    section = section_of(compared([metric("recall", 0.7, 0.65, 0.01)], (floor("recall", 0.6),)))
    assert headline(section) == "churn keeps its bounds: recall 0.700 → 0.650"
    assert "no worse" not in render_markdown(one(section))


def test_a_limit_beside_a_bound_never_reads_the_same() -> None:
    """−0.01004 is beyond −0.010, and must not be shown as −0.010."""
    found = metric("roc_auc", 0.9, 0.9, 0.01004)
    section = section_of(compared([found], (drop("roc_auc", 0.01),)))
    assert section.comparison is not None
    assert section.comparison.verdict == "inconclusive"
    assert "from −0.01004 to +0.01004" in said(section)


def test_values_that_differ_read_different() -> None:
    assert "0.91200 → 0.91202" in headline(
        section_of(compared([metric("roc_auc", 0.912, 0.91202, 0.004)], (drop("roc_auc", 0.01),)))
    )


def test_may_it_be_merged_leads_every_judged_report() -> None:
    for section in (better(), no_worse(), undecided()):
        assert said(section).startswith("May be merged")
    for section in (worse(), probably_worse()):
        assert said(section).startswith("Must not be merged")


def test_rows_needed_are_a_range_with_its_power() -> None:
    assert "5,000 to 14,000 rows would decide it (80 % power; the fewer if nothing changed" in said(
        undecided()
    )


def test_rows_needed_are_capped() -> None:
    section = section_of(
        compared([metric("roc_auc", 0.912, 0.9025, 0.1, n=840)], (drop("roc_auc", 0.03),), rows=840)
    )
    gate = section.gates[0]
    assert gate.rows_needed is not None
    capped = msgspec.structs.replace(gate, rows_needed=(20_000, 84_000))
    assert section.comparison is not None
    comparison = msgspec.structs.replace(section.comparison, gates=(capped,))
    assert "20,000 to more than 100× these rows" in said(section_of(comparison))


def test_paired_by_position_is_said() -> None:
    assert "paired by position" in said(two_files())


@pytest.mark.parametrize("made", [better, worse, undecided, ungated, two_files])
def test_retraining_noise_is_said_beside_every_verdict(made: object) -> None:
    assert "Retraining noise not measured" in said(made())  # type: ignore[operator]


def test_what_to_paste() -> None:
    assert paste(ungated()) == (
        "yaml",
        "models:\n  churn:\n    gates:\n      roc_auc: {max-drop: 0.01}",
    )
    language, command = paste(two_files()) or ("", "")
    assert language == "sh"
    assert command == "mlops-ci compare main.csv branch.csv --max-drop rmse=0.2"
    assert paste(better()) is None


@pytest.mark.parametrize("name", ["a: b", "x{y}", "yes", "1", "a\nb", "- x", "#c", "'q'"])
def test_what_to_paste_is_yaml_whatever_the_name(name: str) -> None:
    import yaml

    example = paste(named(ungated(), name))
    assert example is not None
    assert list(yaml.safe_load(example[1])["models"]) == [name]


@pytest.mark.parametrize("half", [0.0, 0.001, 0.004, 0.017, 0.4, 3.0])
def test_a_suggested_margin_can_be_decided_on_these_rows(half: float) -> None:
    found = metric("rmse", 3.0, 3.0, half)
    assert suggested_margin(found) >= max(1.5 * half, 0.01) * 0.999


def test_many_models_by_the_worst_of_them() -> None:
    good, bad = named(better(), "a"), named(worse(), "b")
    assert str(report_headline(report_of([good, bad]))) == "1 of 2 models is worse: b"
    assert report_mark(report_of([good, bad])) == "❌"
    open_ = named(undecided(), "c")
    assert "too few rows to tell: c" in str(report_headline(report_of([good, open_])))
    assert str(report_headline(report_of([good, named(no_worse(), "d")]))) == (
        "both models are no worse"
    )
    assert report_headline(report_of([untouched("x"), untouched("y")]))


def test_one_touched_model_among_untouched_ones_speaks_for_itself() -> None:
    report = report_of([untouched("x"), worse()])
    assert str(report_headline(report)) == headline(worse())
    assert report_mark(report) == "❌"


def test_order_is_the_same_whatever_came_first() -> None:
    sections = [named(made(), name) for made, name in
                ((better, "z"), (failed, "m"), (worse, "q"), (first, "a"), (undecided, "k"))]  # fmt: skip
    expected = [section.model for section in report_of(sections).models]
    assert expected == ["m", "q", "k", "z", "a"]
    assert [section.model for section in report_of(sections[::-1]).models] == expected


def test_marks_tell_blocked_from_warned() -> None:
    assert mark_of(probably_worse()) == "⛔"
    assert mark_of(undecided()) == "⚠️"


def test_no_model_at_all() -> None:
    content = render_markdown(Report(()))
    assert content.startswith("### 💤")


def test_only_the_footer_varies_by_run() -> None:
    from dataclasses import replace

    from mlops_ci.report import Links

    section = better()
    assert section.training is not None
    slower = msgspec.structs.replace(
        section.training, duration_seconds=999.0, run_id="other", peak_memory_bytes=1,
        started="2030-01-01T00:00:00+00:00",
    )  # fmt: skip
    here = render_markdown(report_of([section]))
    links = Links(report="https://a.example", run="https://b.example", log="https://c.example")
    there = render_markdown(report_of([replace(section, training=slower)], links))
    assert here != there
    assert here.splitlines()[:-1] == there.splitlines()[:-1]


@pytest.mark.parametrize("waived", [None, "by ana until 2030-01-01: audited"])
def test_a_model_whose_gates_do_not_count_is_not_said_to_have_none(waived: str | None) -> None:
    section = section_of(compared([metric("recall", 0.641, 0.59, 0.009)], (drop("recall", 0.02),)))
    comparison = section.comparison
    assert comparison is not None
    gates = tuple(
        msgspec.structs.replace(gate, required=False, blocks=False, waived=waived)
        for gate in comparison.gates
    )
    section = section_of(
        msgspec.structs.replace(comparison, gates=gates, verdict="ungated", blocks=False)
    )
    words = ("is let through", "its only gate is waived", "Failed, but waived: recall")
    if waived is None:
        words = ("has no gate that is required", "no gate is required", "and failed: recall")
    assert words[0] in str(headline(section))
    assert all(one in said(section) for one in words[1:])
    assert "no gates" not in str(headline(section)) + str(report_headline(report_of([section] * 2)))


def test_who_has_ids_is_not_told_to_write_them() -> None:
    found = compared([metric("recall", 0.641, 0.64, 0.009)], (drop("recall", 0.02),))
    unpaired = [msgspec.structs.replace(one, evidence="unpaired") for one in found.metrics]
    gates = judge(unpaired, [drop("recall", 0.02)], Policy()).gates
    found = msgspec.structs.replace(
        found, metrics=tuple(unpaired), gates=gates, verdict="inconclusive", evidence="unpaired"
    )
    assert "Write an id column" in said(section_of(found))
    found = msgspec.structs.replace(found, left_out=LeftOut(rows=400))
    assert "Evaluate on all rows of main's test set." in said(section_of(found))
    assert "id column" not in said(section_of(found))


@pytest.mark.parametrize(
    ("uncommon", "words"),
    [
        (Uncommon(9), "Keep the rows, or merge the change of the data by itself first."),
        (
            Uncommon(relabelled=9),
            "Keep the labels, or merge the change of the data by itself first.",
        ),
        (Uncommon(unknown=True), "Write an id column"),
    ],
)
def test_who_edits_the_test_set_is_told_what_to_do(uncommon: Uncommon, words: str) -> None:
    metrics, gates = [metric("recall", 0.641, 0.68, 0.009)], (drop("recall", 0.02),)
    judged = judge(metrics, gates, Policy(), uncommon=uncommon)
    found = msgspec.structs.replace(
        compared(metrics, gates),
        gates=judged.gates,
        verdict=judged.verdict,
        blocks=judged.blocks,
        metrics=judged.metrics,
        decomposition=(Decomposition(metric="recall"),),
    )
    assert words in said(section_of(found))
    assert "better" not in said(section_of(found))
    assert "test set" in str(headline(section_of(found)))
