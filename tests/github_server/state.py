"""Everything the server knows. Commits, branches and files are not here: Git has them."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.github_server.git import BareRepository, GitError
from tests.github_server.messages import Json, not_found

ROLES = ("none", "read", "triage", "write", "maintain", "admin")


def timestamp(moment: datetime | None = None) -> str:
    return (moment or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class User:
    login: str
    id: int
    type: str = "User"
    name: str | None = None


@dataclass
class App:
    """`public_key` (PEM) checks its JWTs; an installation has id, account, repositories, permissions."""

    slug: str
    id: int
    owner: str
    public_key: str | None = None
    installations: list[Json] = field(default_factory=list)


@dataclass
class Token:
    """`permissions` maps names of the REST API (`pull_requests`) to read or write.

    `repositories` are those that a workflow's or an installation's token is for; `rate` is the
    primary limit per hour.
    """

    value: str
    kind: str
    login: str
    app: str | None = None
    permissions: dict[str, str] | None = None
    repositories: list[str] = field(default_factory=list)
    rate: int = 5000
    used: int = 0
    written: list[float] = field(default_factory=list)
    expires: float | None = None


@dataclass
class Repository:
    """Records of one repository, each a JSON object by its id or number.

    A pull request is an issue with a `pull` part, as on GitHub.
    """

    owner: str
    name: str
    id: int
    git: BareRepository
    private: bool = False
    default_branch: str = "main"
    fork_of: str | None = None
    collaborators: dict[str, str] = field(default_factory=dict)
    created_at: str = field(default_factory=timestamp)
    issues: dict[int, Json] = field(default_factory=dict)
    comments: dict[int, Json] = field(default_factory=dict)
    reactions: dict[int, Json] = field(default_factory=dict)
    labels: dict[str, Json] = field(default_factory=dict)
    checks: dict[int, Json] = field(default_factory=dict)
    statuses: dict[int, Json] = field(default_factory=dict)
    deployments: dict[int, Json] = field(default_factory=dict)
    deployment_statuses: dict[int, Json] = field(default_factory=dict)
    releases: dict[int, Json] = field(default_factory=dict)
    runs: dict[int, Json] = field(default_factory=dict)
    artifacts: dict[int, Json] = field(default_factory=dict)
    dispatches: list[Json] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"

    def role(self, login: str | None) -> str:
        if login == self.owner:
            return "admin"
        stranger = "none" if self.private else "read"
        return self.collaborators.get(login or "", stranger)

    def next_number(self) -> int:
        return max(self.issues, default=0) + 1

    def issue(self, number: int) -> Json:
        if number not in self.issues:
            raise not_found()
        return self.issues[number]

    def pull(self, number: int) -> Json:
        found = self.issue(number)
        if "pull" not in found:
            raise not_found()
        return found

    def commit(self, name: str) -> str:
        """The sha of a branch, tag or (abbreviated) sha; 404 where it is unknown."""
        if name.startswith("-") or (sha := self.git.resolve(name)) is None:
            raise not_found()
        return sha


class State:
    """All of it; `lock` is held while one request is answered."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lock = threading.RLock()
        self.ids: Iterator[int] = itertools.count(1_000_001)
        self.users: dict[str, User] = {}
        self.apps: dict[str, App] = {}
        self.tokens: dict[str, Token] = {}
        self.repositories: dict[str, Repository] = {}
        self.requests: list[Json] = []
        self.violations: list[str] = []
        self.uploads: dict[str, bytes] = {}
        self.content_limits: tuple[tuple[int, int], ...] = ((80, 60), (500, 3600))

    def new_id(self) -> int:
        return next(self.ids)

    def user(self, login: str) -> User:
        """Known, or made on the spot: a login is enough to be somebody."""
        if login not in self.users:
            kind = "Bot" if login.endswith("[bot]") else "User"
            self.users[login] = User(login, self.new_id(), kind)
        return self.users[login]

    def repository(self, full_name: str) -> Repository:
        found = self.repositories.get(full_name.lower())
        if found is None:
            raise not_found()
        return found

    def dump(self) -> Json:
        """All records as JSON, without the tokens' values."""
        with self.lock:
            return {
                "users": [asdict(user) for user in self.users.values()],
                "repositories": {
                    repository.full_name: dump_repository(repository)
                    for repository in self.repositories.values()
                },
                "violations": list(self.violations),
            }


def dump_repository(repository: Repository) -> Json:
    plain: dict[str, Any] = {
        name: value for name, value in vars(repository).items() if name != "git"
    }
    for name, value in plain.items():
        if isinstance(value, dict) and all(isinstance(item, dict) for item in value.values()):
            plain[name] = list(value.values())
    plain["artifacts"] = [
        {key: value for key, value in item.items() if key != "zip"}
        for item in repository.artifacts.values()
    ]
    try:
        plain["refs"] = repository.git.refs()
    except (GitError, OSError):
        plain["refs"] = {}
    return plain
