"""Jobs that write at the same moment: one comment, and in it what every one of them had to say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from mlops_ci.github.comments import Posted
from mlops_ci.github.parts import LIMIT
from tests.integration.github.desk import COMMENT, COMMENTS, Desk, together
from tests.waiting import PATIENCE

WRITERS = 50


def legs(desk: Desk, count: int, lines: int = 3) -> list[Callable[[], Posted]]:
    text = "### leg {}\n" + "| a row of its table |\n" * lines
    names = [f"leg-{at:02}" for at in range(count)]
    return [partial(replace(desk, longest=1).post, text.format(name), name) for name in names]


def said(desk: Desk) -> list[str]:
    return [part.text.splitlines()[0] for part in desk.parts()]


def succeeded(results: list[Any]) -> list[Posted]:
    assert [found for found in results if not isinstance(found, Posted)] == []
    return results


def test_fifty_jobs_of_a_matrix_share_one_comment(desk: Desk) -> None:
    desk.github.state.tokens["workflow-token"].rate = 100_000
    desk.github.state.content_limits = ()
    posted = succeeded(together(*legs(desk, WRITERS)))
    assert said(desk) == [f"### leg leg-{at:02}" for at in range(WRITERS)]
    assert {found.id for found in posted} == {desk.comments()[0]["id"]}
    writes = len(desk.calls("POST", "PATCH", "DELETE"))
    print(f"{len(desk.calls())} calls, {writes} writes")
    assert writes <= 6 * WRITERS
    assert len(desk.calls()) <= 20 * WRITERS


@pytest.mark.parametrize("count", [2, 3, 6])
def test_all_have_seen_no_comment_before_any_writes_one(desk: Desk, count: int) -> None:
    """The race made certain: every first POST waits for the others'."""
    desk.github.fault("together", "POST", COMMENTS, count=count, seconds=PATIENCE)
    posted = succeeded(together(*legs(desk, count)))
    assert len(said(desk)) == count
    assert len({found.id for found in posted}) == 1
    assert len(desk.calls("POST")) == count


@pytest.mark.parametrize("count", [2, 4])
def test_all_have_read_the_comment_before_any_writes_it(desk: Desk, count: int) -> None:
    desk.post("### first\n", "a-first")
    desk.github.fault("together", "PATCH", COMMENT, count=count, seconds=PATIENCE)
    succeeded(together(*legs(desk, count)))
    assert len(said(desk)) == count + 1


def test_slow_answers_lose_nothing(desk: Desk) -> None:
    """Some writes take longer than a second of the jobs' time, while the others' are done at
    once: those stay long enough to see that theirs was overwritten."""
    desk.post("### first\n", "a-first")
    slower = replace(desk, speed=6)
    desk.github.fault("slow", "PATCH", COMMENT, count=3, seconds=0.2)
    desk.github.fault("slow", "GET", COMMENTS, count=3, seconds=0.1)
    succeeded(together(*legs(slower, 8)))
    assert len(said(desk)) == 9


def test_writers_whose_answers_get_lost_lose_nothing(desk: Desk) -> None:
    for kind in ("drop-after", "status-after", "truncated", "drop-before"):  # one writer bears four
        desk.github.fault(kind, "POST", COMMENTS)
        desk.github.fault(kind, "PATCH", COMMENT)
    succeeded(together(*legs(desk, 8)))
    assert len(said(desk)) == 8


def test_two_runs_of_one_pull_request_end_with_the_newer(desk: Desk) -> None:
    older = replace(desk, run=1)
    newer = replace(desk, run=2)
    for _ in range(3):
        together(
            partial(older.post, "### older\n", sha=desk.scenario.base),
            partial(newer.post, "### newer\n"),
        )
        assert said(desk) == ["### newer"]


def test_jobs_with_long_reports_find_room_beside_each_other(desk: Desk) -> None:
    """Each alone would fill the comment."""

    def long(name: str) -> Callable[[], Posted]:
        mine = replace(
            desk.ours("", name), render=lambda limit: f"### {name}\n" + "x" * (limit - 9)
        )
        return lambda: replace(desk, longest=1).sticky().post(mine)

    succeeded(together(*(long(name) for name in "abc")))
    (body,) = desk.bodies()
    assert len(body) <= LIMIT
    assert said(desk) == ["### a", "### b", "### c"]
