"""One comment, found wherever it is, written only when there is something to write."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlops_ci.errors import AccessError
from mlops_ci.github.comments import DELETED, FULL, LATER, Posted
from mlops_ci.github.parts import LIMIT, MARKER, Origin, Part, compose, parse
from tests.github_server.scenario import Scenario
from tests.github_server.seed import add_comment
from tests.github_server.server import GitHub
from tests.integration.github.desk import COMMENTS, Desk

BOT = "github-actions[bot]"


def add(github: GitHub, body: str, author: str = BOT) -> int:
    made = add_comment(github.state, github.state.repository("acme/churn"), 7, body, author)
    return int(made["id"])


def part(text: str, *models: str, run: int = 1, sha: str = "c" * 40) -> Part:
    return Part(Origin(models=models, sha=sha, run=run), text)


def test_it_is_created_once(desk: Desk) -> None:
    posted = desk.post("### churn is fine\n")
    assert [found.text for found in desk.parts()] == ["### churn is fine\n"]
    (comment,) = desk.comments()
    assert comment["author"] == BOT
    assert posted == Posted(
        f"{desk.github.url}/acme/churn/pull/7#issuecomment-{comment['id']}", comment["id"]
    )
    assert desk.calls("POST") == [f"POST {COMMENTS}"]


def test_it_is_edited_by_the_next_run(desk: Desk) -> None:
    first = desk.post("### first\n")
    second = replace(desk, run=2).post("### second\n")
    assert (first.url, first.id) == (second.url, second.id)
    assert [found.text for found in desk.parts()] == ["### second\n"]
    assert len(desk.calls("PATCH")) == 1


def test_an_equal_body_is_not_written(desk: Desk) -> None:
    posted = desk.post("### same\n")
    assert desk.post("### same\n") == posted
    assert desk.calls("POST", "PATCH", "DELETE") == [f"POST {COMMENTS}"]


def test_a_body_with_the_line_ends_of_a_browser_is_equal(desk: Desk) -> None:
    body = compose([Part(desk.ours().origin, "### ours\n")])
    add(desk.github, body.replace("\n", "\r\n"))
    desk.post("### ours\n")
    assert desk.calls("POST", "PATCH") == []


def test_it_is_found_on_page_3_among_250(desk: Desk) -> None:
    for number in range(249):
        add(desk.github, f"number {number}", "dev")
    ours = add(desk.github, compose([part("### old\n")]))
    add(desk.github, "after it", "dev")
    assert desk.post("### new\n").id == ours
    assert len(desk.bodies()) == 251
    assert desk.calls("POST") == []


@pytest.mark.parametrize("author", ["stranger", "dev", "mlops-ci-bot[bot]", "evil[bot]"])
def test_a_marker_by_somebody_else_is_left_alone(desk: Desk, author: str) -> None:
    forged = compose([part("### merge me\n", run=99, sha=desk.scenario.head)])
    add(desk.github, forged, author)
    desk.post("### ours\n")
    assert desk.bodies()[0] == forged
    assert [found.text for found in parse(desk.bodies()[1])] == ["### ours\n"]


def test_another_workflow_s_comment_that_quotes_ours_is_left_alone(desk: Desk) -> None:
    """`github-actions[bot]` is the author of every workflow's comments."""
    quoting = f"Somebody wrote:\n{compose([part('### ours')])}"
    add(desk.github, quoting)
    desk.post("### ours\n")
    assert desk.bodies()[0] == quoting
    assert len(desk.bodies()) == 2


def test_what_is_broken_in_ours_is_replaced(desk: Desk) -> None:
    ours = add(desk.github, f"{MARKER}\n<!-- mlops-ci:part 0 broken\ntext of nobody")
    desk.post("### ours\n")
    assert [(found["id"], parse(found["body"])[0].text) for found in desk.comments()] == [
        (ours, "### ours\n")
    ]


def test_our_duplicates_are_deleted_and_nothing_is_lost(desk: Desk) -> None:
    kept = add(desk.github, compose([part("a\n", "a")]))
    add(desk.github, "in between", "dev")
    add(desk.github, compose([part("b\n", "b"), part("old\n", "c", run=0)]))
    add(desk.github, compose([part("c\n", "c")]))
    desk.post("d\n", "d")
    assert [comment["author"] for comment in desk.comments()] == [BOT, "dev"]
    assert desk.comments()[0]["id"] == kept
    assert [found.text for found in parse(desk.bodies()[0])] == ["a\n", "b\n", "c\n", "d\n"]
    deleted = desk.calls().index(desk.calls("DELETE")[0])
    assert deleted > desk.calls().index(desk.calls("PATCH")[0])


