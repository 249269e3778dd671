"""Which commit is base."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mlops_ci.errors import BaselineError, UsageError
from mlops_ci.git import Git
from mlops_ci.project import Project

Kind = Literal["laptop", "pull_request", "merge_group", "push", "workflow_dispatch"]
ZEROS = "0" * 40


@dataclass(frozen=True)
class Asked:
    """What the event (or the person) says about base.

    `head`: a commit, None for the work tree. `ref`: `--base`. `branch`: the pull request's own
    base branch. `commit`: the merge queue's `base_sha`, the push's `before`; for a pull request
    `pull_request.base.sha`, used when the branch itself was not fetched.
    """

    kind: Kind = "laptop"
    head: str | None = None
    ref: str | None = None
    branch: str | None = None
    commit: str | None = None


@dataclass(frozen=True)
class Base:
    """`name` is what a reader sees; `note` says what was unusual. `behind`: how many commits the
    branch is further; None where the clone does not have them all. `is_parent`: head is the tip of
    main itself."""

    commit: str
    name: str
    note: str | None = None
    behind: int | None = None
    is_parent: bool = False


def find_base(project: Project, asked: Asked) -> Base | None:
    """None on a repository's first commit or first push: there is nothing to compare with.

    Raises BaselineError when a base that should exist is not in this clone, UsageError for a
    `--base` that is none.
    """
    git = project.git
    head = asked.head or git.head()
    if asked.ref is not None:
        return _named(git, asked.ref)
    if asked.kind == "merge_group" or (asked.kind == "push" and asked.commit is not None):
        return _exact(git, asked)
    if asked.kind == "push":
        return _parent(git, head)
    if asked.kind == "pull_request":
        return _of_pull_request(git, head, asked)
    return _of_laptop(project, head)


def _named(git: Git, ref: str) -> Base:
    commit = git.commit_of(ref) or git.commit_of(f"origin/{ref}")
    if commit is None:
        if git.is_shallow():
            raise git.too_shallow(f"`--base {ref}`")
        raise UsageError(
            f"--base {ref}: there is no such commit, branch or tag here",
            where=str(git.root),
            fix=f"git fetch origin {ref}",
        )
    return Base(commit, ref)


def _exact(git: Git, asked: Asked) -> Base | None:
    if asked.commit is None or asked.commit == ZEROS:
        return None  # the first push of a branch has no `before`
    return Base(_present(git, asked.commit), asked.branch or "base")


def _present(git: Git, commit: str) -> str:
    found = git.commit_of(commit)
    if found is not None:
        return found
    if git.is_shallow():
        raise git.too_shallow(f"base {commit[:12]}")
    raise BaselineError(
        f"base {commit[:12]} is not in this clone; a force push may have removed it",
        where=str(git.root),
        fix=f"git fetch origin {commit}",
    )


def _parent(git: Git, head: str) -> Base | None:
    commit = git.commit_of(f"{head}^1")
    if commit is None and git.is_shallow():
        raise git.too_shallow(f"the commit before {head[:12]}")
    return Base(commit, "the commit before") if commit else None


def _of_pull_request(git: Git, head: str, asked: Asked) -> Base | None:
    branch = asked.branch or "main"
    tip = git.commit_of(f"refs/remotes/origin/{branch}") or git.commit_of(f"refs/heads/{branch}")
    if tip is None and asked.commit is not None:
        tip = git.commit_of(asked.commit)
    if tip is None:
        if git.is_shallow():
            raise git.too_shallow(f"the pull request's base branch {branch!r}")
        raise BaselineError(
            f"the pull request's base branch {branch!r} is not in this clone",
            where=str(git.root),
            fix=f"git fetch origin {branch}",
        )
    commit = git.merge_base(head, tip)
    if commit is None:
        return None
    return Base(commit, branch, behind=git.count(commit, tip))


def _of_laptop(project: Project, head: str) -> Base | None:
    git = project.git
    branch = git.default_branch()
    if branch is None:
        if git.is_shallow():
            raise git.too_shallow("the default branch")
        raise BaselineError(
            "the default branch is not known here: there is no origin/main, origin/master, main "
            "or master",
            where=str(git.root),
            fix="name what to compare with: `mlops-ci run --base REF`",
        )
    commit = git.merge_base(head, branch)
    if commit is None:
        return None
    name = branch.removeprefix("origin/")
    if commit != head or project.edited:
        return Base(commit, name, behind=git.count(commit, branch))
    before = _parent(git, head)
    note = f"this is the tip of {name} with nothing changed: compared with the commit before it"
    return Base(before.commit, f"{name}~1", note, is_parent=True) if before else None
