"""Who may do what, and in which words GitHub refuses."""

from __future__ import annotations

import http.client
import time

import pytest
import requests

from tests.github_server.scenario import Scenario, Story
from tests.github_server.seed import add_token
from tests.github_server.server import GitHub
from tests.integration.github_server.conftest import REPO, Ask, Start

COMMENT = ("POST", f"{REPO}/issues/7/comments", {"body": "hello"})


def test_a_workflow_has_no_user(ask: Ask) -> None:
    answer = ask("GET", "/user")
    assert answer.status_code == 403
    assert answer.json()["message"] == "Resource not accessible by integration"
    assert ask("GET", "/user", "app-token").status_code == 403
    assert ask("GET", "/user", "pat-dev").json()["login"] == "dev"
    assert ask("GET", "/user", None).status_code == 401


def test_unknown_tokens_are_refused(ask: Ask) -> None:
    answer = ask("GET", f"{REPO}/pulls/7", "nobody-issued-this")
    assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")


def test_the_missing_permission_is_named(ask: Ask) -> None:
    method, path, body = COMMENT
    answer = ask(method, path, "read-only-token", json=body)
    assert answer.status_code == 403
    assert answer.json()["message"] == "Resource not accessible by integration"
    needed = answer.headers["X-Accepted-GitHub-Permissions"]
    assert needed == "issues=write; pull_requests=write"


@pytest.mark.parametrize(
    ("permission", "status"),
    [("pull-requests", 201), ("issues", 201), ("checks", 403), ("contents", 403)],
)
def test_one_of_two_permissions_is_enough(
    ask: Ask, github: GitHub, permission: str, status: int
) -> None:
    asked = {"kind": "workflow", "repository": "acme/churn", "permissions": {permission: "write"}}
    add_token(github.state, "narrow", asked)
    method, path, body = COMMENT
    assert ask(method, path, "narrow", json=body).status_code == status


def test_an_issue_that_is_no_pull_request_needs_issues(ask: Ask, github: GitHub) -> None:
    number = ask("POST", f"{REPO}/issues", json={"title": "drift"}).json()["number"]
    asked = {
        "kind": "workflow",
        "repository": "acme/churn",
        "permissions": {"pull-requests": "write"},
    }
    add_token(github.state, "narrow", asked)
    path = f"{REPO}/issues/{number}/comments"
    refused = ask("POST", path, "narrow", json={"body": "hello"})
    assert refused.status_code == 403
    assert refused.headers["X-Accepted-GitHub-Permissions"] == ("issues=write; pull_requests=write")
    add_token(github.state, "wide", {**asked, "permissions": {"issues": "write"}})
    assert ask("POST", path, "wide", json={"body": "hello"}).status_code == 201


def test_a_fork_s_token_reads_everything_and_writes_nothing(ask: Ask, scenario: Scenario) -> None:
    sha = scenario.head
    for path in (
        f"{REPO}/pulls/7",
        f"{REPO}/issues/7/comments",
        f"{REPO}/commits/{sha}/check-runs",
    ):
        assert ask("GET", path, "read-only-token").status_code == 200
    writes = [
        COMMENT,
        ("POST", f"{REPO}/check-runs", {"name": "v", "head_sha": sha}),
        ("POST", f"{REPO}/statuses/{sha}", {"state": "success"}),
        ("POST", f"{REPO}/deployments", {"ref": "main"}),
        ("POST", f"{REPO}/git/refs", {"ref": "refs/heads/x", "sha": sha}),
        ("POST", f"{REPO}/dispatches", {"event_type": "retrain"}),
        ("PUT", f"{REPO}/contents/a.txt", {"message": "m", "content": "eA=="}),
    ]
    for method, path, body in writes:
        assert ask(method, path, "read-only-token", json=body).status_code == 403, path


def test_a_private_repository_is_not_found_by_strangers(start_github: Start) -> None:
    _, github = start_github(Story(private=True))

    def status(token: str | None) -> int:
        headers = {"Authorization": f"token {token}"} if token else {}
        return requests.get(f"{github.url}{REPO}", headers=headers, timeout=20).status_code

    assert [status(token) for token in (None, "pat-stranger", "pat-reader", "workflow-token")] == [
        404,
        404,
        200,
        200,
    ]


def test_a_private_repository_needs_each_permission(start_github: Start) -> None:
    _, github = start_github(Story(private=True))
    asked = {"kind": "workflow", "repository": "acme/churn", "permissions": {"contents": "read"}}
    add_token(github.state, "narrow", asked)
    headers = {"Authorization": "Bearer narrow"}
    for path, status in {"": 200, "/branches": 200, "/pulls": 403, "/issues": 403}.items():
        answer = requests.get(f"{github.url}{REPO}{path}", headers=headers, timeout=20)
        assert answer.status_code == status, path


def test_the_permission_of_a_commenter(ask: Ask) -> None:
    found = {
        login: ask("GET", f"{REPO}/collaborators/{login}/permission").json()["permission"]
        for login in ("acme", "maintainer", "dev", "reader", "stranger")
    }
    assert found == {
        "acme": "admin",
        "maintainer": "write",
        "dev": "write",
        "reader": "read",
        "stranger": "read",
    }
    assert ask("GET", f"{REPO}/collaborators/nobody/permission").status_code == 404


def test_a_token_of_another_repository_reads_what_is_public(github: GitHub, ask: Ask) -> None:
    asked = {"kind": "workflow", "repository": "acme/other", "permissions": "write-all"}
    add_token(github.state, "elsewhere", asked)
    method, path, body = COMMENT
    assert ask("GET", f"{REPO}/pulls/7", "elsewhere").status_code == 200
    assert ask(method, path, "elsewhere", json=body).status_code == 403


def test_who_does_not_say_which_program_it_is_is_refused(github: GitHub) -> None:
    connection = http.client.HTTPConnection(github.address)
    connection.request("GET", f"{REPO}/pulls/7")
    assert connection.getresponse().status == 403
    connection.close()


def test_the_primary_limit_counts_down(github: GitHub, ask: Ask) -> None:
    add_token(github.state, "poor", {"kind": "pat", "user": "dev", "rate": 2})
    left = [ask("GET", "/user", "poor").headers["X-RateLimit-Remaining"] for _ in range(2)]
    assert left == ["1", "0"]
    refused = ask("GET", "/user", "poor")
    assert refused.status_code == 403
    assert "API rate limit exceeded" in refused.json()["message"]
    assert int(refused.headers["X-RateLimit-Reset"]) > time.time()
    assert ask("GET", "/rate_limit", "poor").json()["rate"]["remaining"] == 0


def test_content_is_created_80_times_a_minute(github: GitHub, ask: Ask) -> None:
    github.state.tokens["pat-dev"].written = [time.time()] * 79
    method, path, body = COMMENT
    assert ask(method, path, "pat-dev", json=body).status_code == 201
    refused = ask(method, path, "pat-dev", json=body)
    assert refused.status_code == 403
    assert "secondary rate limit" in refused.json()["message"]
    assert refused.headers["Retry-After"] == "60"
    assert ask("GET", "/user", "pat-dev").status_code == 200
