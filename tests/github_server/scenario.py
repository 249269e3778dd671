"""Real repositories for tests: commits made by Git, a pull request, and a server's seed."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.github_server.events import Events
from tests.github_server.git import create_bare, identity, run_git
from tests.github_server.messages import Json
from tests.github_server.server import GitHub

Files = Mapping[str, str | bytes | None]
README: Files = {"README.md": "# churn\n"}
CHANGE: Files = {"train.py": "print('trained')\n"}
DEFAULT_PERMISSIONS = {
    "contents": "write",
    "pull_requests": "write",
    "issues": "write",
    "checks": "write",
    "statuses": "write",
    "deployments": "write",
    "actions": "write",
}
READ_ONLY = dict.fromkeys(DEFAULT_PERMISSIONS, "read")


@dataclass
class Checkout:
    """A clone to commit in; every commit is one minute after the one before."""

    path: Path
    author: str = "Dev Eloper"
    commits: int = 0

    def commit(self, files: Files, message: str = "change") -> str:
        """Write the files (None: delete), commit, and return the sha."""
        for name, content in files.items():
            target = self.path / name
            if content is None:
                target.unlink()
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all")
        date = f"2026-11-21T08:{self.commits:02d}:00Z"
        self.commits += 1
        run_git(
            ["commit", "--quiet", "--allow-empty", "-m", message],
            self.path,
            env=identity(self.author, date=date),
        )
        return self.git("rev-parse", "HEAD")

    def git(self, *arguments: str) -> str:
        return run_git(arguments, self.path).decode().strip()

    def switch(self, branch: str, start: str | None = None) -> None:
        self.git("checkout", "--quiet", *(["-B", branch, start] if start else [branch]))

    def push(self, *refs: str) -> None:
        self.git("push", "--quiet", "--force", "origin", *(refs or ("HEAD",)))


@dataclass
class Scenario:
    """One repository with `main`, and one pull request from a branch or from a fork.

    Ask for a second pull request, comments or tokens by changing `seed` before `start`.
    """

    root: Path
    full_name: str = "acme/churn"
    number: int = 7
    seed: Json = field(default_factory=dict)
    base: str = ""
    head: str = ""
    fork: str | None = None
    branch: str = "feature"

    @property
    def bare(self) -> Path:
        return self.root / "repositories" / f"{self.full_name}.git"

    @property
    def source(self) -> Path:
        """The bare repository that holds the pull request's branch."""
        return self.root / "repositories" / f"{self.fork or self.full_name}.git"

    @property
    def checkout(self) -> Checkout:
        return Checkout(self.root / "checkout")

    def start(self, port: int = 0) -> GitHub:
        return GitHub(self.root / "repositories", self.seed, port).start()

    def events(self, github: GitHub) -> Events:
        return Events(github.state, github.url, github.url, self.full_name)


@dataclass(frozen=True)
class Story:
    """What `build` is to make: files of `main`'s commits, then files of the branch's."""

    main: tuple[Files, ...] = (README,)
    change: tuple[Files, ...] = (CHANGE,)
    full_name: str = "acme/churn"
    number: int = 7
    private: bool = False
    fork: str | None = None
    branch: str = "feature"
    author: str = "dev"


def build(root: Path, story: Story | None = None) -> Scenario:
    """Bare repositories under `root/repositories`, a checkout on the branch, and the seed."""
    told = story or Story()
    scenario = Scenario(root, told.full_name, told.number, fork=told.fork, branch=told.branch)
    create_bare(scenario.bare)
    checkout = clone(scenario.bare, scenario.checkout.path)
    for index, files in enumerate(told.main):
        scenario.base = checkout.commit(files, f"main {index + 1}")
    checkout.push("main")
    if told.fork:
        shutil.copytree(scenario.bare, scenario.source)
        checkout.git("remote", "set-url", "origin", str(scenario.source))
    checkout.switch(told.branch, "main")
    for index, files in enumerate(told.change):
        scenario.head = checkout.commit(files, f"change {index + 1}")
    checkout.push(told.branch)
    checkout.git("remote", "set-url", "origin", str(scenario.bare))
    scenario.seed = seed_of(scenario, told)
    return scenario


def clone(bare: Path, path: Path) -> Checkout:
    path.mkdir(parents=True)
    checkout = Checkout(path)
    checkout.git("init", "--quiet", "--template=", "--initial-branch=main")
    checkout.git("remote", "add", "origin", str(bare))
    return checkout


def seed_of(scenario: Scenario, told: Story) -> Json:
    """Tokens: `workflow-token`, `read-only-token` (a fork's), `app-token`, `pat-<login>`."""
    name = scenario.full_name
    owner = name.partition("/")[0]
    repository: Json = {
        "full_name": name,
        "private": told.private,
        "collaborators": {"maintainer": "maintain", "dev": "write", "reader": "read"},
        "pulls": [
            {
                "number": told.number,
                "title": "Better features",
                "body": "",
                "head": told.branch,
                "head_repository": told.fork or name,
                "author": told.author,
            }
        ],
    }
    forks = (
        [{"full_name": told.fork, "fork_of": name, "private": told.private}] if told.fork else []
    )
    return {
        "users": [
            {"login": owner, "type": "Organization"},
            *({"login": login} for login in ("maintainer", "dev", "reader", "stranger")),
        ],
        "apps": [{"slug": "mlops-ci-bot", "id": 4242, "owner": owner}],
        "repositories": [*forks, repository],
        "tokens": tokens(name),
    }


def tokens(name: str) -> Json:
    installed = {"repository": name}
    people = ("maintainer", "dev", "reader", "stranger")
    return {
        "workflow-token": {"kind": "workflow", "permissions": DEFAULT_PERMISSIONS, **installed},
        "read-only-token": {"kind": "workflow", "permissions": READ_ONLY, **installed},
        "app-token": {
            "kind": "app",
            "app": "mlops-ci-bot",
            "permissions": DEFAULT_PERMISSIONS,
            **installed,
        },
        **{f"pat-{login}": {"kind": "pat", "user": login} for login in people},
    }
