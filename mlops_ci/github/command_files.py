"""The files by which a step tells the runner outputs, variables and its summary.

They belong to the runner's user, and so does the workspace: a command of the user's, which runs as
the workspace's owner, may write them once it has found them. What it wrote is taken back.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

VARIABLES = (
    "GITHUB_OUTPUT",
    "GITHUB_ENV",
    "GITHUB_PATH",
    "GITHUB_STATE",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_EVENT_PATH",
)


@dataclass(frozen=True)
class CommandFile:
    """A file as it was."""

    path: Path
    content: bytes
    status: os.stat_result

    def put_back(self) -> None:
        """A link that took its place is not followed: it may lead anywhere."""
        mode = os.O_TRUNC | os.O_NOFOLLOW
        if not self._is_plain():
            self._remove()
            mode = os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(self.path, os.O_WRONLY | mode, 0o600), "wb") as file:
            os.fchown(file.fileno(), self.status.st_uid, self.status.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(self.status.st_mode))
            file.write(self.content)

    def _is_plain(self) -> bool:
        """A file, by this name and no other."""
        try:
            found = self.path.lstat()
        except FileNotFoundError:
            return False
        return stat.S_ISREG(found.st_mode) and found.st_nlink == 1

    def _remove(self) -> None:
        if self.path.is_dir() and not self.path.is_symlink():
            shutil.rmtree(self.path)
        else:
            self.path.unlink(missing_ok=True)


def keep_files(environ: Mapping[str, str]) -> tuple[CommandFile, ...]:
    """Those that the runner named, as they are before any command of the user's has run."""
    paths = [Path(environ[name]) for name in VARIABLES if environ.get(name)]
    return tuple(
        CommandFile(path, path.read_bytes(), path.lstat()) for path in paths if path.is_file()
    )
