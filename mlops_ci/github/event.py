"""The event that started the job: its JSON file and the runner's environment, typed.

The commit to judge is the pull request's own head, `pull_request.head.sha`: GITHUB_SHA is a merge
commit that nobody wrote, and checks on it are seen by nobody.
https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from mlops_ci.errors import DOCS, UsageError

Kind = Literal["pull_request", "merge_group", "push", "workflow_dispatch", "schedule"]
KINDS: tuple[Kind, ...] = (
    "pull_request",
    "merge_group",
    "push",
    "workflow_dispatch",
    "schedule",
)
ZEROS = "0" * 40
BRANCHES = "refs/heads/"
MAX_BYTES = 32 * 1024 * 1024
REFUSED = {
    "pull_request_target": "it would run the pull request's code with the repository's own keys",
    "workflow_run": "this version has no second stage for forks yet",
    "issue_comment": "this version takes no commands from comments yet",
}

Sha = Annotated[str, Meta(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")]
FullName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$")]


class Repository(Struct, frozen=True):
    full_name: FullName
    default_branch: str = "main"


class Source(Struct, frozen=True):
    """The repository that a pull request comes from."""

    full_name: FullName


class Tip(Struct, frozen=True):
    """`repo` is None when the fork was deleted."""

    sha: Sha
    ref: str
    repo: Source | None = None


class PullRequest(Struct, frozen=True):
    head: Tip
    base: Tip


class MergeGroup(Struct, frozen=True):
    head_sha: Sha
    base_sha: Sha
    base_ref: str


class Common(Struct, frozen=True):
    repository: Repository
    action: str = ""


class OnPullRequest(Common, frozen=True, kw_only=True):
    number: Annotated[int, Meta(ge=1)]
    pull_request: PullRequest
    before: Sha | None = None


class OnMergeGroup(Common, frozen=True, kw_only=True):
    merge_group: MergeGroup


class OnPush(Common, frozen=True, kw_only=True):
    ref: str
    before: Sha
    after: Sha
    deleted: bool = False


@dataclass(frozen=True)
class Event:
    """`head`, `base` are commits: the queue's `base_sha`, the push's `before` (zeros for a new
    branch), the tip of the pull request's base branch. `before`: the pull request's head before
    this push to it. `fork`: the head lies in another repository, so the token is read-only.
    `asks`: False for an event with nothing to judge (a closed pull request, a deleted branch).
    `action` is GitHub's word: `opened`, `synchronize`, ...; empty for events without one.
    """

    kind: Kind
    repository: str
    head: str
    default_branch: str = "main"
    base_branch: str | None = None
    base: str | None = None
    before: str | None = None
    number: int | None = None
    fork: bool = False
    asks: bool = True
    action: str = ""

    @property
    def ships(self) -> bool:
        """A push to the default branch: the only event that writes the store, and deploys."""
        return self.kind == "push" and self.base_branch == self.default_branch

    @property
    def fresh(self) -> bool:
        """A push to a pull request, or its beginning: no run has looked at its head before."""
        return self.kind == "pull_request" and self.action in {"opened", "synchronize"}


def read_event(environ: Mapping[str, str]) -> Event:
    """Raises UsageError outside a runner, for a broken file and for an event of no use here."""
    name, path = environ.get("GITHUB_EVENT_NAME", ""), environ.get("GITHUB_EVENT_PATH", "")
    if not name or not path:
        raise UsageError(
            "there is no event here: GITHUB_EVENT_NAME and GITHUB_EVENT_PATH are not set",
            where="the environment",
            fix="inside a workflow the runner sets them; on a laptop use `mlops-ci run`",
        )
    kind = next((known for known in KINDS if known == name), None)
    if kind is None:
        raise _of_no_use(name)
    return parse_event(kind, _read(Path(path)), environ, where=path)


def parse_event(
    kind: Kind, content: bytes, environ: Mapping[str, str], *, where: str = "the event"
) -> Event:
    try:
        if kind == "pull_request":
            return _of_pull_request(msgspec.json.decode(content, type=OnPullRequest))
        if kind == "merge_group":
            return _of_merge_group(msgspec.json.decode(content, type=OnMergeGroup))
        if kind == "push":
            return _of_push(msgspec.json.decode(content, type=OnPush))
        common = msgspec.json.decode(content, type=Common)
        head = msgspec.convert(environ.get("GITHUB_SHA", ""), Sha)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError) as error:
        raise UsageError(
            f"the event file is not a {kind} event: {error}",
            where=where,
            fix="the runner writes it; nothing in the job may overwrite GITHUB_EVENT_PATH",
        ) from error
    repository = common.repository
    return Event(kind, repository.full_name, head, repository.default_branch)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError("the event file is too large to be the runner's", where=str(path))
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"the event file cannot be read: {error.strerror}",
            where=str(path),
            fix="in a container job, mount the runner's folder of event files",
        ) from error


def _of_no_use(name: str) -> UsageError:
    why = REFUSED.get(name, "nothing is known to be asked by it")
    return UsageError(
        f"the event {name!r} is not served: {why}",
        where="on: " + name,
        fix="use these events:\n    on:\n      pull_request:\n      merge_group:",
        link=f"{DOCS}/security.md",
    )


def _of_pull_request(found: OnPullRequest) -> Event:
    pull, repository = found.pull_request, found.repository
    source = pull.head.repo.full_name if pull.head.repo is not None else None
    return Event(
        "pull_request",
        repository.full_name,
        pull.head.sha,
        repository.default_branch,
        base_branch=pull.base.ref,
        base=pull.base.sha,
        before=found.before,
        number=found.number,
        fork=source is None or source.lower() != repository.full_name.lower(),
        asks=found.action != "closed",
        action=found.action,
    )


def _of_merge_group(found: OnMergeGroup) -> Event:
    group, repository = found.merge_group, found.repository
    return Event(
        "merge_group",
        repository.full_name,
        group.head_sha,
        repository.default_branch,
        base_branch=group.base_ref.removeprefix(BRANCHES),
        base=group.base_sha,
        asks=found.action != "destroyed",
        action=found.action,
    )


def _of_push(found: OnPush) -> Event:
    repository = found.repository
    branch = found.ref.removeprefix(BRANCHES) if found.ref.startswith(BRANCHES) else None
    return Event(
        "push",
        repository.full_name,
        found.after,
        repository.default_branch,
        base_branch=branch,
        base=found.before,
        asks=not found.deleted and found.after != ZEROS,
    )
