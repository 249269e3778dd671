"""What `mlops-ci doctor` finds out from an engine, a registry and GitHub."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_ci.images.credentials import PASSWORD, USERNAME
from mlops_ci.plan.services import docker_health, registry_health, token_health
from mlops_ci.world import World
from tests.github_server.server import GitHub
from tests.machine.ports import free_port
from tests.machine.registry import GuardedRegistry


def world(**environ: str) -> World:
    return World(environ=environ, sleep=lambda _: None)


def test_an_engine_that_answers(docker_engine: Any) -> None:
    found = docker_health(World(), None)
    assert (found.what, found.state) == ("docker", "good")
    assert found.said.startswith(f"engine {docker_engine.version()['Version']}, linux/")


def test_an_engine_that_is_not_there() -> None:
    found = docker_health(world(DOCKER_HOST=f"tcp://127.0.0.1:{free_port()}"), None)
    assert (found.state, found.said) == ("look", "no Docker engine answers: connection refused")
    assert "target: process" in found.todo


def test_a_registry_that_lets_us_in(guarded: GuardedRegistry) -> None:
    known = world(**{USERNAME: guarded.username, PASSWORD: guarded.password})
    found = registry_health(known, f"{guarded.host}/acme/never-pushed")
    assert (found.state, found.said) == ("good", "answers; nothing was pushed there yet")


def test_a_registry_that_does_not(guarded: GuardedRegistry) -> None:
    found = registry_health(world(HOME="/nonexistent"), f"{guarded.host}/acme/churn")
    assert found.state == "look"
    assert "denies access" in found.said
    assert f"docker login {guarded.host}" in found.todo


def test_a_registry_that_is_not_there() -> None:
    found = registry_health(world(), f"127.0.0.1:{free_port()}/acme/churn")
    assert found.state == "look"
    assert "cannot be reached" in found.said


def test_a_name_that_is_none() -> None:
    found = registry_health(world(), "ghcr.io/Acme/churn:latest")
    assert found.state == "look"
    assert found.todo


@pytest.mark.parametrize(
    ("token", "state", "said"),
    [
        ("pat-maintainer", "look", "maintainer's, on acme/churn: maintain, push, triage, pull"),
        ("pat-reader", "look", "reader's, on acme/churn: pull"),
        ("workflow-token", "good", "a workflow's or an App's, on acme/churn: "),
        ("app-token", "good", "a workflow's or an App's, on acme/churn: "),
        ("forgotten", "look", "GitHub refuses: 401"),
        ("", "look", "there is no token"),
    ],
)
def test_a_token_is_somebodys(github: GitHub, token: str, state: str, said: str) -> None:
    found = token_health(world(GITHUB_API_URL=github.url), token, "acme/churn")
    assert found.state == state
    assert found.said.startswith(said)
    assert bool(found.todo) == (state == "look")


def test_a_token_for_another_repository(github: GitHub) -> None:
    found = token_health(world(GITHUB_API_URL=github.url), "workflow-token", "acme/secret")
    assert found.state == "look"
    assert "404" in found.said
