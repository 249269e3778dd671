"""Reads are repeated; a write is sent again only when it was not done."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mlops_ci.errors import AccessError, ServiceError
from mlops_ci.github.client import (
    BURST,
    Pace,
    check_answer,
    explained,
    jitter,
    open_client,
)
from mlops_ci.github.patience import ATTEMPTS, Trouble
from mlops_ci.world import World
from tests.unit.github.scripted import Slept, denied, limited, patient, scripted, unclear

PATH = "/repos/acme/churn/issues/7/comments"


def test_a_read_is_repeated() -> None:
    client, script = scripted(unclear(), limited(1.0), {"id": 1})
    assert client.get(PATH, page=2) == {"id": 1}
    assert script.calls == [("GET", PATH, {"page": 2}, None)] * 3


def test_a_read_gives_up() -> None:
    client, script = scripted(*[unclear() for _ in range(9)])
    with pytest.raises(ServiceError, match="did not answer"):
        client.get(PATH)
    assert len(script.calls) == ATTEMPTS


def test_a_refused_read_is_not_repeated() -> None:
    client, script = scripted(denied())
    with pytest.raises(Trouble):
        client.get(PATH)
    assert len(script.calls) == 1


def test_all_pages_are_read() -> None:
    full = [{"id": number} for number in range(100)]
    client, script = scripted(full, full, [{"id": 200}])
    assert len(client.list(PATH)) == 201
    assert [call[2]["page"] for call in script.calls] == [1, 2, 3]
    assert {call[2]["per_page"] for call in script.calls} == {100}


def test_a_last_page_that_is_full_is_followed_by_an_empty_one() -> None:
    client, script = scripted([{"id": number} for number in range(100)], [])
    assert len(client.list(PATH)) == 100
    assert len(script.calls) == 2


def test_a_list_inside_an_object() -> None:
    client, _ = scripted({"total_count": 1, "check_runs": [{"id": 1}, "no object"]})
    assert client.list(PATH, "check_runs") == [{"id": 1}]


@pytest.mark.parametrize("answer", [{"message": "?"}, {"check_runs": None}, "text", 7])
def test_something_else_than_a_list_is_an_error(answer: Any) -> None:
    client, _ = scripted(answer)
    with pytest.raises(ServiceError, match="something else than a list"):
        client.list(PATH, "check_runs")


def test_a_lost_write_that_was_done_is_not_sent_again() -> None:
    client, script = scripted(unclear())
    assert client.write("POST", PATH, {"body": "x"}, lambda: {"id": 5}) == {"id": 5}
    assert script.verbs == ["POST"]


def test_a_lost_write_that_was_not_done_is_sent_again() -> None:
    client, script = scripted(unclear(), {"id": 6})
    assert client.write("POST", PATH, {"body": "x"}, lambda: None) == {"id": 6}
    assert script.verbs == ["POST", "POST"]


def test_a_limited_write_was_not_done_so_nobody_looks() -> None:
    client, script = scripted(limited(1.0), {"id": 6})

    def never() -> None:
        raise AssertionError("it was refused: there is nothing to find")

    assert client.write("POST", PATH, {}, never) == {"id": 6}
    assert script.verbs == ["POST", "POST"]


def test_the_last_attempt_is_looked_for_too() -> None:
    looks = iter([None] * (ATTEMPTS - 1) + [{"id": 9}])
    client, script = scripted(*[unclear() for _ in range(ATTEMPTS)])
    assert client.write("POST", PATH, {}, lambda: next(looks)) == {"id": 9}
    assert len(script.calls) == ATTEMPTS
    client, _ = scripted(*[unclear() for _ in range(ATTEMPTS)])
    with pytest.raises(ServiceError, match="did not answer"):
        client.write("POST", PATH, {}, lambda: None)


def test_a_write_that_may_be_repeated_is() -> None:
    client, script = scripted(unclear(), {"id": 1})
    assert client.write("PATCH", PATH, {}) == {"id": 1}
    assert script.verbs == ["PATCH", "PATCH"]


def test_a_conflict_may_go_away() -> None:
    client, script = scripted(Trouble("refused", "Conflict", 409), {"id": 1})
    assert client.write("PATCH", PATH, {}) == {"id": 1}
    assert script.verbs == ["PATCH", "PATCH"]


def test_what_no_json_carries_is_not_sent() -> None:
    client, script = scripted({"id": 1})
    client.write("POST", PATH, {"output": {"title": "a\ud800\x00", "list": ["b\r\nc", 1, None]}})
    assert script.calls[0][3] == {"output": {"title": "a?\ufffd", "list": ["b\nc", 1, None]}}


@pytest.mark.parametrize(
    ("verb", "answer", "kind"),
    [
        ("GET", None, "unclear"),
        ("POST", None, "unclear"),
        ("POST", {"data": "<html>"}, "unclear"),
        ("GET", {"data": "<html>", "url": "/user"}, "unclear"),
        ("POST", {"message": "Auto-merged", "documentation_url": "x"}, "refused"),
        ("PATCH", {"message": "Moved Permanently", "url": "x"}, "refused"),
    ],
)
def test_an_answer_without_what_was_asked_is_none(verb: str, answer: Any, kind: str) -> None:
    with pytest.raises(Trouble) as caught:
        check_answer(verb, answer)
    assert caught.value.kind == kind


@pytest.mark.parametrize(
    ("verb", "answer"),
    [
        ("DELETE", None),
        ("GET", []),
        ("GET", {}),
        ("POST", {"data": {"updateRefs": None}}),
        ("POST", {"id": 1, "message": "a commit's"}),
    ],
)
def test_other_answers_are_left_alone(verb: str, answer: Any) -> None:
    assert check_answer(verb, answer) is answer


def clock(times: list[float], slept: Slept) -> World:
    return World(monotonic=lambda: times[0], sleep=slept)


def test_a_burst_goes_out_at_once_and_a_long_series_in_seconds() -> None:
    slept, times = Slept(), [100.0]
    pace = Pace(clock(times, slept), patient())
    for _ in range(BURST + 2):
        pace()
    assert slept.seconds == [1.0, 1.0]
    times[0] += 0.75
    pace()
    assert slept.seconds[-1] == 0.25
    times[0] += 60
    pace()
    assert len(slept.seconds) == 3


def test_without_a_token_the_line_to_paste_is_said() -> None:
    with pytest.raises(AccessError, match="no token") as caught:
        open_client(World(environ={}), "")
    assert "token: ${{ github.token }}" in caught.value.fix
    assert caught.value.exit_code == 5


def test_a_missing_permission_comes_with_the_yaml_to_paste() -> None:
    found = explained(denied(), "the comment was not posted", PATH)
    assert isinstance(found, AccessError)
    assert str(found).startswith("the comment was not posted: 403 Resource not accessible")
    assert "    permissions:\n      contents: read\n      pull-requests: write" in found.fix


def test_a_person_s_token_is_told_that_it_cannot_write_checks() -> None:
    for said in ("You must authenticate via a GitHub App.", "… by personal access token"):
        found = explained(denied(said), "the check was not opened", PATH)
        assert "never by a person's" in found.fix
        assert "permissions:" not in found.fix


def test_a_token_that_ended_is_no_missing_permission() -> None:
    found = explained(Trouble("denied", "Bad credentials", 401), "no", PATH)
    assert "not valid" in found.fix
    assert found.exit_code == 5


def test_another_refusal_is_github_s() -> None:
    found = explained(Trouble("refused", "Validation Failed", 422), "not posted", PATH)
    assert isinstance(found, ServiceError)
    assert str(found).startswith("not posted: 422 Validation Failed")


def test_jitter_differs() -> None:
    found = {jitter() for _ in range(50)}
    assert len(found) > 10
    assert all(0 <= value < 1 for value in found)


def test_the_client_is_opened_without_a_request() -> None:
    client = open_client(World(environ={}, now=lambda: datetime.now(UTC)), "secret")
    assert client.patience.waited == 0
