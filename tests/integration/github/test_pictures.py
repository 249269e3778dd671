"""The branch of pictures, on a GitHub on loopback."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from mlops_ci.errors import AccessError, ServiceError
from mlops_ci.github.client import open_client
from mlops_ci.github.patience import Patience, Trouble
from mlops_ci.github.pictures import BRANCH, FRESH_DAYS, INDEX, MOST_DAYS, REF, Pictures, path_of
from mlops_ci.world import World
from tests.github_server.git import BareRepository
from tests.github_server.scenario import Scenario
from tests.github_server.server import GitHub

TODAY = date(2026, 11, 21)
ONE, TWO = b"\x89PNG one", b"\x89PNG two"


def pictures(
    github: GitHub, token: str = "workflow-token", day: date = TODAY, api: str = ""
) -> Pictures:
    environ = {"GITHUB_API_URL": api or github.url}
    world = World(environ=environ, folder=Path(), say=lambda _: None)
    patience = Patience(lambda seconds: time.sleep(min(seconds, 0.02)), lambda: 0.5)
    client = replace(open_client(world, token, patience), pace=lambda: None)
    return Pictures(client, "acme/churn", github.url, day)


def git(github: GitHub) -> BareRepository:
    return github.state.repository("acme/churn").git


def held(github: GitHub) -> set[str]:
    return set(git(github).git("ls-tree", "-r", "--name-only", BRANCH).splitlines()) - {INDEX}


def shown(address: str) -> bytes:
    answer = requests.get(address, headers={"Authorization": "token workflow-token"}, timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("image/png")
    return answer.content


@pytest.mark.parametrize("path", ["", "/api/v3"])
def test_what_is_published_can_be_seen(github: GitHub, path: str) -> None:
    one, two, again = pictures(github, api=github.url + path).publish([ONE, TWO, ONE])
    assert (shown(one), shown(two), again) == (ONE, TWO, one)
    assert urlsplit(one).path == f"/acme/churn/blob/{BRANCH}/{path_of(ONE)}"


def test_one_commit_without_a_parent_whatever_was_written(github: GitHub) -> None:
    for content in (ONE, TWO, b"three"):
        pictures(github).publish([content])
    assert git(github).git("rev-list", "--count", BRANCH) == "1"
    assert held(github) == {path_of(content) for content in (ONE, TWO, b"three")}


def test_what_is_there_is_not_written_again(github: GitHub) -> None:
    first = pictures(github).publish([ONE])
    seen = len(github.requests)
    assert pictures(github, day=TODAY + timedelta(days=FRESH_DAYS)).publish([ONE]) == first
    assert {request["method"] for request in github.requests[seen:]} == {"GET"}
    later = TODAY + timedelta(days=FRESH_DAYS + 1)
    pictures(github, day=later).publish([ONE])
    assert "2026-11-29" in git(github).git("show", f"{BRANCH}:{INDEX}")


def test_what_nobody_looked_at_for_long_is_gone(github: GitHub) -> None:
    pictures(github).publish([ONE])
    pictures(github, day=TODAY + timedelta(days=MOST_DAYS)).publish([TWO])
    assert held(github) == {path_of(ONE), path_of(TWO)}
    pictures(github, day=TODAY + timedelta(days=MOST_DAYS + 1)).publish([b"three"])
    assert held(github) == {path_of(TWO), path_of(b"three")}


def test_writers_at_the_same_time_lose_nothing(github: GitHub) -> None:
    github.state.content_limits = ()
    contents = [f"picture {number}".encode() for number in range(8)]
    failed: list[BaseException] = []

    def write(content: bytes) -> None:
        try:
            pictures(github).publish([content])
        except (Trouble, ServiceError) as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert held(github) == {path_of(content) for content in contents}
    assert git(github).git("rev-list", "--count", BRANCH) == "1"


@pytest.mark.parametrize("kind", ["drop-before", "drop-after", "status-after", "html", "truncated"])
@pytest.mark.parametrize("path", [".*/graphql", ".*/git/blobs", ".*/git/trees", ".*/git/commits"])
def test_a_lost_answer_loses_no_picture(github: GitHub, kind: str, path: str) -> None:
    fault = github.fault(kind, "POST", path, count=1)
    (address,) = pictures(github).publish([ONE])
    assert fault.met == 1
    assert shown(address) == ONE


def test_without_the_right_nothing_is_written(github: GitHub) -> None:
    for token in ("read-only-token", "pat-reader"):
        with pytest.raises(Trouble) as raised:
            pictures(github, token).publish([ONE])
        assert raised.value.kind == "denied"
    assert git(github).ref(REF) is None


def test_without_a_token_there_is_no_client(github: GitHub) -> None:
    with pytest.raises(AccessError):
        pictures(github, token="")


@pytest.mark.parametrize(
    "files",
    [{INDEX: "not JSON"}, {INDEX: '{"shown": {"a": 5}}'}, {"somebody's.txt": "hello"}],
)
def test_a_branch_that_somebody_else_wrote_is_read_with_care(
    github: GitHub, scenario: Scenario, files: Mapping[str, str]
) -> None:
    scenario.checkout.git("checkout", "-q", "--orphan", BRANCH)
    scenario.checkout.commit(dict(files))
    scenario.checkout.push(BRANCH)
    (address,) = pictures(github).publish([ONE])
    assert shown(address) == ONE
