"""Real repositories for tests: an origin and a clone of it."""

from __future__ import annotations

import os
import subprocess
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlops_ci.project import Project, open_project
from mlops_ci.world import World

CLEAN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("GIT_", "GITHUB_", "MLFLOW_", "MLOPS_CI_"))
}
IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
}  # fmt: skip


def git(folder: Path, *arguments: str, check: bool = True) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**CLEAN, **IDENTITY},
        capture_output=True,
        check=False,
        text=True,
    )
    assert not check or done.returncode == 0, f"git {arguments}: {done.stderr}"
    return done.stdout.strip()


def _plain(text: str) -> bytes:
    return textwrap.dedent(text).lstrip("\n").encode()


@dataclass
class Repository:
    """A clone with its bare origin. `environ` is what the command line would see."""

    folder: Path
    origin: Path
    environ: dict[str, str] = field(default_factory=lambda: {**CLEAN, **IDENTITY})

    def git(self, *arguments: str) -> str:
        return git(self.folder, *arguments)

    def write(self, files: Mapping[str, str | bytes]) -> None:
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            text = content if isinstance(content, str) else None
            path.write_bytes(content if isinstance(content, bytes) else _plain(text or ""))

    def commit(self, files: Mapping[str, str | bytes], message: str = "change") -> str:
        self.write(files)
        self.git("add", "-A")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def push(self, branch: str = "main") -> None:
        self.git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")

    def branch(self, name: str, start: str = "main") -> None:
        self.git("checkout", "--quiet", "-b", name, start)

    def project(self, inside: str = ".") -> Project:
        folder = self.folder / inside
        return open_project(folder, World(environ=self.environ, folder=folder, say=lambda _: None))


def make_repository(parent: Path) -> Repository:
    origin, folder = parent / "origin.git", parent / "clone"
    origin.mkdir(parents=True)
    git(origin, "init", "--quiet", "--bare", "-b", "main")
    git(origin, "config", "uploadpack.allowFilter", "true")
    git(parent, "clone", "--quiet", str(origin), str(folder))
    git(folder, "checkout", "--quiet", "-B", "main")
    return Repository(folder, origin)
