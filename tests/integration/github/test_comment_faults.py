"""Whatever GitHub answers: never a second comment, never a lost part, never a traceback."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mlops_ci.errors import ServiceError
from mlops_ci.github.parts import parse
from mlops_ci.github.patience import BUDGET_SECONDS
from tests.integration.github.desk import COMMENT, COMMENTS, Desk

# kind of the fault, what more of it, whether the write was carried out
LOST: list[tuple[str, dict[str, Any], bool]] = [
    ("drop-before", {}, False),
    ("drop-after", {}, True),
    ("timeout-before", {"seconds": 0.1}, False),
    ("timeout-after", {"seconds": 0.1}, True),
    ("status-before", {}, False),
    ("status-after", {}, True),
    ("status-after", {"status": 504}, True),
    ("html", {}, False),
    ("html", {"status": 200}, False),
    ("truncated", {}, True),
    ("conflict", {}, False),
    ("retry-after", {"seconds": 3}, False),
    ("retry-after", {"seconds": 3, "status": 403}, False),
    ("rate-limited", {}, False),
    ("rate-exhausted", {"seconds": 30}, False),
    ("slow", {"seconds": 0.1}, True),
]
NAMES = [f"{kind} {' '.join(map(str, more.values()))}".strip() for kind, more, _ in LOST]
faults = pytest.mark.parametrize(("kind", "more", "done"), LOST, ids=NAMES)
READS = {"drop-before", "status-before", "html", "truncated", "retry-after", "rate-exhausted"}


@faults
def test_a_new_comment(desk: Desk, kind: str, more: dict[str, Any], done: bool) -> None:
    times = 2
    desk.github.fault(kind, "POST", COMMENTS, count=times, **more)
    desk.post("### ours\n", "churn")
    assert [part.text for part in desk.parts()] == ["### ours\n"]
    posts = len(desk.calls("POST"))
    assert posts == (1 if done else logged(kind, times) + 1)


@faults
def test_an_edited_comment(desk: Desk, kind: str, more: dict[str, Any], done: bool) -> None:
    desk.post("### theirs\n", "fraud")
    desk.github.fault(kind, "PATCH", COMMENT, count=2, **more)
    desk.post("### ours\n", "churn")
    assert {part.text for part in desk.parts()} == {"### theirs\n", "### ours\n"}
    assert len(desk.calls("POST")) == 1
    assert len(desk.calls("PATCH")) == (1 if done else logged(kind, 2) + 1)


@faults
def test_a_deleted_duplicate(desk: Desk, kind: str, more: dict[str, Any], done: bool) -> None:
    desk.post("### one\n", "churn")
    kept = desk.comments()[0]
    desk.github.state.repository("acme/churn").comments[9] = {**kept, "id": 9}
    desk.github.fault(kind, "DELETE", COMMENT, **more)
    desk.post("### two\n", "fraud")
    assert len(desk.bodies()) == 1
    assert {part.text for part in desk.parts()} == {"### one\n", "### two\n"}
    assert len(desk.calls("DELETE")) >= (1 if done else logged(kind, 1) + 1)


@pytest.mark.parametrize(("kind", "more"), [found[:2] for found in LOST if found[0] in READS])
def test_a_list_of_comments(desk: Desk, kind: str, more: dict[str, Any]) -> None:
    desk.post("### theirs\n", "fraud")
    desk.github.fault(kind, "GET", COMMENTS, count=2, **more)
    desk.post("### ours\n", "churn")
    assert {part.text for part in desk.parts()} == {"### theirs\n", "### ours\n"}


def logged(kind: str, times: int) -> int:
    """A request that the server dropped before it was read is in no log."""
    return 0 if kind in {"drop-before", "timeout-before"} else times


@pytest.mark.parametrize("kind", ["timeout-before", "timeout-after"])
def test_silence_is_waited_for_only_so_long(desk: Desk, kind: str) -> None:
    desk.github.fault(kind, "POST", COMMENTS, seconds=20)
    replace(desk, timeout=1).post("### ours\n")
    assert len(desk.bodies()) == 1
    assert len(desk.calls("POST")) == 1


def test_a_comment_that_arrived_in_the_last_of_five_attempts_is_found(desk: Desk) -> None:
    desk.github.fault("status-before", "POST", COMMENTS, count=4)
    desk.github.fault("status-after", "POST", COMMENTS, count=1)
    assert desk.post().url is not None
    assert len(desk.bodies()) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_github_is_down(desk: Desk, method: str) -> None:
    desk.github.fault("status-before", method, COMMENTS, count=-1)
    with pytest.raises(ServiceError, match="did not answer as it should, 5 times: 502") as caught:
        desk.post()
    assert caught.value.exit_code == 4
    assert "run the job again" in caught.value.fix
    assert desk.bodies() == []


def test_an_edit_that_never_arrives_ends(desk: Desk) -> None:
    desk.post("### theirs\n", "fraud")
    desk.github.fault("drop-before", "PATCH", COMMENT, count=-1)
    with pytest.raises(ServiceError, match="5 times"):
        desk.post("### ours\n", "churn")
    assert [part.text for part in desk.parts()] == ["### theirs\n"]


@pytest.mark.parametrize(("method", "path"), [("POST", COMMENTS), ("PATCH", COMMENT)])
@pytest.mark.parametrize("kind", ["retry-after", "rate-exhausted"])
def test_a_wait_of_hours_is_not_waited_for(desk: Desk, method: str, path: str, kind: str) -> None:
    if method == "PATCH":
        desk.post("### theirs\n", "fraud")
    desk.github.fault(kind, method, path, count=-1, seconds=9999)
    with pytest.raises(ServiceError, match=r"asks to wait (9,9\d\d|10,000) s") as caught:
        desk.post("### ours\n", "churn")
    assert "try again later" in caught.value.fix
    assert sum(desk.waited) < 60


@pytest.mark.parametrize(("method", "path"), [("POST", COMMENTS), ("PATCH", COMMENT)])
def test_a_limit_without_an_end_is_waited_for_within_the_budget(
    desk: Desk, method: str, path: str
) -> None:
    if method == "PATCH":
        desk.post("### theirs\n", "fraud")
        desk.waited.clear()
    desk.github.fault("rate-limited", method, path, count=-1)
    with pytest.raises(ServiceError, match=r"left for waiting"):
        desk.post("### ours\n", "churn")
    minutes = [seconds for seconds in desk.waited if seconds >= 60]
    assert minutes == [60, 120]
    assert sum(desk.waited) < BUDGET_SECONDS
    assert len(desk.calls(method)) == 3


def test_the_limit_on_new_comments_is_obeyed(desk: Desk) -> None:
    """GitHub's own: so many POSTs a minute."""
    desk.github.state.content_limits = ((0, 60),)
    with pytest.raises(ServiceError, match="secondary rate limit"):
        desk.post()
    assert desk.waited[:4] == [60.0] * 4


def test_a_message_instead_of_a_comment_is_said(desk: Desk) -> None:
    desk.github.fault("accepted", "POST", COMMENTS)
    with pytest.raises(ServiceError, match="Auto-merged"):
        desk.post()


def test_deleted_between_two_looks(desk: Desk) -> None:
    """A person deletes it while we write: the next look finds none, and makes one."""
    desk.post("### theirs\n", "fraud")
    number = desk.comments()[0]["id"]
    client = desk.client()
    plain = client.send

    def send(verb: str, path: str, query: Any, body: Any) -> Any:
        if verb == "PATCH":
            desk.github.state.repository("acme/churn").comments.pop(number, None)
        return plain(verb, path, query, body)

    client.send = send
    desk.sticky(client).post(desk.ours("### ours\n", "churn"))
    assert "### ours\n" in [part.text for part in parse(desk.bodies()[0])]
    assert len(desk.bodies()) == 1
