"""Long reports become short ones by whole rows, never by half ones."""

from __future__ import annotations

import re
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci.report import (
    COMMENT,
    Plot,
    Section,
    render_html,
    render_markdown,
    render_summary,
    report_of,
    section_of,
)
from tests.unit.report.states import (
    LINKS,
    STATES,
    compared,
    drop,
    failed,
    metric,
    named,
    one,
    undecided,
    worse,
)


def wide(metrics: int, slices: int = 0, name: str = "metric") -> Section:
    """`metrics` numbers of their own, each in `slices` slices, every tenth with a gate."""
    found = [
        metric(f"{name}_{at}", 0.5, 0.5 + at / 1e5, 0.01, slice=where)
        for at in range(metrics)
        for where in [None, *(f"region=r{number}" for number in range(slices))]
    ]
    gates = [drop(f"{name}_{at}", 0.02) for at in range(0, metrics, 10)]
    return section_of(compared(found, gates))


def whole(content: str) -> None:
    """Every table has rows as wide as its head; every fold and every fence is closed."""
    for table in re.findall(r"(?:^\|.*\n)+", content, flags=re.MULTILINE):
        cells = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(cells) == 1, table
    assert content.count("<details") == content.count("</details>")
    assert len(re.findall(r"^```", content, flags=re.MULTILINE)) % 2 == 0
    assert content.endswith("\n")


@pytest.mark.parametrize("metrics", [0, 1, 50, 2000])
@pytest.mark.parametrize("models", [1, 60])
def test_comment_fits(metrics: int, models: int) -> None:
    section = wide(metrics)
    sections = [named(section, f"model-{number:02}") for number in range(models)]
    report = report_of(sections, LINKS)
    content = render_markdown(report)
    assert len(content) <= COMMENT
    whole(content)
    assert "[full report](<https://example.org/report>)" in content
    assert content.startswith("### ")


SLICED = re.compile(r"<summary>5 slices, the worst: .*</summary>")


def test_slices_go_first_then_metrics() -> None:
    report = one(wide(40, 5))
    full = render_markdown(report, limit=10**9)
    assert SLICED.search(full)
    assert "Shortened" not in full
    fewer = render_markdown(report, limit=len(full) - 1)
    assert "150 more, less bad than these, in the full report" in fewer
    assert "Shortened to fit" in fewer
    seen = [
        (len(re.findall(r"region=r\d", content)), "All 40 metrics" in content)
        for content in (render_markdown(report, limit) for limit in range(27_000, 2_000, -1_500))
    ]
    assert seen == sorted(seen, reverse=True)
    assert list(dict.fromkeys(seen))[-2:] == [(0, True), (0, False)]
    assert "metric_30" in render_markdown(report, limit=3000)


def test_the_worst_slices_are_those_that_stay() -> None:
    content = render_markdown(one(wide(500, 40)))
    rows = re.findall(r"^\| .*`region=r\d+`.* \*\*(\S+)\*\*", content, flags=re.MULTILINE)
    assert len(rows) >= 10
    assert rows == ["0.000"] * len(rows)  # the changes of `wide` rise with the metric's number
    assert f"{20_000 - len(rows):,} more, less bad than these" in content


def test_passed_gates_are_folded_and_counted_where_they_are_many() -> None:
    content = render_markdown(one(wide(200)))
    assert "<summary>12 more gates, all passed</summary>" in content
    opened = content.partition("<details>")[0]
    assert len(re.findall(r"^\| ✅", opened, flags=re.MULTILINE)) == 8
    assert len(re.findall(r"^\| ✅", content, flags=re.MULTILINE)) == 20


def test_a_comment_of_everything_is_calm() -> None:
    """What stands open is read in one look: a heading, tables of what does not hold, three notes."""
    content = render_markdown(STATES["busy"]())
    opened = re.sub(r"<details>.*?</details>", "", content, flags=re.DOTALL)
    lines = [line for line in opened.splitlines() if line.strip(" >") and "|---|" not in line]
    assert len(lines) <= 25
    assert "| ✅" not in opened
    assert "<summary>4 more gates, all passed</summary>" in content
    assert "<summary>4 more notes</summary>" in content
    whole(content)


@pytest.mark.parametrize("models", [1, 60])
@pytest.mark.parametrize("limit", [COMMENT, 9_000, 3_000, 700])
def test_everything_at_once_fits(models: int, limit: int) -> None:
    busy = STATES["busy"]()
    sections = [named(busy.models[0], f"model-{number:02}") for number in range(models)]
    report = replace(report_of(sections, LINKS), charts=True)
    content = render_markdown(report, limit)
    assert len(content) <= limit
    whole(content)
    assert "[full report](<https://example.org/report>)" in content


