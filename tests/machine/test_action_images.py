"""The image that every action runs in, as GitHub's runner will start it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlops_ci import __version__
from tests.machine.fixtures import ActionImages

MODULES = (
    "import importlib.util as u, json;"
    "print(json.dumps([m for m in ('mlflow', 'dvc', 'sklearn', 'matplotlib', 'github', 'docker')"
    " if u.find_spec(m)]))"
)


@pytest.fixture(params=["slim", "full"])
def image(request: pytest.FixtureRequest, action_images: ActionImages) -> str:
    name: str = getattr(action_images, request.param)
    return name


def run(engine: Any, image: str, *command: str, **settings: Any) -> str:
    """Output of a command in a container that stands in for the runner's: root, HOME elsewhere."""
    said = engine.containers.run(
        image,
        list(command[1:]),
        entrypoint=[command[0]],
        environment={"HOME": "/github/home"},
        working_dir="/github/workspace",
        remove=True,
        **settings,
    )
    return str(said.decode().strip())


def test_images_bear_the_names_that_the_actions_ask_for(action_images: ActionImages) -> None:
    assert action_images.slim == f"ghcr.io/mlops-ci/mlops-ci:{__version__}-slim"
    assert action_images.full == f"ghcr.io/mlops-ci/mlops-ci:{__version__}-full"


def test_it_starts_as_root_without_a_shell(docker_engine: Any, image: str) -> None:
    config = docker_engine.images.get(image).attrs["Config"]
    assert config["User"] == ""
    assert config["Entrypoint"][0].endswith("/python")
    assert config["Entrypoint"][-2:] == ["-m", "mlops_ci.action"]


def test_git_trusts_a_workspace_that_another_user_owns(
    docker_engine: Any, image: str, tmp_path: Path
) -> None:
    mount = {str(tmp_path): {"bind": "/github/workspace", "mode": "rw"}}
    run(docker_engine, image, "git", "init", "-q", volumes=mount)
    run(docker_engine, image, "chown", "-R", "1001:1001", "/github/workspace", volumes=mount)
    assert run(docker_engine, image, "git", "status", "--short", volumes=mount) == ""


def test_a_module_in_the_workspace_cannot_take_the_place_of_ours(
    docker_engine: Any, image: str, tmp_path: Path
) -> None:
    (tmp_path / "mlops_ci").mkdir()
    (tmp_path / "mlops_ci" / "__init__.py").write_text("print('the workspace was here')")
    (tmp_path / "click.py").write_text("print('the workspace was here')")
    entrypoint = docker_engine.images.get(image).attrs["Config"]["Entrypoint"]
    code = "import mlops_ci.cli, click; print(mlops_ci.__file__)"
    said = run(
        docker_engine,
        image,
        *entrypoint[:2],
        "-c",
        code,
        volumes={str(tmp_path): {"bind": "/github/workspace", "mode": "ro"}},
    )
    assert said == "/opt/mlops-ci/lib/python3.11/site-packages/mlops_ci/__init__.py"


def test_slim_is_the_report_path_and_full_the_rest(
    docker_engine: Any, action_images: ActionImages
) -> None:
    slim = run(docker_engine, action_images.slim, "python", "-c", MODULES)
    full = run(docker_engine, action_images.full, "python", "-c", MODULES)
    assert slim == '["matplotlib", "github"]'
    assert full == '["mlflow", "dvc", "sklearn", "matplotlib", "github", "docker"]'
    assert "git-lfs" in run(docker_engine, action_images.full, "git", "lfs", "version")


def test_stages_share_all_but_their_own_layers(
    docker_engine: Any, action_images: ActionImages
) -> None:
    layers = {
        stage: docker_engine.images.get(getattr(action_images, stage)).attrs["RootFS"]["Layers"]
        for stage in ("slim", "full")
    }
    assert layers["full"][: len(layers["slim"]) - 1] == layers["slim"][:-1]