def test_a_run_of_an_older_commit_that_ends_last_writes_nothing(desk: Desk) -> None:
    newer = replace(desk, run=2).post("### newer\n")
    older = desk.sticky().post(desk.ours("### older\n", sha=desk.scenario.base))
    assert older == Posted(newer.url, newer.id, LATER)
    assert [found.text for found in desk.parts()] == ["### newer\n"]


def test_an_older_leg_adds_nothing_beside_the_newer_commit(desk: Desk) -> None:
    replace(desk, run=2).post("### newer\n", "churn")
    older = desk.sticky().post(desk.ours("### older\n", "fraud", sha=desk.scenario.base))
    assert older.note == LATER
    assert [found.text for found in desk.parts()] == ["### newer\n"]


def test_after_a_force_push_back_the_older_commit_is_shown(desk: Desk) -> None:
    """The branch is asked only because a later run speaks of another commit."""
    replace(desk, run=2).post("### thrown away\n", sha=desk.scenario.base)
    asked: list[int] = []

    def current() -> str:
        asked.append(1)
        return desk.scenario.head

    posted = desk.sticky(current=current).post(desk.ours("### back again\n"))
    assert posted.note is None
    assert [found.text for found in desk.parts()] == ["### back again\n"]
    assert asked


def test_one_that_a_person_deleted_is_not_written_again(desk: Desk) -> None:
    posted = desk.post()
    desk.github.state.repository("acme/churn").comments.clear()
    again = desk.sticky().post(desk.ours("### new\n"), lambda: posted.id)
    assert again == Posted(None, posted.id, DELETED)
    assert desk.bodies() == []


def test_one_that_was_never_deleted_is_written(desk: Desk) -> None:
    """The remembered one is another's: it still stands somewhere."""
    other = add(desk.github, "of another pull request", "dev")
    assert desk.sticky().post(desk.ours(), lambda: other).note is None
    assert len(desk.bodies()) == 2


def test_nothing_worth_a_comment_makes_none_but_keeps_one_right(desk: Desk) -> None:
    assert desk.post("### untouched\n", quiet=True) == Posted(None, None)
    assert desk.bodies() == []
    desk.post("### worse\n")
    desk.post("### untouched\n", quiet=True)
    assert [found.text for found in desk.parts()] == ["### untouched\n"]


def test_a_report_longer_than_a_comment_leaves_room_for_the_others(desk: Desk) -> None:
    """60 legs, each of which would fill it."""
    add(
        desk.github, compose([part(f"### {n}\n" + "row\n" * 15_000, f"m{n:02}") for n in range(60)])
    )
    mine = desk.ours("", "z")
    desk.sticky().post(replace(mine, render=lambda limit: "### z\n" + "😀" * (limit - 6)))
    (body,) = desk.bodies()
    assert len(body) <= LIMIT
    assert len(parse(body)) == 61


def test_a_part_for_which_there_is_no_room_is_said(desk: Desk) -> None:
    add(desk.github, compose([part(f"### {n}\n" + "x" * 900, f"m{n:03}") for n in range(400)]))
    posted = desk.post("### last\n", "zzz")
    assert posted.note == FULL


def test_a_token_that_only_reads_is_told_which_permission_is_missing(desk: Desk) -> None:
    with pytest.raises(AccessError, match="the comment was not posted: 403") as caught:
        replace(desk, token="read-only-token").post()
    assert "pull-requests: write" in caught.value.fix
    assert caught.value.exit_code == 5
    assert desk.bodies() == []


@pytest.mark.parametrize(
    ("token", "author"), [("pat-dev", "dev"), ("pat-reader", "reader"), ("workflow-token", BOT)]
)
def test_each_token_finds_its_own_again(desk: Desk, token: str, author: str) -> None:
    theirs = replace(desk, token=token)
    theirs.post("### first\n")
    replace(theirs, run=2).post("### second\n")
    assert [comment["author"] for comment in desk.comments()] == [author]


def test_an_app_without_rights_to_checks_ends_with_one_comment(desk: Desk) -> None:
    app = replace(desk, token="app-token")
    for run in (1, 2, 3):
        replace(app, run=run).post(f"### {run}\n")
    assert [comment["author"] for comment in desk.comments()] == ["mlops-ci-bot[bot]"]
    assert [found.text for found in desk.parts()] == ["### 3\n"]


def test_on_github_enterprise_the_api_lies_below_a_path(desk: Desk, scenario: Scenario) -> None:
    enterprise = replace(desk, api=desk.github.enterprise_api)
    enterprise.post("### first\n")
    replace(enterprise, run=2).post("### second\n")
    assert [found.text for found in desk.parts()] == ["### second\n"]
    assert scenario.number == 7
