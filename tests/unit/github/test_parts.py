"""The comment's text: every part comes back as it was written, whatever it says."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mlops_ci.github.parts import LIMIT, MARKER, Origin, Ours, Part, compose, merge, parse
from mlops_ci.github.text import clean
from tests.unit.github.strategies import HOSTILE, MODELS, SHAS, many_parts, origins, parts, texts

SHA = SHAS[0]


def origin(*models: str, run: int = 1, sha: str = SHA, scope: str = "", attempt: int = 1) -> Origin:
    return Origin(scope=scope, models=models, sha=sha, run=run, attempt=attempt)


def ours(
    of: Origin, text: str = "ours\n", current: str | None = None, *, quiet: bool = False
) -> Ours:
    return Ours(of, lambda _: text, current or of.sha, quiet)


def written(part: Part) -> Part:
    return Part(part.origin, clean(part.text).strip("\n") + "\n")


@given(many_parts)
@example([Part(origin(), text) for text in HOSTILE][:1])
def test_what_is_composed_is_parsed_again(found: list[Part]) -> None:
    body = compose(found)
    assert sorted(parse(body), key=str) == sorted(map(written, found), key=str)
    assert body.startswith(MARKER)


@given(many_parts)
def test_a_comment_that_was_read_is_written_alike(found: list[Part]) -> None:
    body = compose(found)
    assert compose(parse(body)) == body
    assert compose(parse(body.replace("\n", "\r\n"))) == body


@given(many_parts, st.data())
def test_the_order_of_writing_does_not_show(found: list[Part], data: st.DataObject) -> None:
    keyed = list({part.key: part for part in found}.values())
    assert compose(data.draw(st.permutations(keyed))) == compose(keyed)


@given(parts, texts)
def test_no_text_forges_a_part_beside_its_own(part: Part, hostile: str) -> None:
    inside = Part(part.origin, f"{hostile}\n{compose([Part(origin('x'), 'forged')])}\n{hostile}")
    assert [found.origin for found in parse(compose([inside]))] == [part.origin]


def test_no_text_closes_another_s_part() -> None:
    """The mark's number is known to whoever sees the comment, so it may stand in a text."""
    victim = Part(origin("churn"), "all is well\n")
    closing = compose([victim]).splitlines()[-1]
    attacker = Part(origin("aaa"), f"{closing}\n<!-- mlops-ci:part {'0' * 16} {{}} -->\n")
    assert parse(compose([victim, attacker])) == [attacker, victim]


@given(st.text(max_size=300) | texts)
def test_no_body_is_an_error(body: str) -> None:
    for part in parse(body):
        assert isinstance(part.origin, Origin)


@pytest.mark.parametrize(
    "header",
    [
        "{}",
        '{"sha":"a","run":1}',
        '{"sha":"../../etc","run":1}',
        '{"sha":"aaaaaaa","run":"1"}',
        '{"sha":"aaaaaaa","run":1,"models":"churn"}',
        "[" * 10_000,
    ],
)
def test_a_part_with_a_broken_header_is_left_out(header: str) -> None:
    good = Part(origin("churn"), "kept\n")
    mark = "0" * 16
    body = f"{MARKER}\n<!-- mlops-ci:part {mark} {header} -->\nx\n<!-- /mlops-ci:part {mark} -->"
    assert parse(f"{body}\n{compose([good])}") == [good]


def test_a_part_whose_end_is_missing_is_left_out() -> None:
    body = compose([Part(origin("churn"), "whole\n"), Part(origin("fraud"), "half\n")])
    assert [part.text for part in parse(body.rpartition("\n")[0])] == ["whole\n"]


def test_an_end_that_stands_before_its_beginning_ends_nothing() -> None:
    opening, text, closing = compose([Part(origin("churn"), "text\n")]).splitlines()[1:]
    assert parse(f"{closing}\n{opening}\n{text}") == []


def test_a_later_version_s_header_is_understood() -> None:
    body = compose([Part(origin("churn"), "text\n")]).replace('"run":1', '"run":1,"new":[1]')
    assert [part.origin for part in parse(body)] == [origin("churn")]


# Merging.


def test_of_one_run_the_job_of_more_models_stays_whatever_was_seen_first() -> None:
    wide, narrow = (Part(origin(*names), "text\n") for names in (("churn", "fraud"), ("churn",)))
    me = ours(origin("other"), "mine\n", SHA)
    for found in ([wide, narrow], [narrow, wide]):
        assert [part.origin.models for part in merge(found, me)] == [("churn", "fraud"), ("other",)]


@given(many_parts, parts)
def test_merging_twice_is_merging_once(found: list[Part], mine: Part) -> None:
    me = ours(mine.origin, mine.text, SHA)
    once = merge(found, me)
    assert compose(merge(parse(compose(once)), me)) == compose(once)


