"""Whose rights the user's commands run with when we are root."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from mlops_ci.project import Project

NOBODY = 65534
SOCKETS = ("/var/run/docker.sock", "/run/docker.sock")


@dataclass(frozen=True)
class Owned:
    """Owner, group and permission bits of a file."""

    uid: int
    gid: int
    mode: int

    @classmethod
    def of(cls, path: Path | str) -> Owned | None:
        try:
            found = os.stat(path)  # noqa: PTH116 - text or Path
        except OSError:
            return None
        return cls(found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode))

    def lets(self, user: tuple[int, int]) -> bool:
        """Whether this user and group may write it, hence connect to it when it is a socket."""
        if user[0] == self.uid:
            return bool(self.mode & stat.S_IWUSR)
        return bool(self.mode & (stat.S_IWGRP if user[1] == self.gid else stat.S_IWOTH))


def choose_user(workspace: Owned, sockets: list[Owned], *, runner: bool) -> tuple[int, int] | None:
    """(uid, gid) for a root process to run the user's command as; None: as it is.

    The workspace's group may be the Docker socket's (on GitHub's own runners it is), so the group
    is given up then. A root-owned workspace is no reason to keep root inside a runner.
    """
    if workspace.uid == 0 and not runner:
        return None
    candidates = [
        (workspace.uid, workspace.gid),
        (workspace.uid, workspace.uid),
        (workspace.uid, NOBODY),
        (NOBODY, NOBODY),
    ]
    closed = [
        user
        for user in candidates
        if user[0] != 0 and not any(socket.lets(user) for socket in sockets)
    ]
    return closed[0] if closed else (NOBODY, NOBODY)


def user_for(workspace: Path, environ: Mapping[str, str]) -> tuple[int, int] | None:
    if os.geteuid() != 0:
        return None
    owned = Owned.of(workspace)
    sockets = [socket for path in SOCKETS if (socket := Owned.of(path)) is not None]
    runner = environ.get("GITHUB_ACTIONS") == "true"
    return choose_user(owned, sockets, runner=runner) if owned is not None else None


def with_owners_git(project: Project) -> Project:
    """Root's Git in a workspace has the rights of the commands that ran there: the settings and
    attributes that they can write name programs, such as filters."""
    user = user_for(project.git.root, project.world.environ)
    return replace(project, git=project.git.owned_by(user))


@contextmanager
def lent(folder: Path, user: tuple[int, int] | None) -> Iterator[None]:
    """Let `user` write in a folder that another one owns, by its group; give it back after.

    What the user made there belongs to the folder's owner afterwards.
    """
    owner = Owned.of(folder)
    if user is None or owner is None or owner.uid == user[0]:
        yield
        return
    for path in _all(folder):
        _share(path, user[1])
    try:
        yield
    finally:
        for path in _all(folder):
            os.chown(path, owner.uid, owner.gid, follow_symlinks=False)


def give(path: Path, user: tuple[int, int] | None) -> None:
    """Hand a file or folder that we made to the user of the command."""
    if user is not None:
        os.chown(path, *user, follow_symlinks=False)


def give_all(folder: Path, user: tuple[int, int] | None) -> None:
    """A file, or a folder with all that lies in it; links themselves, not what they point to."""
    if user is not None and (folder.exists() or folder.is_symlink()):
        for path in _all(folder):
            give(path, user)


def _share(path: Path, gid: int) -> None:
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        return
    os.chown(path, -1, gid, follow_symlinks=False)
    bits = stat.S_IRGRP | stat.S_IWGRP
    if stat.S_ISDIR(found.st_mode) or found.st_mode & stat.S_IXUSR:
        bits |= stat.S_IXGRP
    path.chmod(stat.S_IMODE(found.st_mode) | bits)


def _all(folder: Path) -> Iterator[Path]:
    yield folder
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield Path(place) / name


def make_folder(path: Path, user: tuple[int, int] | None) -> Path:
    """Like `mkdir -p`, every new folder given to `user`."""
    missing = [place for place in (path, *path.parents) if not place.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for place in missing:
        give(place, user)
    return path


def return_to_owner(folder: Path, workspace: Path) -> int:
    """What root wrote in someone's workspace becomes theirs: their next checkout must not fail.

    Returns how many files and folders changed hands.
    """
    owner = Owned.of(workspace)
    if os.geteuid() != 0 or owner is None or owner.uid == 0 or not folder.exists():
        return 0
    strange = [path for path in _all(folder) if _owner_of(path) != (owner.uid, owner.gid)]
    for path in strange:
        give(path, (owner.uid, owner.gid))
    return len(strange)


def _owner_of(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_uid, found.st_gid
