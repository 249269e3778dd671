"""Git, by its own program. Reads the user's repository; never moves their checkout."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from mlops_ci.errors import DOCS, BaselineError, UsageError
from mlops_ci.world import Command, Finished, World

# Code that the repository's own configuration could start, in a process that may hold our keys.
HARDENING = (
    ("core.fsmonitor", "false"),
    ("core.hooksPath", os.devnull),
    ("core.untrackedCache", "false"),
    ("protocol.ext.allow", "never"),
)
SECRET_PREFIXES = ("INPUT_", "ACTIONS_", "GITHUB_TOKEN", "GH_TOKEN", "GITHUB_PAT")
COMMAND_FILES = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE")
# Set while a hook runs; they would lead Git to another repository than the one asked about.
BINDING = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY")
FETCH_DEPTH = """fetch the whole history in the workflow:
    - uses: actions/checkout@v7
      with:
        fetch-depth: 0
        ref: ${{ github.event.pull_request.head.sha || github.sha }}
        persist-credentials: false"""


def git_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Ours for Git in a user's repository: no keys, no hooks, no monitor, no questions.

    The repository's `.git/config` may have been written by code that we do not trust.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith(SECRET_PREFIXES)
        and name not in COMMAND_FILES + BINDING
        and not name.startswith("GIT_CONFIG")
    }
    settings = {name: value for name, value in environ.items() if name.startswith("GIT_CONFIG")}
    for key, value in HARDENING:
        settings |= _setting(settings, key, value)
    # Optional locks: a look at the status would leave the owner an index that root wrote.
    quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C.UTF-8"}
    return kept | settings | quiet


def _setting(environ: Mapping[str, str], key: str, value: str) -> dict[str, str]:
    """One more setting, after those that the environment has."""
    number = int(environ.get("GIT_CONFIG_COUNT", "0") or 0)
    return {
        "GIT_CONFIG_COUNT": str(number + 1),
        f"GIT_CONFIG_KEY_{number}": key,
        f"GIT_CONFIG_VALUE_{number}": value,
    }


@dataclass(frozen=True)
class Access:
    """Where the repository is. `header` is a whole HTTP header with the key (`AUTHORIZATION: …`);
    None: Git's own credentials, as on a laptop. It travels in the environment, never in an
    address or an argument."""

    url: str
    header: str | None = field(default=None, repr=False)

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """For Git in a repository of ours alone: the user's could send the key elsewhere."""
        env = git_environment(environ)
        if self.header is not None:
            env |= _setting(env, f"http.{self.url}.extraheader", self.header)
            # A redirect must not carry the key to another host, nor a helper keep it.
            env |= _setting(env, "credential.helper", "")
        return env