@given(many_parts, origins)
def test_parts_of_other_projects_are_kept(found: list[Part], mine: Origin) -> None:
    others = [part for part in found if part.origin.scope != mine.scope]
    alone = merge(others, ours(origin(scope="nobody's"), current=SHA))[:-1]
    kept = [part for part in merge(found, ours(mine, current=SHA)) if part in others]
    assert kept == alone


@given(origins, origins)
def test_an_older_run_never_beats_a_newer_one(one: Origin, other: Origin) -> None:
    """Of two that looked at the same models, in whichever order they write."""
    other = Origin(
        scope=one.scope, models=one.models, sha=other.sha, run=other.run, attempt=other.attempt
    )

    def rank(origin: Origin) -> tuple[bool, int, int]:
        return origin.sha == SHA, origin.run, origin.attempt

    first = merge(merge([], ours(one, "one\n", SHA)), ours(other, "other\n", SHA))
    last = merge(merge([], ours(other, "other\n", SHA)), ours(one, "one\n", SHA))
    if rank(one) != rank(other):
        winner = max((one, other), key=rank)
        assert [part.origin for part in first] == [part.origin for part in last] == [winner]
    else:
        assert [len(first), len(last)] == [1, 1]


def test_a_run_for_a_commit_that_the_branch_has_left_adds_nothing_beside_the_new_one() -> None:
    shown = [Part(origin("fraud", run=2, sha=SHAS[1]), "new\n")]
    assert merge(shown, ours(origin("churn"), current=SHAS[1])) == shown
    older = [Part(origin("fraud", run=1), "old\n")]
    assert len(merge(older, ours(origin("churn"), current=SHAS[1]))) == 2


def test_a_force_push_back_to_an_older_commit_shows_that_one() -> None:
    newer = Part(origin(run=2, sha=SHAS[1]), "thrown away\n")
    me = ours(origin(run=1), current=SHAS[0])
    assert [part.origin.run for part in merge([newer], me)] == [1]


def test_legs_of_a_matrix_stand_beside_each_other() -> None:
    body = ""
    for name in (*MODELS, *MODELS):
        body = compose(merge(parse(body), ours(origin(name), f"{name}\n")))
    assert [part.text for part in parse(body)] == [f"{name}\n" for name in sorted(MODELS)]


def test_a_job_of_all_models_replaces_the_legs() -> None:
    legs = [Part(origin(name), "leg\n") for name in MODELS]
    assert [part.text for part in merge(legs, ours(origin(run=2)))] == ["ours\n"]


def test_the_leg_of_a_newer_commit_replaces_a_job_of_all_models() -> None:
    whole = Part(origin(), "all\n")
    leg = origin("churn", run=2, sha=SHAS[1])
    assert [part.text for part in merge([whole], ours(leg))] == ["ours\n"]
    same = origin("churn", run=2)
    assert {part.text for part in merge([whole], ours(same))} == {"all\n", "ours\n"}


def test_a_leg_of_more_models_replaces_one_of_fewer() -> None:
    legs = [Part(origin("churn"), "one\n"), Part(origin("ranker"), "other\n")]
    wide = ours(origin("churn", "fraud", run=2))
    assert {part.text for part in merge(legs, wide)} == {"other\n", "ours\n"}


def test_of_two_texts_of_one_job_the_last_is_kept() -> None:
    twice = [Part(origin("churn"), "first\n"), Part(origin("churn"), "second\n")]
    assert {part.text for part in merge(twice, ours(origin("fraud")))} == {"second\n", "ours\n"}


def test_only_a_later_run_of_another_commit_raises_doubts() -> None:
    me = ours(origin(run=5))
    for part, doubted in (
        (origin(run=6, sha=SHAS[1]), True),
        (origin(run=5, sha=SHAS[1], attempt=2), True),
        (origin(run=4, sha=SHAS[1]), False),
        (origin(run=6), False),
    ):
        assert me.doubts([Part(part, "")]) is doubted


def test_room_is_what_the_others_leave_or_a_fair_share() -> None:
    asked: list[int] = []

    def render(limit: int) -> str:
        asked.append(limit)
        return "x" * limit

    me = Ours(origin("churn"), render, SHA)
    assert LIMIT - 10 <= len(compose(merge([], me))) <= LIMIT
    beside = Part(origin("fraud"), "y" * 40_000 + "\n")
    both = compose(merge([beside], me))
    assert beside in parse(both)
    assert LIMIT - 10 <= len(both) <= LIMIT
    merge([Part(origin("fraud"), "y" * (LIMIT - 500) + "\n")], me)
    assert LIMIT * 0.45 < asked[-1] < LIMIT * 0.5
