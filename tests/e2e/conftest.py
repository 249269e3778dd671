"""The runner's image, and act."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.runner import Machine
from tests.machine.fixtures import ActionImages
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
