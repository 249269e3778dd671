"""A project with a model that was evaluated, and somewhere to ship it to."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.data import digest_folder
from mlops_ci.project import Project, open_project
from mlops_ci.records import Artifact, Evaluation
from mlops_ci.targets.labels import SERVICE
from mlops_ci.world import World
from tests.machine.ports import free_port

PASSED_ON = ("PATH", "HOME", "LANG", "DOCKER_HOST", "SSL_CERT_FILE", "PIP_INDEX_URL")


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """A model folder that MLflow wrote: every row's answer is the number asked for."""
    import numpy as np
    import sklearn

    folder = tmp_path_factory.mktemp("models")
    packages = ["mlflow", "numpy", "scikit-learn", "scipy", "skops"]
    from importlib.metadata import version

    pins = [f"{package}=={version(package)}" for package in packages]

    def train(answer: int) -> Path:
        path = folder / f"model-{answer}"
        if not path.exists():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                import mlflow.sklearn
                from mlflow.models import infer_signature
                from sklearn.dummy import DummyClassifier

                rows = np.arange(12.0).reshape(4, 3)
                model = DummyClassifier(strategy="constant", constant=answer)
                model.fit(rows, np.full(4, answer))
                mlflow.sklearn.save_model(
                    model,
                    path,
                    signature=infer_signature(rows, model.predict(rows)),
                    input_example=rows[:2],
                    pip_requirements=pins,
                )
        return path

    assert sklearn.__version__
    return train


@dataclass(frozen=True)
class Shop:
    """A user's repository; `evaluate` puts a model where training would, and records it."""

    project: Project
    trained: Callable[[int], Path]
    port: int

    @property
    def model_folder(self) -> Path:
        return self.project.root / "out/model"

    def evaluate(self, answer: int) -> Shop:
        shutil.rmtree(self.model_folder, ignore_errors=True)
        shutil.copytree(self.trained(answer), self.model_folder)
        self._git("commit", "--quiet", "--allow-empty", "--message", f"answer {answer}")
        shop = replace(self, project=open_project(self.project.root, self.project.world))
        shop.record()
        return shop

    def record(self) -> None:
        digest = digest_folder(self.model_folder)
        artifact = Artifact(path="out/model", digest=digest, bytes=1)
        self.project.records.write(
            "evaluate",
            Evaluation(
                model="churn",
                commit=self.project.commit,
                evaluated="2026-01-01T00:00:00+00:00",
                artifact=artifact,
            ),
        )

    def _git(self, *arguments: str) -> None:
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
        subprocess.run(command, cwd=self.project.root, check=True)


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    environ = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    base = tmp_path_factory.getbasetemp()
    environ |= {
        "XDG_CACHE_HOME": str(base / "ship-cache"),
        "XDG_STATE_HOME": str(base / "ship-state"),
        "DOCKER_CONFIG": str(base / "no-docker-config"),
    }
    return World(environ=environ, folder=base)


@pytest.fixture(scope="session")
def repository(registry: str, python_image: str, docker_engine: Any) -> Iterator[str]:
    """One for the whole session: the dependencies image in it is built once."""
    assert python_image
    name = f"{registry}/ship-{uuid.uuid4().hex[:8]}/churn"
    yield name
    for image in docker_engine.images.list(name):
        docker_engine.images.remove(image.id, force=True)


def make_project(folder: Path, world: World, image: str, deploy: str) -> Project:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mlops-ci.yaml").write_text(
        f"models:\n  churn:\n    predictions: out/predictions.csv\n    model: out/model\n"
        f"    image: {image}\n    deploy: {deploy}\n"
    )
    (folder / ".gitignore").write_text("out/\n")
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main"], cwd=folder, check=True)
    subprocess.run(["git", "add", "."], cwd=folder, check=True)
    subprocess.run([*command, "commit", "--quiet", "--message", "start"], cwd=folder, check=True)
    return open_project(folder, world)


@pytest.fixture
def shop(
    tmp_path: Path,
    world: World,
    repository: str,
    trained: Callable[[int], Path],
    haproxy_image: str,
    docker_engine: Any,
) -> Iterator[Shop]:
    assert haproxy_image
    port = free_port()
    name = f"test-{uuid.uuid4().hex[:8]}"
    deploy = f"{{target: docker, port: {port}, bind: 127.0.0.1, name: {name}, health-timeout: 300}}"
    yield Shop(make_project(tmp_path / "project", world, repository, deploy), trained, port)
    for container in docker_engine.containers.list(
        all=True, ignore_removed=True, filters={"label": f"{SERVICE}={name}"}
    ):
        container.remove(force=True, v=True)
    for network in docker_engine.networks.list(names=[f"^mlops-ci-{name}$"]):
        network.remove()
