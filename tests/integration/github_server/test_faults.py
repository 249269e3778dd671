"""Faults happen where, when and as often as a test asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
import requests

from tests.github_server.server import GitHub
from tests.integration.github_server.conftest import REPO, Ask
from tests.waiting import PATIENCE, wait_for

COMMENTS = f"{REPO}/issues/7/comments"


@pytest.fixture
def post(ask: Ask) -> Callable[[], requests.Response]:
    def send() -> requests.Response:
        return ask("POST", COMMENTS, json={"body": "hello"})

    return send


def written(github: GitHub) -> int:
    return len(github.state.repository("acme/churn").comments)


@pytest.mark.parametrize(("kind", "done"), [("drop-before", 0), ("drop-after", 1)])
def test_a_dropped_connection(
    github: GitHub, post: Callable[[], object], kind: str, done: int
) -> None:
    github.fault(kind, "POST", ".*/comments")
    with pytest.raises(requests.ConnectionError):
        post()
    assert written(github) == done
    post()
    assert written(github) == done + 1


@pytest.mark.parametrize(("kind", "done"), [("timeout-before", 0), ("timeout-after", 1)])
def test_a_time_out(github: GitHub, ask: Ask, kind: str, done: int) -> None:
    fault = github.fault(kind, "POST", ".*/comments", seconds=30)
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            github.url + COMMENTS,
            json={"body": "hello"},
            headers={"Authorization": "token pat-dev"},
            timeout=0.4,
        )
    wait_for(lambda: fault.met, "the request's arrival")
    wait_for(lambda: len(ask("GET", COMMENTS).json()) == done, "what was done")


@pytest.mark.parametrize(("kind", "done"), [("status-before", 0), ("status-after", 1)])
def test_a_bad_gateway(
    github: GitHub, post: Callable[[], requests.Response], kind: str, done: int
) -> None:
    github.fault(kind, "POST", ".*/comments", count=2)
    assert [post().status_code for _ in range(3)] == [502, 502, 201]
    assert written(github) == 2 * done + 1


def test_limits(github: GitHub, post: Callable[[], requests.Response]) -> None:
    github.fault("rate-limited", "POST")
    bare = post()
    assert bare.status_code == 429
    assert "Retry-After" not in bare.headers
    github.fault("retry-after", "POST", seconds=9999)
    assert post().headers["Retry-After"] == "9999"
    github.fault("retry-after", "POST", status=403, seconds=7)
    secondary = post()
    assert (secondary.status_code, secondary.headers["Retry-After"]) == (403, "7")
    github.fault("rate-exhausted", "POST", seconds=3)
    primary = post()
    assert (primary.status_code, primary.headers["X-RateLimit-Remaining"]) == (403, "0")
    assert float(primary.headers["X-RateLimit-Reset"]) <= time.time() + 4
    assert written(github) == 0


def test_answers_that_do_not_parse(github: GitHub, post: Callable[[], requests.Response]) -> None:
    github.fault("html", "POST")
    page = post()
    assert page.status_code == 500
    assert page.headers["Content-Type"] == "text/html"
    github.fault("truncated", "POST")
    cut = post()
    assert cut.status_code == 201
    with pytest.raises(requests.JSONDecodeError):
        cut.json()
    assert written(github) == 1


@pytest.mark.parametrize(("kind", "status"), [("accepted", 202), ("conflict", 409)])
def test_a_deployment_that_is_none(github: GitHub, ask: Ask, kind: str, status: int) -> None:
    github.fault(kind, "POST", ".*/deployments")
    asked = {"ref": "main", "auto_merge": False}
    assert ask("POST", f"{REPO}/deployments", json=asked).status_code == status
    assert ask("GET", f"{REPO}/deployments").json() == []


def test_two_that_race_meet(github: GitHub, ask: Ask) -> None:
    """Both have read before either writes."""
    fault = github.fault("together", "GET", COMMENTS, count=2, seconds=PATIENCE)
    order: list[str] = []

    def read_then_write() -> None:
        ask("GET", COMMENTS)
        order.append("read")
        ask("POST", COMMENTS, json={"body": "mine"})

    threads = [threading.Thread(target=read_then_write) for _ in range(2)]
    threads[0].start()
    wait_for(lambda: fault.met == 1, "the first request's arrival")
    assert order == []
    threads[1].start()
    for thread in threads:
        thread.join(PATIENCE)
    assert order == ["read", "read"]
    log = [item["method"] for item in github.requests]
    assert log == ["GET", "GET", "POST", "POST"]


def test_who_waits_alone_is_told(github: GitHub, ask: Ask) -> None:
    github.fault("together", "GET", COMMENTS, count=2, seconds=0.1)
    assert ask("GET", COMMENTS).status_code == 200
    assert "2 requests" in github.violations.pop()


def test_some_pass_before_it_and_others_are_spared(github: GitHub, ask: Ask) -> None:
    github.fault("status-before", "GET", f"{REPO}/pulls/7", skip=1, count=1, status=503)
    found = [ask("GET", f"{REPO}/pulls/7").status_code for _ in range(3)]
    assert found == [200, 503, 200]
    assert ask("GET", f"{REPO}/pulls").status_code == 200


def test_faults_reach_git_too(github: GitHub, scenario: object) -> None:
    from tests.github_server.git import GitError, run_git

    github.fault("status-before", "POST", ".*/git-receive-pack", status=500)
    url = github.clone_url("acme/churn", "pat-dev")
    checkout = scenario.checkout  # type: ignore[attr-defined]
    push = ["push", "--quiet", url, "feature:refs/heads/new"]
    with pytest.raises(GitError, match="500"):
        run_git(push, checkout.path)
    run_git(push, checkout.path)


def test_the_log_and_the_state_are_open_over_http(github: GitHub, ask: Ask) -> None:
    door = f"{github.url}/_test"
    asked = {"kind": "status-after", "method": "POST", "path": ".*/comments"}
    assert requests.post(f"{door}/faults", json=asked, timeout=20).status_code == 201
    assert requests.post(f"{door}/faults", json={"kind": "nonsense"}, timeout=20).status_code == 422
    ask("POST", COMMENTS, json={"body": "hello"})
    log = requests.get(f"{door}/requests", timeout=20).json()
    assert [(item["method"], item["path"], item["fault"]) for item in log] == [
        ("POST", COMMENTS, "status-after")
    ]
    assert log[0]["body"] == {"body": "hello"}
    state = requests.get(f"{door}/state", timeout=20).json()
    repository = state["repositories"]["acme/churn"]
    assert [item["body"] for item in repository["comments"]] == ["hello"]
    assert set(repository["refs"]) >= {"refs/heads/main", "refs/heads/feature"}
    assert requests.get(f"{door}/faults", timeout=20).json()[0]["met"] == 1
    assert "workflow-token" not in requests.get(f"{door}/state", timeout=20).text
    for subject in ("requests", "faults"):
        assert requests.delete(f"{door}/{subject}", timeout=20).status_code == 204
        assert requests.get(f"{door}/{subject}", timeout=20).json() == []
