"""A comment for which GitHub has no room becomes shorter, by whole lines, and never too long."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci.github.parts import (
    ENOUGH,
    LIMIT,
    SHORTENED,
    Origin,
    Ours,
    Part,
    compose,
    merge,
    parse,
)
from mlops_ci.report import render_markdown
from tests.unit.github.strategies import many_parts
from tests.unit.report.states import better, failed, named, one, undecided, worse

SHA = "a" * 40
MOST = 65_000


def leg(name: str, text: str) -> Part:
    return Part(Origin(models=(name,), sha=SHA, run=1), text)


def whole(text: str) -> None:
    """Tables have rows as wide as their heads; folds and fences are closed."""
    for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        cells = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(cells) == 1, table
    assert text.count("<details") == text.count("</details>")
    assert len(re.findall(r"^```", text, flags=re.MULTILINE)) % 2 == 0


def reports(count: int) -> list[Part]:
    """What the legs of a matrix write, in all states, with more rows than there is room for."""
    states = [worse(), better(), undecided(), failed()]
    return [
        leg(name, render_markdown(one(named(states[at % len(states)], name)), MOST))
        for at, name in enumerate(f"model-{number:03}" for number in range(count))
    ]


@given(many_parts, st.integers(100, 3_000))
def test_no_body_is_longer_than_asked(found: list[Part], limit: int) -> None:
    assert len(compose(found, limit)) <= limit


@given(st.lists(st.sampled_from("é😀x|\n"), min_size=0, max_size=20), st.integers(1, 40))
@settings(max_examples=25)
def test_no_comment_is_longer_than_github_takes(block: list[str], count: int) -> None:
    text = "".join(block) * 3_000
    body = compose([leg(f"m{number}", text) for number in range(count)])
    assert len(body) <= LIMIT == MOST


@pytest.mark.parametrize("count", [1, 12, 60, 100])
def test_every_job_keeps_its_headline_and_no_row_is_cut(count: int) -> None:
    before = reports(count)
    after = parse(compose(before))
    assert [part.origin for part in after] == [part.origin for part in before]
    for old, new in zip(before, after, strict=True):
        assert new.text.splitlines()[0] == old.text.splitlines()[0]
        whole(new.text)


def test_what_is_folded_away_goes_first() -> None:
    before = reports(12)
    body = compose(before, len(compose(before)) * 2 // 3)
    shortened = [part for part in parse(body) if SHORTENED in part.text]
    assert shortened
    for part in shortened:
        assert "<details>" not in part.text
        assert "| gate |" in part.text or "failed" in part.text
        footer = part.text.rstrip("\n").splitlines()[-1]
        assert footer.startswith("`mlops-ci reproduce")


def test_a_fold_in_a_log_is_text() -> None:
    log = "### no\n\n```text\n<details>\n```\n\n| a |\n|--|\n\n<details><summary>x</summary>\n" + (
        "long\n" * 500 + "</details>\n\nfooter\n"
    )
    short = leg("churn", log).shorter()
    assert short is not None
    assert "```text\n<details>\n```" in short.text
    assert "long" not in short.text
    assert short.text.endswith("footer\n")


@pytest.mark.parametrize("broken", ["<details>\n", "```\n", "</details>\n<details><details>\n"])
def test_text_that_closes_nothing_falls_back_to_its_headline(broken: str) -> None:
    text = f"### headline\n{broken}" + "| row |\n" * 400
    short = leg("churn", text).shorter()
    assert short is not None
    assert short.text == f"### headline\n\n{SHORTENED}\n"


def test_a_headline_longer_than_a_comment_leaves_the_others_alone() -> None:
    small = leg("a", "### fine\n")
    body = compose([small, leg("b", "x" * 100_000), leg("c", "### fine too\n")])
    assert [part.text for part in parse(body)] == ["### fine\n", f"{SHORTENED}\n", "### fine too\n"]


def test_shortening_comes_to_an_end() -> None:
    part: Part | None = reports(1)[0]
    lengths = []
    while part is not None:
        lengths.append(len(part.text))
        part = part.shorter()
    assert lengths == sorted(lengths, reverse=True)
    assert len(set(lengths)) == len(lengths) >= 4


def test_two_jobs_that_want_everything_agree() -> None:
    """Each looks, merges and writes in turn until nobody has anything to change."""
    jobs = [
        Ours(Origin(models=(name,), sha=SHA, run=1), lambda limit, n=name: n * limit, SHA)  # type: ignore[misc]
        for name in "abc"
    ]
    body = ""
    for _ in range(6):
        before = body
        for job in jobs:
            body = compose(merge(parse(body), job))
    assert body == before
    assert [len(part.text) > ENOUGH for part in parse(body)] == [True] * 3