@pytest.mark.parametrize("models", [1, 60])
def test_a_page_of_everything_stays_small(models: int) -> None:
    """Terms, and models, that go beyond a page's room are counted."""
    section = STATES["busy"]().models[0]
    assert section.comparison is not None
    terms = tuple(section.comparison.contract) * 40
    comparison = msgspec.structs.replace(section.comparison, contract=terms)
    section = replace(section, comparison=comparison, plots=())
    page = render_html(report_of([named(section, f"m{at:02}") for at in range(models)], LINKS))
    assert len(page.encode()) <= 300_000
    assert page.count("<section") == min(models, 50)
    assert ("10 more models are in the records" in page) == (models == 60)
    assert "more terms, better than these" in page


def test_gates_that_failed_stand_open_as_far_as_one_look_reaches() -> None:
    found = [metric(f"metric_{at}", 0.5, 0.4, 0.01) for at in range(30)]
    gates = [drop(f"metric_{at}", 0.02) for at in range(30)]
    content = render_markdown(one(section_of(compared(found, gates))))
    opened = content.partition("<details>")[0]
    assert len(re.findall(r"^\| ❌", opened, flags=re.MULTILINE)) == 12
    assert "<summary>18 more gates: 18 not passed</summary>" in content
    assert len(re.findall(r"^\| ❌", content, flags=re.MULTILINE)) == 30


@pytest.mark.parametrize("models", [1, 60])
def test_the_link_is_the_last_thing_left_out(models: int) -> None:
    sections = [named(wide(200, 3), f"model-{number:02}") for number in range(models)]
    report = report_of(sections, LINKS)
    for limit in (300, 700, 1500, 3000):
        assert "[full report](<https://example.org/report>)" in render_markdown(report, limit)


def test_what_is_not_shown_is_counted() -> None:
    content = render_markdown(one(wide(400)), limit=2000)
    shown = len(re.findall(r"^\| ✅", content, flags=re.MULTILINE))
    assert f"{40 - shown} more gates in the full report" in content


def test_gates_that_need_attention_stay_longest() -> None:
    section = worse()
    content = render_markdown(one(section), limit=1000)
    assert "**Must not be merged**" in content
    assert "❌ | recall" in content
    assert "✅ |" not in content


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 60), st.integers(0, 3), st.integers(0, 12), st.integers(0, 20_000))
def test_any_limit(metrics: int, slices: int, models: int, limit: int) -> None:
    sections = [named(wide(metrics, slices), f"m{number}") for number in range(models)]
    sections += [named(undecided(), "undecided"), named(failed(), "failed")]
    report = report_of(sections, LINKS)
    content = render_markdown(report, limit)
    assert len(content) <= limit
    if content:
        whole(content)


def test_limit_counts_code_points_not_bytes() -> None:
    section = named(wide(480), "🦀" * 50)
    content = render_markdown(one(section))
    assert "Shortened" not in content
    assert len(content) <= COMMENT < len(content.encode())


@pytest.mark.parametrize("limit", range(2_000, 2_040))
def test_an_emoji_of_four_bytes_is_never_cut_at_the_limit(limit: int) -> None:
    section = named(wide(30, name="🦀"), "🚢" * 30)
    comment, told = render_markdown(one(section), limit), render_summary(one(section), limit)
    assert len(comment) <= limit
    assert len(told.encode("utf-8")) <= limit
    for content in (comment, told):
        whole(content)
        assert content.encode("utf-8").decode("utf-8") == content
        assert content.count("🦀") == len(re.findall(r"🦀_\d+", content))
        assert "🚢" * 30 in content


def test_summary_counts_bytes() -> None:
    section = wide(400, 10)
    content = render_summary(one(section))
    assert 100_000 < len(content.encode()) <= 1_000_000
    whole(content)


def test_long_logs_are_cut_at_their_beginning() -> None:
    section = failed()
    assert section.failure is not None
    lines = "".join(f"epoch {number}\n" for number in range(100_000))
    failure = msgspec.structs.replace(section.failure, tail=lines + "KeyError: 'tenure'\n")
    content = render_markdown(one(replace(section, failure=failure)))
    assert len(content) <= COMMENT
    assert "KeyError: 'tenure'" in content
    assert "epoch 1\n" not in content
    whole(content)


@pytest.mark.parametrize(("metrics", "slices"), [(0, 0), (500, 40), (2000, 0)])
@pytest.mark.parametrize("models", [1, 60])
def test_page_stays_small(metrics: int, slices: int, models: int) -> None:
    section = wide(metrics, slices if models == 1 else min(slices, 2))
    report = report_of([named(section, f"model-{number:02}") for number in range(models)], LINKS)
    page = render_html(report)
    assert len(page.encode()) <= 300_000
    assert page.count("<section") == models
    assert page.count("<table") == page.count("</table>")
    if slices and models == 1:
        assert (
            "more are in the comparison&#39;s record" in page
            or "more are in the comparison's" in page
        )


def test_pictures_do_not_count_as_the_page() -> None:
    drawn = replace(wide(300), plots=(Plot("roc", "ROC", b"0" * 300_000, b"1" * 300_000),))
    assert "metric_299" in render_html(one(drawn))
