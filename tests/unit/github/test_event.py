"""The event file, typed: what is judged against what, and what is not served."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.errors import UsageError
from mlops_ci.github.event import KINDS, MAX_BYTES, REFUSED, ZEROS, Event, parse_event, read_event

HEAD, BASE, BEFORE, MERGE = (letter * 40 for letter in "abcd")
REPOSITORY = {"full_name": "acme/churn", "default_branch": "main", "id": 1}
ENVIRON = {"GITHUB_SHA": MERGE}


def pull_request(**more: Any) -> dict[str, Any]:
    return {
        "action": "synchronize",
        "number": 7,
        "pull_request": {
            "head": {"sha": HEAD, "ref": "feature", "repo": {"full_name": "acme/churn"}},
            "base": {"sha": BASE, "ref": "release/1.x", "repo": {"full_name": "acme/churn"}},
        },
        "repository": REPOSITORY,
        "before": BEFORE,
        "after": HEAD,
        **more,
    }


def from_fork(repo: dict[str, Any] | None) -> dict[str, Any]:
    found = pull_request()
    found["pull_request"]["head"]["repo"] = repo
    return found


def push(**more: Any) -> dict[str, Any]:
    told = {"ref": "refs/heads/main", "before": BEFORE, "after": HEAD, "repository": REPOSITORY}
    return {**told, "deleted": False, **more}


def merge_group(action: str = "checks_requested") -> dict[str, Any]:
    group = {"head_sha": HEAD, "base_sha": BASE, "base_ref": "refs/heads/main", "head_ref": "q"}
    return {"action": action, "merge_group": group, "repository": REPOSITORY}


def parse(kind: Any, payload: dict[str, Any]) -> Event:
    return parse_event(kind, json.dumps(payload).encode(), ENVIRON)


def test_a_pull_request_is_judged_at_its_own_head_against_its_own_base() -> None:
    assert parse("pull_request", pull_request()) == Event(
        "pull_request",
        "acme/churn",
        HEAD,
        "main",
        base_branch="release/1.x",
        base=BASE,
        before=BEFORE,
        number=7,
        action="synchronize",
    )


def test_one_that_is_opened_has_no_commit_before() -> None:
    opened = pull_request(action="opened")
    del opened["before"], opened["after"]
    assert parse("pull_request", opened).before is None


@pytest.mark.parametrize(
    ("repo", "fork"),
    [
        ({"full_name": "acme/churn"}, False),
        ({"full_name": "ACME/Churn"}, False),
        ({"full_name": "someone/churn"}, True),
        (None, True),  # the fork was deleted
    ],
)
def test_a_head_in_another_repository_is_a_fork(repo: dict[str, Any] | None, fork: bool) -> None:
    assert parse("pull_request", from_fork(repo)).fork is fork


def test_nothing_is_asked_by_what_ends() -> None:
    assert not parse("pull_request", pull_request(action="closed")).asks
    assert not parse("merge_group", merge_group("destroyed")).asks
    assert not parse("push", push(deleted=True, after=ZEROS)).asks
    assert not parse("push", push(after=ZEROS)).asks


def test_a_queue_is_judged_against_its_own_base() -> None:
    found = parse("merge_group", merge_group())
    assert (found.head, found.base, found.base_branch) == (HEAD, BASE, "main")
    assert (found.asks, found.number, found.ships) == (True, None, False)


def test_a_push_is_judged_against_what_was_before() -> None:
    found = parse("push", push())
    assert (found.head, found.base, found.base_branch, found.ships) == (HEAD, BEFORE, "main", True)


def test_the_first_push_of_a_branch_comes_after_zeros_and_ships_nothing() -> None:
    found = parse("push", push(ref="refs/heads/new/branch", before=ZEROS))
    assert (found.base, found.base_branch, found.ships) == (ZEROS, "new/branch", False)


def test_a_tag_is_no_branch_even_with_a_branch_s_name() -> None:
    found = parse("push", push(ref="refs/tags/main"))
    assert (found.base_branch, found.ships) == (None, False)


def test_the_default_branch_is_whatever_the_repository_says() -> None:
    trunk = {**REPOSITORY, "default_branch": "trunk"}
    assert parse("push", push(ref="refs/heads/trunk", repository=trunk)).ships
    assert not parse("push", push(repository=trunk)).ships


@pytest.mark.parametrize("kind", ["workflow_dispatch", "schedule"])
def test_an_event_without_a_commit_takes_the_runner_s(kind: Any) -> None:
    found = parse(kind, {"repository": REPOSITORY})
    assert (found.head, found.base, found.number) == (MERGE, None, None)
    with pytest.raises(UsageError, match="not a"):
        parse_event(kind, json.dumps({"repository": REPOSITORY}).encode(), {})


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps(pull_request(number=0)).encode(),
        json.dumps(pull_request(number="7")).encode(),
        json.dumps(pull_request(pull_request=None)).encode(),
        json.dumps(pull_request(repository={"full_name": "../../x"})).encode(),
        json.dumps(from_fork({"full_name": "a/b/../c"})).encode(),
        json.dumps(pull_request()).replace(HEAD, "--upload-pack=x").encode(),
        json.dumps(pull_request()).replace(HEAD, "A" * 40).encode(),
    ],
)
def test_a_broken_file_is_an_error_that_names_it(broken: bytes, tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_bytes(broken)
    environ = {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(path)}
    with pytest.raises(UsageError, match="not a pull_request event") as caught:
        read_event(environ)
    assert caught.value.where == str(path)
    assert caught.value.exit_code == 2


@given(st.sampled_from(KINDS), st.binary(max_size=300))
def test_no_bytes_end_in_another_error(kind: Any, content: bytes) -> None:
    with pytest.raises(UsageError):
        parse_event(kind, content, ENVIRON)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(list(pull_request())), JSON)
def test_no_value_in_the_file_ends_in_another_error(key: str, value: Any) -> None:
    try:
        found = parse("pull_request", {**pull_request(), key: value})
    except UsageError:
        return
    assert (found.head, found.kind) == (HEAD, "pull_request")


def test_a_file_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        environ = {"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(path)}
        with pytest.raises(UsageError, match="cannot be read") as caught:
            read_event(environ)
        assert caught.value.where == str(path)


def test_a_file_that_no_runner_writes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(UsageError, match="too large"):
        read_event({"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(path)})


def test_outside_a_runner_the_command_is_named() -> None:
    for environ in ({}, {"GITHUB_EVENT_NAME": "push"}, {"GITHUB_EVENT_PATH": "x"}):
        with pytest.raises(UsageError, match="no event here") as caught:
            read_event(environ)
        assert "mlops-ci run" in caught.value.fix


@pytest.mark.parametrize("name", [*REFUSED, "release", "Pull_Request"])
def test_an_event_that_is_not_served_names_those_that_are(name: str, tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_text(json.dumps(pull_request()))
    with pytest.raises(UsageError, match="is not served") as caught:
        read_event({"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(path)})
    assert REFUSED.get(name, "nothing is known") in caught.value.what
    assert "on:\n      pull_request:\n      merge_group:" in caught.value.fix
