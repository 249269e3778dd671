"""A folder below TMPDIR that is gone with its process, however that ends.

A process that is killed removes nothing. So each folder is locked as long as its process lives, and
whoever makes the next one removes those that nobody holds. A lock needs no process id, which in
another container would be somebody else's.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Self

PREFIX = "mlops-ci-scratch-"
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


class Scratch:
    """`name`: the folder's path. Raises OSError where none can be made."""

    def __init__(self) -> None:
        remove_leftovers(Path(tempfile.gettempdir()))
        self.name, handle = _made()
        self.cleanup = weakref.finalize(self, _remove, self.name, handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cleanup()


def _made() -> tuple[str, int]:
    """Anew where another process took it for a leftover before it was locked."""
    while True:
        name = tempfile.mkdtemp(prefix=PREFIX)
        try:
            handle = os.open(name, FOLDER)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            continue
        except OSError:
            return name, handle  # no locks here: nobody else removes it, either
        if os.path.isdir(name):  # noqa: PTH112
            return name, handle
        os.close(handle)


def _remove(name: str, handle: int) -> None:
    """While it is held: nobody else does the same."""
    shutil.rmtree(name, ignore_errors=True)
    os.close(handle)


def remove_leftovers(place: Path) -> None:
    """Folders of this user's that nobody holds."""
    with suppress(OSError):
        for entry in os.scandir(place):
            if entry.name.startswith(PREFIX) and _is_ours(entry):
                _remove_unheld(entry.path)


def _is_ours(entry: os.DirEntry[str]) -> bool:
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def _remove_unheld(name: str) -> None:
    with suppress(OSError):
        handle = os.open(name, FOLDER)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
        else:
            _remove(name, handle)
