"""The runner's image, act, and the day that most tests look at."""

from __future__ import annotations

import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.runner import Machine
from tests.e2e.story import Shipping, Told, a_day, demo_story, project_files, tell
from tests.machine.fixtures import ActionImages
from tests.machine.ports import free_port
from tests.machine.registry import GuardedRegistry
from tests.machine.scripts import ROOT

RUNNER_IMAGE = "mlops-ci-runner:local"


@pytest.fixture(scope="session")
def runner_image(docker_command: str, python_image: str) -> str:
    """What `ubuntu-latest` means to act."""
    assert python_image
    locked = re.search(r"^uv==[\d.]+", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert locked
    folder = Path(__file__).parent / "runner"
    command = [docker_command, "build", "-q", "--build-arg", f"UV={locked[0]}", "-t", RUNNER_IMAGE]
    subprocess.run([*command, str(folder)], check=True, capture_output=True)
    return RUNNER_IMAGE


@pytest.fixture(scope="session")
def actions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a user's `uses:` downloads, without what else lies in a checkout where people work."""
    folder = tmp_path_factory.mktemp("actions")
    for path in (ROOT / "action.yml", *ROOT.glob("actions/*/action.yml")):
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return folder


@pytest.fixture(scope="session")
def machine(act: Path, runner_image: str, action_images: ActionImages, actions: Path) -> Machine:
    """act, with the actions' images built from this checkout under the names that they ask for."""
    assert action_images
    return Machine(act, runner_image, actions)


@pytest.fixture(scope="session")
def told(
    machine: Machine,
    guarded: GuardedRegistry,
    haproxy_image: str,
    docker_engine: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Told]:
    """The day, played once for all tests that look at it."""
    assert haproxy_image
    shipping = Shipping(guarded, f"digits-{uuid.uuid4().hex[:8]}", free_port())
    story = demo_story(project_files(shipping), "pass")
    try:
        with a_day(machine, tmp_path_factory.mktemp("story"), story, shipping.secrets) as day:
            yield tell(day, shipping)
    finally:
        clear(docker_engine, shipping)


def clear(engine: Any, shipping: Shipping) -> None:
    """What the day left on the Docker host."""
    for container in engine.containers.list(all=True, ignore_removed=True):
        if shipping.name in container.name or shipping.name in str(container.labels):
            container.remove(force=True, v=True)
    for network in engine.networks.list(names=[f"^mlops-ci-{shipping.name}$"]):
        network.remove()
    for image in engine.images.list(shipping.image):
        engine.images.remove(image.id, force=True)
