"""What the user's commands leave for us to read, when we may read more than they."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from mlops_ci.engines.owner import user_for
from mlops_ci.errors import CommandError
from mlops_ci.project import Project


def refuse_links(project: Project, paths: Iterable[str], workspace: Path | None = None) -> None:
    """Raises CommandError when one of the outputs, or a file in it, leads to what the user's
    command could not read itself: as root we would read it for them, and publish it. What is
    neither a file nor a folder is refused always: reading it may never end.

    `workspace` decides whose rights the command had; None: the project's repository.
    """
    top = project.git.root.resolve()
    user = user_for(workspace or top, project.world.environ)
    for path in paths:
        place = project.root / path
        for file in _files(place):
            target = Path(os.path.realpath(file))  # `resolve` raises for a loop, on Python < 3.13
            try:
                found = target.stat()
            except OSError:  # missing or a loop: whoever reads it says so
                continue
            if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
                raise _refusal(file, "is neither a file nor a folder")
            if user is None or target.is_relative_to(top) or found.st_uid == user[0]:
                continue
            raise _refusal(file, f"leads to {target}, which is not yours")


def _files(place: Path) -> Iterator[Path]:
    """Itself, and whatever a folder holds that may lead elsewhere."""
    yield place
    if not place.is_dir():
        return
    for folder, folders, files in os.walk(place):
        for name in (*folders, *files):
            path = Path(folder) / name
            if not stat.S_ISDIR(path.lstat().st_mode):
                yield path


def _refusal(file: Path, why: str) -> CommandError:
    return CommandError(
        f"{file.name} {why}: it is not read",
        where=str(file),
        fix="let the command write a file of its own there",
    )
