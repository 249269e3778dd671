"""What a job asks for, and whom it may talk to."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.action.inputs import read_inputs
from mlops_ci.action.task import Task, leg_of, make_posting
from mlops_ci.errors import MlopsCiError
from mlops_ci.github.event import Event
from mlops_ci.github.runner import Runner
from mlops_ci.world import World

HEAD, BASE = "a" * 40, "b" * 40
PULL = Event("pull_request", "acme/churn", HEAD, "main", "release", BASE, number=7)


def task(
    workspace: Path, event: Event = PULL, environ: dict[str, str] | None = None, **inputs: Any
) -> Task:
    told = {"GITHUB_WORKSPACE": str(workspace), **(environ or {})}
    runner = Runner(told, io.BytesIO())
    world = World(environ=told, folder=workspace)
    given = {**read_inputs("", {}), **inputs}
    return Task("", given, runner, world, event, make_posting(event, given, runner, world))


def test_a_pull_request_asks_for_its_head_against_its_own_base_branch(tmp_path: Path) -> None:
    asked = task(tmp_path).asked
    assert (asked.kind, asked.head, asked.branch, asked.commit) == (
        "pull_request",
        HEAD,
        "release",
        BASE,
    )
    assert asked.ref is None
    assert task(tmp_path, base="v1").asked.ref == "v1"


def test_a_schedule_asks_as_a_dispatch_does(tmp_path: Path) -> None:
    assert task(tmp_path, Event("schedule", "acme/churn", HEAD)).asked.kind == "workflow_dispatch"


@pytest.mark.parametrize(
    ("event", "name"), [(PULL, "this PR"), (Event("push", "acme/churn", HEAD), "this commit")]
)
def test_what_a_reader_calls_head(tmp_path: Path, event: Event, name: str) -> None:
    assert task(tmp_path, event).names == {"head_name": name}


def test_the_store_is_the_events_own_repository(tmp_path: Path) -> None:
    environ = {"GITHUB_SERVER_URL": "https://git.example.org/"}
    access = task(tmp_path, environ=environ, token="t").access
    assert access is not None
    assert access.url == "https://git.example.org/acme/churn.git"
    assert task(tmp_path, environ=environ).access is None
    assert task(tmp_path, token="t").access is None


def test_without_a_token_there_is_an_error_to_show_and_nobody_to_ask(tmp_path: Path) -> None:
    posting = task(tmp_path).posting
    assert (posting.client, posting.checks) == (None, None)
    (error,) = posting.errors
    assert "token: ${{ github.token }}" in error.fix


@pytest.mark.parametrize(
    ("folder", "scope"),
    [(None, ""), (".", ""), ("models/a", "models/a/"), ("models/a/", "models/a/")],
)
def test_a_part_of_the_comment_belongs_to_a_folder(
    tmp_path: Path, folder: str | None, scope: str
) -> None:
    assert task(tmp_path, folder=Path(folder) if folder else None).scope(None) == scope


def test_paths_are_those_of_the_workspace(tmp_path: Path) -> None:
    made = task(tmp_path)
    assert made.path_of(tmp_path / "a" / "report.html") == "a/report.html"
    assert made.path_of(Path("/elsewhere/report.html")) == "/elsewhere/report.html"


def test_an_error_in_the_log_names_the_model_once_and_the_workspaces_file(tmp_path: Path) -> None:
    made = task(tmp_path)
    made.say_error(MlopsCiError("churn: no rows", where=str(tmp_path / "out.csv")), "churn")
    out = made.runner.out
    assert isinstance(out, io.BytesIO)
    assert "error: churn: no rows\n  where: out.csv\n" in out.getvalue().decode()


def test_legs_of_a_matrix_are_told_apart_and_known_again() -> None:
    inputs: list[dict[str, Any]] = [
        {},
        {"folder": Path("a")},
        {"model": ("churn",)},
        {"model": ("upsell",)},
        {"model": ("churn", "upsell")},
    ]
    worlds = [World(environ={"GITHUB_JOB": job}) for job in ("one", "two")]
    legs = [leg_of(given, world) for given in inputs for world in worlds]
    assert len(set(legs)) == len(legs)
    assert legs == [leg_of(given, world) for given in inputs for world in worlds]
