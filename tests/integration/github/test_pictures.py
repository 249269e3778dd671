"""The branch of pictures, on a GitHub on loopback."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from mlops_ci.baseline.git_store import Access, GitShelf, header_of
from mlops_ci.errors import AccessError, MlopsCiError
from mlops_ci.github.patience import Patience
from mlops_ci.github.pictures import (
    BRANCH,
    FRESH_DAYS,
    INDEX,
    MESSAGE,
    MOST_DAYS,
    REF,
    Pictures,
    path_of,
)
from mlops_ci.world import World
from tests.github_server.git import BareRepository
from tests.github_server.scenario import Scenario
from tests.github_server.server import GitHub

TODAY = date(2026, 11, 21)
ONE, TWO = b"\x89PNG one", b"\x89PNG two"


def pictures(github: GitHub, token: str = "workflow-token", day: date = TODAY) -> Pictures:
    access = Access(github.clone_url("acme/churn"), header_of(token))
    branch = GitShelf(access, World(folder=Path()), REF, f"the branch {BRANCH}", MESSAGE, 5.0)
    patience = Patience(lambda seconds: time.sleep(min(seconds, 0.02)), lambda: 0.5)
    return Pictures(branch, "acme/churn", github.url, day, patience)


def git(github: GitHub) -> BareRepository:
    return github.state.repository("acme/churn").git


def held(github: GitHub) -> set[str]:
    return set(git(github).git("ls-tree", "-r", "--name-only", BRANCH).splitlines()) - {INDEX}


def shown(address: str) -> bytes:
    answer = requests.get(address, headers={"Authorization": "token workflow-token"}, timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("image/png")
    return answer.content


def test_what_is_published_can_be_seen(github: GitHub) -> None:
    one, two, again = pictures(github).publish([ONE, TWO, ONE])
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
    assert pushes(github, seen) == 0
    later = TODAY + timedelta(days=FRESH_DAYS + 1)
    pictures(github, day=later).publish([ONE])
    assert "2026-11-29" in git(github).git("show", f"{BRANCH}:{INDEX}")


def pushes(github: GitHub, since: int = 0) -> int:
    return sum(one["path"].endswith("git-receive-pack") for one in github.requests[since:])


def test_a_report_is_one_push_and_no_write_by_the_api(github: GitHub) -> None:
    """GitHub allows 80 such writes in a minute, and five runs may well come in one."""
    pictures(github).publish([f"picture {number}".encode() for number in range(8)])
    assert pushes(github) == 1
    others = [one for one in github.requests if "git-" not in one["path"]]
    assert {one["method"] for one in others} <= {"GET"}


def test_what_was_seen_before_the_training_saves_the_look_after_it(github: GitHub) -> None:
    pictures(github).publish([ONE])
    early = pictures(github)
    early.begin()
    assert early.looking is not None
    early.looking.join()
    seen = len(github.requests)
    early.publish([TWO])
    assert not [one for one in github.requests[seen:] if "upload-pack" in one["path"]]
    assert held(github) == {path_of(ONE), path_of(TWO)}


def test_what_was_seen_before_the_training_may_be_old(github: GitHub) -> None:
    early = pictures(github)
    early.begin()
    assert early.looking is not None
    early.looking.join()
    pictures(github).publish([ONE])
    (address,) = early.publish([TWO])
    assert shown(address) == TWO
    assert held(github) == {path_of(ONE), path_of(TWO)}


def test_a_look_that_failed_is_taken_again(github: GitHub) -> None:
    early = pictures(github)
    fault = github.fault("status-after", "GET", ".*/info/refs", count=1)
    early.begin()
    assert early.looking is not None
    early.looking.join()
    assert fault.met == 1
    (address,) = early.publish([ONE])
    assert shown(address) == ONE


def test_all_pictures_together_have_a_limit(
    github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlops_ci.github.pictures.MOST_BYTES", 20)
    pictures(github, day=TODAY).publish([ONE, TWO])
    pictures(github, day=TODAY + timedelta(days=1)).publish([b"three"])
    assert len(held(github)) == 2
    assert path_of(b"three") in held(github)


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
        except MlopsCiError as error:
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
@pytest.mark.parametrize("path", [".*/git-receive-pack", ".*/git-upload-pack"])
def test_a_lost_answer_loses_no_picture(github: GitHub, kind: str, path: str) -> None:
    pictures(github).publish([TWO])
    fault = github.fault(kind, "POST", path, count=1)
    (address,) = pictures(github).publish([ONE])
    assert fault.met == 1
    assert shown(address) == ONE
    assert held(github) == {path_of(ONE), path_of(TWO)}


def test_without_the_right_nothing_is_written(github: GitHub) -> None:
    for token in ("read-only-token", "pat-reader"):
        with pytest.raises(AccessError, match="the branch mlops-ci-plots may not be written"):
            pictures(github, token).publish([ONE])
    assert git(github).ref(REF) is None


@pytest.mark.parametrize(
    "files",
    [
        {INDEX: "not JSON"},
        {INDEX: '{"shown": {"a": 5}}'},
        {INDEX: '{"shown": {"../../x": "2026-11-01"}}'},
        {"somebody's.txt": "hello"},
    ],
)
def test_a_branch_that_somebody_else_wrote_is_read_with_care(
    github: GitHub, scenario: Scenario, files: Mapping[str, str]
) -> None:
    scenario.checkout.git("checkout", "-q", "--orphan", BRANCH)
    scenario.checkout.commit(dict(files))
    scenario.checkout.push(BRANCH)
    (address,) = pictures(github).publish([ONE])
    assert shown(address) == ONE
