"""Git, by its own program. Reads the user's repository; never moves their checkout."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlops_ci.errors import UsageError
from mlops_ci.world import Finished, World


@dataclass(frozen=True)
class Git:
    """One repository. `root` is the top of its work tree."""

    root: Path
    world: World

    @classmethod
    def find(cls, folder: Path, world: World) -> Git:
        """Raises UsageError outside any repository."""
        done = world.run("git", "rev-parse", "--show-toplevel", cwd=folder)
        if done.code != 0:
            raise UsageError(
                f"this is not a Git repository: {done.error.strip()}",
                where=str(folder),
                fix="run it inside the project, or compare two files: "
                "`mlops-ci compare base.csv head.csv`",
            )
        return cls(Path(done.text.strip()), world)

    def run(self, *arguments: str, stdin: bytes = b"") -> Finished:
        return self.world.run("git", *arguments, cwd=self.root, stdin=stdin)

    def read(self, *arguments: str) -> str:
        """Stripped output; raises UsageError with Git's own words when it fails."""
        done = self.run(*arguments)
        if done.code != 0:
            raise UsageError(
                f"git {arguments[0]} failed: {done.error.strip() or done.text.strip()}",
                where=str(self.root),
            )
        return done.text.strip()

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
