"""The real Git repository that the story plays in: a bare origin and a clone of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from demo.story import PullRequest
from demo.terminal import show_command
from mlops_ci.records import read_record

PROJECT = Path(__file__).parent / "project"
MODEL = "digits"
MARK = ".mlops-ci-demo"
# A developer's own settings (hooks, signing, a tracking server, a CI job's event) are not part of
# the story.
FOREIGN = ("GIT_", "GITHUB_", "INPUT_", "MLFLOW_", "MLOPS_CI_", "RUNNER_", "DVC_")
MACHINE = ("MLOPS_CI_MACHINE_STATE", "MLOPS_CI_MACHINE_CACHE")
ADA = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "Ada"), ("EMAIL", "ada@example.org"))
}
R = TypeVar("R")


def clean_environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in MACHINE or not name.startswith(FOREIGN)
    }
    return {**kept, **ADA, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


@dataclass(frozen=True)
class Repository:
    """`work` is the clone that a person works in; `reports` takes what they read; `lock` is handed
    to every command, so that a demo that was killed is over when its last command is."""

    work: Path
    reports: Path
    lock: int

    @classmethod
    def create(cls, folder: Path, settings: dict[str, Any], lock: int) -> Repository:
        """`settings` go into the model's mlops-ci.yaml. Only ever replaces what a demo made."""
        _clear(folder)
        repository = cls(folder / "digits", folder / "reports", lock)
        repository.reports.mkdir()
        repository._git("init", "-q", "--bare", "-b", "main", "origin.git", at=folder)
        shutil.copytree(PROJECT, repository.work)
        (repository.work / "gitignore").rename(repository.work / ".gitignore")
        _configure(repository.work / "mlops-ci.yaml", settings)
        repository._git("init", "-q", "-b", "main")
        repository._git("remote", "add", "origin", str(folder / "origin.git"))
        repository._commit("a logistic regression")
        repository._git("remote", "set-head", "origin", "main")
        return repository

    def run(self, branch: str, *options: str) -> int:
        report = self.reports / branch
        written = ["--html", f"{report}.html", "--markdown", f"{report}.md"]
        return self.mlops_ci("run", *options, *written)

    def open(self, pull_request: PullRequest) -> int:
        """Branch off main, change the parameters, run what its workflow would; the exit code."""
        self._git("checkout", "-q", "-b", pull_request.branch, "main")
        file = self.work / "params.yaml"
        parameters = {**yaml.safe_load(file.read_text()), **pull_request.parameters}
        file.write_text(yaml.safe_dump(parameters, sort_keys=False))
        self._commit(pull_request.title)
        return self.run(pull_request.branch)

    def merge(self, branch: str) -> None:
        self._git("checkout", "-q", "main")
        self._git("merge", "-q", "--no-ff", "-m", f"Merge {branch}", branch)
        self._git("push", "-q", "origin", "main")

    def mlops_ci(self, *arguments: str) -> int:
        show_command(["mlops-ci", *arguments])
        program = Path(sys.executable).with_name("mlops-ci")
        return subprocess.run(
            [program, *arguments],
            cwd=self.work,
            env=clean_environment(),
            check=False,
            pass_fds=[self.lock],
        ).returncode

    def record(self, step: str, kind: type[R]) -> R:
        """Of the commit that the last command was about."""
        folder = self.work / ".mlops-ci" / MODEL
        commit = (folder / "head").read_text().strip()
        return read_record(folder / commit / f"{step}.json", kind)  # type: ignore[type-var]

    def _commit(self, message: str) -> None:
        self._git("add", "-A")
        self._git("commit", "-q", "-m", message)
        self._git("push", "-q", "-u", "origin", "HEAD")

    def _git(self, *arguments: str, at: Path | None = None) -> None:
        environment = clean_environment()
        subprocess.run(["git", *arguments], cwd=at or self.work, env=environment, check=True)


def _clear(folder: Path) -> None:
    """Raises SystemExit when the folder holds anything that is not a demo's."""
    mark = folder / MARK
    folder.mkdir(parents=True, exist_ok=True)
    if not mark.exists() and any(folder.iterdir()):
        sys.exit(f"{folder} exists and is not a demo's: choose another with --out")
    mark.touch()
    for entry in folder.iterdir():
        if entry != mark:
            shutil.rmtree(entry)


def _configure(path: Path, settings: dict[str, Any]) -> None:
    config = yaml.safe_load(path.read_text())
    model = config["models"][MODEL]
    for name in ("image", "deploy"):
        del model[name]
    model.update(settings)
    path.write_text(yaml.safe_dump(config, sort_keys=False))
