"""A new model, the same requirements: from the evaluated folder to the registry.

Ours is `mlops-ci build` and `mlops-ci push`; the peer `docker build` and `docker push` of a
Dockerfile whose lower layers are the very same and cached, so that it has one COPY to do.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.figure import Figure, print_table
from benchmarks.process import MLFLOW, our_program, peer_environment

ROUNDS = 5
GOAL_RATIO = 1.0
SCRIPTS = Path(__file__).parents[1] / "scripts"
SAVE = Path(__file__).parent / "peers" / "save_models.py"
CONFIG = """\
tracking-uri: none
models:
  digits:
    predictions: out/predictions.csv
    task: multiclass
    model: out/model
    image: {image}
"""


class Round(NamedTuple):
    """Seconds."""

    build: float
    push: float
    peer_build: float
    peer_push: float


def run() -> Figure:
    python = peer_environment("mlflow", *MLFLOW) / "python"
    docker, registry = _docker()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        arguments = ["forest", str(folder / "models"), str(ROUNDS + 1)]
        subprocess.run([python, SAVE, *arguments], check=True, capture_output=True)
        image = f"{registry}/benchmark-{uuid.uuid4().hex[:8]}/digits"
        shop = Shop(folder, image, docker)
        shop.open()
        rounds = [shop.play(number) for number in range(ROUNDS + 1)][1:]
    shop.remove_images()
    build, push, peer_build, peer_push = (statistics.median(t) for t in zip(*rounds, strict=True))
    ours = statistics.median(r.build + r.push for r in rounds)
    peer = statistics.median(r.peer_build + r.peer_push for r in rounds)
    print_table(
        [
            ("a new model, requirements unchanged", "build, s", "push, s", "both, s"),
            ("mlops-ci build, push", f"{build:.2f}", f"{push:.2f}", f"{ours:.2f}"),
            ("docker build, push", f"{peer_build:.2f}", f"{peer_push:.2f}", f"{peer:.2f}"),
        ]
    )
    return Figure(
        name="push",
        ours=ours,
        peer=peer,
        peer_name="docker build, docker push",
        unit="s",
        goal="≤ the peer",
        holds=ours <= GOAL_RATIO * peer,
    )


def _docker() -> tuple[str, str]:
    """The docker command, and host:port of a registry on loopback. Raises CalledProcessError."""
    lines = subprocess.run(
        ["bash", SCRIPTS / "docker_engine.sh"], check=True, capture_output=True, text=True
    ).stdout.split()
    settings = dict(word.split("=", 1) for word in lines if "=" in word)
    os.environ.update({"DOCKER_BUILDKIT": settings["DOCKER_BUILDKIT"]})
    for script in ("base_image.sh", "registry.sh"):
        done = subprocess.run(
            ["bash", SCRIPTS / script], check=True, capture_output=True, text=True
        )
    return settings["DOCKER"], done.stdout.strip()


@dataclass(frozen=True)
class Shop:
    """One repository and one model image, made anew each round by both."""

    folder: Path
    image: str
    docker: str

    @property
    def work(self) -> Path:
        return self.folder / "work"

    def open(self) -> None:
        self.work.mkdir()
        (self.work / "mlops-ci.yaml").write_text(CONFIG.format(image=self.image))
        (self.work / ".gitignore").write_text("/out/\n/.mlops-ci/\n")
        self._git("init", "-q", "-b", "main")
        self._git("add", "-A")

    def play(self, number: int) -> Round:
        """Round 0 makes the dependencies image, which the peer's Dockerfile starts from."""
        out = self.work / "out"
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(self.folder / "models" / f"model-{number}", out / "model")
        shutil.copy(self.folder / "models" / f"predictions-{number}.csv", out / "predictions.csv")
        self._git("commit", "-q", "--allow-empty", "-m", f"model {number}")
        for step in ("train", "evaluate"):
            self._time([our_program(), step], self.work)
        build, push = (self._time([our_program(), step], self.work) for step in ("build", "push"))
        context = self.folder / "context"
        shutil.rmtree(context, ignore_errors=True)
        shutil.copytree(out / "model", context / "model")
        (context / "Dockerfile").write_text(
            f"FROM {self._dependencies()}\nCOPY model /opt/ml/model\n"
        )
        tag = f"{self.image}:peer-{number}"
        peer_build = self._time([self.docker, "build", "-q", "-t", tag, "."], context)
        peer_push = self._time([self.docker, "push", "-q", tag], context)
        return Round(build, push, peer_build, peer_push)

    def remove_images(self) -> None:
        for number in range(ROUNDS + 1):
            command = [self.docker, "rmi", f"{self.image}:peer-{number}"]
            subprocess.run(command, check=False, capture_output=True)

    def _dependencies(self) -> str:
        from mlops_ci.images.engine import architecture
        from mlops_ci.images.recipe import read_recipe
        from mlops_ci.world import World

        recipe = read_recipe(self.work / "out" / "model", architecture(World()))
        return f"mlops-ci/dependencies:{recipe.key}"

    def _time(self, argv: Sequence[str], folder: Path) -> float:
        """Raises CalledProcessError, with what it said, when it fails."""
        started = time.monotonic()
        done = subprocess.run(argv, cwd=folder, check=False, capture_output=True, text=True)
        if done.returncode:
            print(done.stdout, done.stderr)
            raise subprocess.CalledProcessError(done.returncode, argv)
        return time.monotonic() - started

    def _git(self, *arguments: str) -> None:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        subprocess.run(["git", *who, *arguments], cwd=self.work, check=True)
