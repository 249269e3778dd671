"""A bare repository on disk, asked and changed by Git itself."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C.UTF-8",
    # Whoever started us may be inside a repository of its own (a hook, a worktree).
    "GIT_CEILING_DIRECTORIES": "/",
}
SHA = 40


class GitError(Exception):
    pass


@dataclass(frozen=True)
class Change:
    """One line of a diff; `status` is in the REST API's words."""

    filename: str
    previous: str | None
    status: str
    sha: str
    additions: int
    deletions: int


def run_git(
    arguments: Sequence[str], cwd: Path, stdin: bytes = b"", env: Mapping[str, str] | None = None
) -> bytes:
    """What Git printed; GitError with its own words when it refused."""
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", *arguments],
        cwd=cwd,
        input=stdin,
        env={**ENVIRONMENT, **(env or {})},
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise GitError(f"git {' '.join(arguments)}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def create_bare(path: Path, default_branch: str = "main") -> BareRepository:
    path.mkdir(parents=True, exist_ok=True)
    run_git(
        ["init", "--quiet", "--template=", "--bare", f"--initial-branch={default_branch}"], path
    )
    repository = BareRepository(path)
    for name, value in {
        "http.receivepack": "true",
        "receive.hideRefs": "refs/pull",
        "uploadpack.allowAnySHA1InWant": "true",
        "uploadpack.allowFilter": "true",
        "gc.auto": "0",
    }.items():
        repository.git("config", name, value)
    return repository


@dataclass(frozen=True)
class BareRepository:
    path: Path

    def git(self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        return self.read(*arguments, stdin=stdin, env=env).decode(errors="surrogateescape").strip()

    def read(
        self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None
    ) -> bytes:
        return run_git(arguments, self.path, stdin, env)

    def resolve(self, name: str, kind: str = "commit") -> str | None:
        """The sha of a branch, tag or commit; None where there is none."""
        for candidate in (f"refs/heads/{name}", f"refs/tags/{name}", name):
            try:
                return self.git("rev-parse", "--verify", "--quiet", f"{candidate}^{{{kind}}}")
            except GitError:
                continue
        return None

    def ref(self, name: str) -> str | None:
        """The sha that a full ref name (`refs/…`) points at."""
        return self.refs(name).get(name)

    def refs(self, prefix: str = "refs/") -> dict[str, str]:
        listed = self.git("for-each-ref", "--format=%(refname) %(objectname)")
        pairs = (line.split(" ") for line in listed.splitlines())
        return {name: sha for name, sha in pairs if name.startswith(prefix)}

    def update(self, ref: str, new: str, old: str | None = None) -> None:
        """Compare and swap where `old` is given; forty zeros mean "must not exist"."""
        self.git("update-ref", ref, new, *([old] if old is not None else []))

    def delete(self, ref: str) -> None:
        self.git("update-ref", "-d", ref)

    def kind(self, sha: str) -> str | None:
        try:
            return self.git("cat-file", "-t", sha)
        except GitError:
            return None

    def merge_base(self, base: str, head: str) -> str | None:
        try:
            return self.git("merge-base", base, head)
        except GitError:
            return None

    def is_ancestor(self, older: str, newer: str) -> bool:
        return self.merge_base(older, newer) == older

    def between(self, base: str, head: str) -> list[str]:
        """Commits of `head` that `base` lacks, oldest first."""
        return self.git("rev-list", "--reverse", f"{base}..{head}").splitlines()

    def changes(self, base: str, head: str) -> list[Change]:
        raw = self.read("diff", "--raw", "--numstat", "-z", "-M", "--abbrev=40", base, head)
        return parse_changes(raw.decode(errors="surrogateescape"))

    def patch(self, base: str, head: str, filename: str) -> str:
        text = self.git("diff", "-M", base, head, "--", filename)
        return "@@" + text.partition("\n@@")[2] if "\n@@" in text else ""

    def merge(self, base: str, head: str, message: str) -> str | None:
        """A merge commit (no ref moves); None where the two conflict."""
        try:
            tree = self.git("merge-tree", "--write-tree", base, head).splitlines()[0]
        except GitError:
            return None
        return self.git(
            "commit-tree", tree, "-p", base, "-p", head, "-m", message, env=identity("GitHub")
        )


STATUSES = {"A": "added", "M": "modified", "D": "removed", "R": "renamed", "T": "changed"}


def parse_changes(raw: str) -> list[Change]:
    """Of `git diff --raw --numstat -z`: first every raw line, then every count."""
    fields = iter(raw.split("\0"))
    found: list[tuple[str, str | None, str, str]] = []
    counts: dict[str, tuple[int, int]] = {}
    for item in fields:
        if item.startswith(":"):
            *_, sha, code = item.split(" ")
            first = next(fields)
            renamed = code.startswith(("R", "C"))
            name = next(fields) if renamed else first
            found.append((name, first if renamed else None, STATUSES.get(code[0], "changed"), sha))
        elif item:
            added, removed, name = item.split("\t")
            if not name:
                next(fields)
                name = next(fields)
            counts[name] = (number(added), number(removed))
    return [
        Change(name, previous, status, sha, *counts.get(name, (0, 0)))
        for name, previous, status, sha in found
    ]


def number(text: str) -> int:
    """Binary files count as "-"."""
    return int(text) if text.isdigit() else 0


def identity(
    name: str, email: str | None = None, date: str = "2026-11-21T08:00:00Z"
) -> dict[str, str]:
    """Author and committer for a commit; the date makes shas the same in every run."""
    address = email or f"{name.lower().replace(' ', '-')}@users.noreply.github.com"
    return {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", name), ("EMAIL", address), ("DATE", date))
    }
