"""The real Git repository that the story plays in: a bare origin and a clone of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

from demo.story import PullRequest
from demo.terminal import show_command

PROJECT = Path(__file__).parent / "project"
MODEL = "digits"
IDENTITY = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org"}
COMMITTER = {"GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org"}
MARK = ".mlops-ci-demo"


@dataclass(frozen=True)
class Repository:
    """`work` is the clone that a person works in; `reports` takes what they read."""

    work: Path
    reports: Path

    @classmethod
    def create(cls, folder: Path) -> Repository:
        """Only ever replaces a folder that an earlier demo made."""
        if folder.exists() and not (folder / MARK).exists():
            sys.exit(f"{folder} exists and is not a demo's: choose another with --out")
        shutil.rmtree(folder, ignore_errors=True)
        repository = cls(folder / "digits", folder / "reports")
        repository.reports.mkdir(parents=True)
        (folder / MARK).touch()
        repository._git("init", "-q", "--bare", "-b", "main", str(folder / "origin.git"), at=folder)
        repository._git("clone", "-q", str(folder / "origin.git"), "digits", at=folder)
        shutil.copytree(PROJECT, repository.work, dirs_exist_ok=True)
        (repository.work / "gitignore").rename(repository.work / ".gitignore")
        repository._git("checkout", "-q", "-b", "main")
        repository._commit("a logistic regression")
        repository._git("remote", "set-head", "origin", "main")
        return repository

    def run_first(self) -> None:
        if self.mlops_ci("run", *self._report_options("main")):
            sys.exit("the first run on main must be fine: there is nothing to compare with")

    def open(self, pull_request: PullRequest) -> int:
        """Branch off the first commit of main, change the parameters, run; the exit code."""
        self._git("checkout", "-q", "-b", pull_request.branch, "main")
        file = self.work / "params.yaml"
        parameters = {**yaml.safe_load(file.read_text()), **pull_request.parameters}
        file.write_text(yaml.safe_dump(parameters, sort_keys=False))
        self._commit(pull_request.title)
        return self.mlops_ci("run", *self._report_options(pull_request.branch))

    def merge(self, branch: str) -> None:
        self._git("checkout", "-q", "main")
        self._git("merge", "-q", "--no-ff", "-m", f"Merge {branch}", branch)

    def publish(self) -> None:
        self._git("push", "-q", "origin", "main")

    def mlops_ci(self, *arguments: str) -> int:
        argv = ["mlops-ci", *arguments]
        show_command(argv)
        program = Path(sys.executable).with_name("mlops-ci")
        return subprocess.run([program, *arguments], cwd=self.work, check=False).returncode

    def record_of(self, step: str) -> Path:
        folder = self.work / ".mlops-ci" / MODEL
        commit = (folder / "head").read_text().strip()
        return folder / commit / f"{step}.json"

    def report_of(self, branch: str) -> Path:
        return self.reports / branch

    def _report_options(self, branch: str) -> list[str]:
        report = self.report_of(branch)
        return ["--html", f"{report}.html", "--markdown", f"{report}.md"]

    def _commit(self, message: str) -> None:
        self._git("add", "-A")
        self._git("commit", "-q", "-m", message)
        self._git("push", "-q", "-u", "origin", "HEAD")

    def _git(self, *arguments: str, at: Path | None = None) -> None:
        environment = {**os.environ, **IDENTITY, **COMMITTER}
        argv = ["git", "-c", "advice.detachedHead=false", *arguments]
        subprocess.run(argv, cwd=at or self.work, env=environment, check=True)
