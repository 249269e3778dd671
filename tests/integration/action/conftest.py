"""A GitHub for each story, shared by the tests of one file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.github_server.fixtures import end
from tests.github_server.scenario import Story, build
from tests.github_server.server import GitHub
from tests.integration.action.jobs import PROJECT, Runs

Play = Callable[..., Runs]


@pytest.fixture(scope="module")
def play() -> Iterator[Play]:
    """`play(change, …, main=(…))`: a repository with main and a pull request, and its jobs.

    pytest's own folders are closed to the user whom a root process runs the training as.
    """
    running: list[GitHub] = []
    with tempfile.TemporaryDirectory(prefix="mlops-ci-jobs-") as name:
        root = Path(name)
        root.chmod(0o755)

        def start(*change: object, main: tuple[object, ...] = (PROJECT,), **more: object) -> Runs:
            folder = root / str(len(running))
            story = Story(main=main, change=change, **more)  # type: ignore[arg-type]
            scenario = build(folder / "github", story)
            running.append(scenario.start())
            return Runs(running[-1], scenario, folder)

        yield start
        for github in running:
            end(github)
