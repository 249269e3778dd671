"""pytest fixtures; `tests/conftest.py` loads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.github_server.scenario import Scenario, Story, build
from tests.github_server.server import GitHub


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    """`acme/churn` with one commit on main and pull request 7 from its branch `feature`."""
    return build(tmp_path / "github")


@pytest.fixture
def start_github(tmp_path: Path) -> Iterator[Callable[[Story], tuple[Scenario, GitHub]]]:
    """Starts a server for a story of your own; each is stopped and checked at the end."""
    running: list[GitHub] = []

    def start(story: Story) -> tuple[Scenario, GitHub]:
        scenario = build(tmp_path / f"github-{len(running)}", story)
        running.append(scenario.start())
        return scenario, running[-1]

    yield start
    for github in running:
        end(github)


@pytest.fixture
def github(scenario: Scenario) -> Iterator[GitHub]:
    """The server for `scenario`. A request or an answer against GitHub's OpenAPI fails the test."""
    server = scenario.start()
    yield server
    end(server)


def end(github: GitHub) -> None:
    github.stop()
    if github.violations:
        listed = "\n".join(github.violations)
        pytest.fail(f"against GitHub's OpenAPI description:\n{listed}", pytrace=False)