@dataclass(frozen=True)
class Git:
    """One repository. `root` is the top of its work tree; `user` is (uid, gid) to run as. `access`
    is the job's way to its origin, for repositories of ours: no command here uses it."""

    root: Path
    world: World
    user: tuple[int, int] | None = None
    access: Access | None = None

    @classmethod
    def find(cls, folder: Path, world: World) -> Git:
        """Raises UsageError outside any repository."""
        done = cls(folder, world).run("rev-parse", "--show-toplevel")
        if done.code != 0:
            raise UsageError(
                f"this is not a Git repository: {done.error.strip()}",
                where=str(folder),
                fix="run it inside the project, or compare two files: "
                "`mlops-ci compare base.csv head.csv`; in a job, check the project out first",
            )
        return cls(Path(done.text.strip()), world)

    def run(
        self, *arguments: str, stdin: bytes = b"", environ: Mapping[str, str] | None = None
    ) -> Finished:
        env = git_environment(self.world.environ) | dict(environ or {})
        if self.user is not None:  # lesser rights than ours, so whose folder it is does not matter
            env |= _setting(env, "safe.directory", "*")
        command = Command(("git", *arguments), cwd=self.root, env=env, stdin=stdin, user=self.user)
        return self.world.run_command(command)

    def read(self, *arguments: str, stdin: bytes = b"") -> str:
        """Stripped output; raises UsageError with Git's own words when it fails."""
        done = self.run(*arguments, stdin=stdin)
        if done.code != 0:
            raise UsageError(
                f"git {arguments[0]} failed: {done.error.strip() or done.text.strip()}",
                where=str(self.root),
            )
        return done.text.strip()

    def names(self, *arguments: str) -> list[str]:
        """Paths that a command with `-z` prints."""
        return self._split(self.run(*arguments), arguments[0])

    def _split(self, done: Finished, verb: str) -> list[str]:
        if done.code != 0:
            raise UsageError(f"git {verb} failed: {done.error.strip()}", where=str(self.root))
        return [os.fsdecode(name) for name in done.stdout.split(b"\0") if name]

    def commit_of(self, name: str) -> str | None:
        """The full SHA of a branch, tag or commit; None when there is none of that name."""
        done = self.run(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
        )
        return done.text.strip() if done.code == 0 else None

    def show(self, commit: str, path: str) -> bytes | None:
        """A file as it is in a commit; None when it is not there."""
        done = self.run("cat-file", "blob", f"{commit}:{path}")
        return done.stdout if done.code == 0 else None

    def head(self) -> str:
        """Raises UsageError in a repository without a commit."""
        commit = self.commit_of("HEAD")
        if commit is None:
            raise UsageError(
                "this repository has no commit yet",
                where=str(self.root),
                fix='commit first: `git add . && git commit -m "first"`',
            )
        return commit

    def is_shallow(self) -> bool:
        return self.run("rev-parse", "--is-shallow-repository").text.strip() == "true"

    def origin_url(self) -> str | None:
        done = self.run("remote", "get-url", "origin")
        return done.text.strip() if done.code == 0 else None

    def default_branch(self) -> str | None:
        """The upstream default branch as a name that `commit_of` knows; None when none is known."""
        done = self.run("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
        remote = ("origin/main", "origin/master")
        local = ("main", "master")
        names = [done.text.strip()] if done.code == 0 else []
        candidates = [*names, *remote, *local]
        return next((name for name in candidates if name and self.commit_of(name)), None)

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor; None when the two share no history.

        Raises BaselineError when the history that would tell was not fetched.
        """
        done = self.run("merge-base", one, other)
        if done.code == 0:
            return done.text.strip()
        if self.is_shallow():
            raise self.too_shallow(f"the merge-base of {one[:12]} and {other[:12]}")
        return None

    def count(self, old: str, new: str) -> int | None:
        """Commits from `old` to `new` along first parents; None where the clone lacks some."""
        if self.is_shallow():
            return None
        done = self.run("rev-list", "--count", "--first-parent", f"{old}..{new}")
        return int(done.text) if done.code == 0 else None

    def too_shallow(self, what: str) -> BaselineError:
        return BaselineError(
            f"this clone is shallow: {what} is not in it",
            where=str(self.root),
            fix=FETCH_DEPTH,
            link=f"{DOCS}/errors.md#shallow-clone",
        )

    def changed_files(self, base: str, head: str | None) -> frozenset[str]:
        """Paths that differ between base and head (None: the working tree, new files included)."""
        if head is not None:
            return frozenset(self.names("diff", "--no-ext-diff", "--name-only", "-z", base, head))
        tracked = self._differing(base)
        return frozenset(tracked) | frozenset(self.untracked())

    def untracked(self) -> list[str]:
        return self.names("ls-files", "--others", "--exclude-standard", "-z")

    def modified(self) -> list[str]:
        """Tracked files that differ from HEAD in the index or in the work tree."""
        return self._differing("HEAD")

    def _differing(self, commit: str) -> list[str]:
        """On a copy of the index: `git diff` refreshes the one that it reads. With the owner's
        rights on theirs: a copy that root makes may be one of a file that they could not read."""
        command = ("diff", "--no-ext-diff", "--name-only", "-z", commit, "--")
        if self.user is not None:
            return self.names(*command)
        index = self.root / self.read("rev-parse", "--git-path", "index")
        with tempfile.TemporaryDirectory(prefix="mlops-ci-index-") as folder:
            copy = Path(folder) / "index"
            if index.is_file():
                shutil.copy2(index, copy)  # its time tells Git which files may be newer than it
            done = self.run(*command, environ={"GIT_INDEX_FILE": str(copy)})
        return self._split(done, "diff")

    def at(self, root: Path) -> Git:
        """Another work tree, with the same rights."""
        return replace(self, root=root)

    def owned_by(self, user: tuple[int, int] | None) -> Git:
        return replace(self, user=user)

    def blob_ids(self, paths: Iterable[str]) -> dict[str, str]:
        """What `git add` would call these files of the work tree, filters applied."""
        found: dict[str, str] = {}
        known = [path for path in paths if (self.root / path).is_file() and "\n" not in path]
        for start in range(0, len(known), 200):
            part = known[start : start + 200]
            ids = self.read("hash-object", "--", *part).split()
            found.update(zip(part, ids, strict=True))
        return found
