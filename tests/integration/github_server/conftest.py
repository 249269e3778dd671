"""Two ways to ask the server: PyGithub, as the product does, and plain HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from github import Auth, Github, GithubIntegration

from tests.github_server.scenario import Scenario, Story
from tests.github_server.server import GitHub

Ask = Callable[..., requests.Response]
Connect = Callable[[str], Github]
Start = Callable[[Story], tuple[Scenario, GitHub]]
REPO = "/repos/acme/churn"


def open_client(url: str, auth: Auth.Auth, per_page: int = 30) -> Github:
    """PyGithub without its pauses and its retries."""
    return Github(
        auth=auth,
        base_url=url,
        per_page=per_page,
        retry=None,
        seconds_between_requests=0,
        seconds_between_writes=0,
    )


def open_app(url: str, app_id: int, key: str) -> GithubIntegration:
    return GithubIntegration(
        auth=Auth.AppAuth(app_id, key),
        base_url=url,
        retry=None,
        seconds_between_requests=0,
        seconds_between_writes=0,
    )


@pytest.fixture
def ask(github: GitHub) -> Ask:
    """`ask("GET", "/user", token=…, json=…)`; a path without `/repos` is used as it is."""

    def send(method: str, path: str, token: str | None = "workflow-token", **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= more.pop("headers", {})
        return requests.request(method, github.url + path, headers=headers, timeout=20, **more)

    return send


@pytest.fixture
def connect(github: GitHub) -> Iterator[Connect]:
    """A client of a token; closed at the end."""
    opened: list[Github] = []

    def client(token: str) -> Github:
        opened.append(open_client(github.url, Auth.Token(token)))
        return opened[-1]

    yield client
    for found in opened:
        found.close()
