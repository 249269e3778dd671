"""What tests need of the machine: started or installed by the first test that asks for it."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.machine.registry import GuardedRegistry, guarded_registry
from tests.machine.scripts import run_script


@dataclass(frozen=True)
class Node:
    """`npm` is npm's own entry file: run it as `node npm …`."""

    node: Path
    npm: Path


@dataclass(frozen=True)
class ActionImages:
    """Names under which the locally built stages are tagged: those that action.yml asks for."""

    slim: str
    full: str


@pytest.fixture(scope="session")
def docker_command() -> str:
    """Path of a docker command that can build; sets DOCKER_HOST and DOCKER_BUILDKIT for the session."""
    for line in run_script("docker_engine.sh"):
        for word in shlex.split(line.removeprefix("export ")):
            name, _, value = word.partition("=")
            os.environ[name] = value
    return os.environ["DOCKER"]


@pytest.fixture(scope="session")
def docker_engine(docker_command: str) -> Iterator[Any]:
    """A docker-py client of a running engine."""
    import docker

    client = docker.from_env(timeout=120)
    assert client.ping(), docker_command
    yield client
    client.close()


@pytest.fixture(scope="session")
def registry() -> str:
    """host:port of an OCI registry on loopback, without authentication."""
    return run_script("registry.sh", os.environ.get("MLOPS_CI_TEST_REGISTRY_PORT", "5000"))[-1]


@pytest.fixture(scope="session")
def guarded(registry: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedRegistry]:
    """A registry of its own that wants a password."""
    assert registry  # its package is installed
    with guarded_registry(tmp_path_factory.mktemp("registry")) as started:
        yield started


@pytest.fixture(scope="session")
def python_image(docker_engine: Any) -> str:
    assert docker_engine
    return run_script("base_image.sh")[-1]


@pytest.fixture(scope="session")
def haproxy_image(docker_engine: Any) -> str:
    assert docker_engine
    return run_script("haproxy_image.sh")[-1]


@pytest.fixture(scope="session")
def chromium() -> Path:
    return Path(run_script("chromium.sh")[-1])


@pytest.fixture(scope="session")
def git_lfs() -> Path:
    return Path(run_script("git_lfs.sh")[-1])


@pytest.fixture(scope="session")
def node() -> Node:
    """Node 22 or newer, out of a Python package: always installable."""
    program, npm = run_script("node.sh", installable=True)[-2:]
    return Node(Path(program), Path(npm))


@pytest.fixture(scope="session")
def act() -> Path:
    return Path(run_script("act.sh", installable=shutil.which("go") is not None)[-1])


@pytest.fixture(scope="session")
def actionlint() -> Path:
    return Path(run_script("actionlint.sh", installable=shutil.which("go") is not None)[-1])


@pytest.fixture(scope="session")
def action_images(python_image: str) -> ActionImages:
    """Both stages of our Dockerfile, built from this checkout."""
    assert python_image
    slim, full = run_script("action_images.sh")[-2:]
    return ActionImages(slim, full)
