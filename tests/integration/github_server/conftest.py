"""Two ways to ask the server: PyGithub, as the product does, and plain HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from github import Auth, Github

from tests.github_server.scenario import Scenario, Story
from tests.github_server.server import GitHub

Ask = Callable[..., requests.Response]
Connect = Callable[[str], Github]
Start = Callable[[Story], tuple[Scenario, GitHub]]
REPO = "/repos/acme/churn"


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
    """A PyGithub client of a token, without its pauses and its retries."""
    opened: list[Github] = []

    def client(token: str) -> Github:
        opened.append(
            Github(
                auth=Auth.Token(token),
                base_url=github.url,
                retry=None,
                seconds_between_requests=0,
                seconds_between_writes=0,
            )
        )
        return opened[-1]

    yield client
    for found in opened:
        found.close()
