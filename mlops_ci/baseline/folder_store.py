"""A shelf in a folder: a disk of the team's, or a cache that the workflow keeps."""

from __future__ import annotations

import fcntl
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlops_ci.baseline.entry import too_large
from mlops_ci.errors import BaselineError, ServiceError
from mlops_ci.records.files import write_atomically

CURRENT = "current"


@dataclass(frozen=True)
class FolderShelf:
    """Every state is a folder of its own (files that did not change are hard links); `current`
    names the newest. The one before it goes at once, so that deleting deletes: who was reading it
    begins again."""

    folder: Path

    @property
    def place(self) -> str:
        return str(self.folder)

    def version(self) -> str | None:
        try:
            name = (self.folder / CURRENT).read_text("utf-8").strip()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise ServiceError(f"the store cannot be read: {error}", where=self.place) from error
        if not name.isalnum() or not (self.folder / name).is_dir():
            raise BaselineError(
                f"the store names a state that is not there: {name[:80]!r}", where=self.place
            )
        return name

    def read(self, version: str, limits: Mapping[str, int]) -> dict[str, bytes]:
        found = {}
        for path, limit in limits.items():
            place = self.folder / version / path
            if place.is_symlink() or not place.is_file():
                continue
            try:
                size = place.stat().st_size
                if size > limit:
                    raise too_large(path, size, limit, self.place)
                found[path] = place.read_bytes()
            except FileNotFoundError:  # this state has just gone
                continue
        return found

    def swap(self, version: str | None, writes: Mapping[str, bytes | None]) -> bool:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._locked():
                if self.version() != version:
                    return False
                self._write(version, writes)
        except OSError as error:
            raise ServiceError(f"the store cannot be written: {error}", where=self.place) from error
        return True

    def _write(self, version: str | None, writes: Mapping[str, bytes | None]) -> None:
        name = secrets.token_hex(16)
        place = self.folder / name
        place.mkdir()
        if version is not None:
            old = self.folder / version
            for path in (found for found in old.rglob("*") if found.is_file()):
                inside = path.relative_to(old)
                if inside.as_posix() not in writes:
                    (place / inside).parent.mkdir(parents=True, exist_ok=True)
                    (place / inside).hardlink_to(path)
        for inside_name, content in writes.items():
            if content is not None:
                write_atomically(place / inside_name, content)
        write_atomically(self.folder / CURRENT, name.encode() + b"\n")
        for other in self.folder.iterdir():
            if other.is_dir() and other.name != name:
                shutil.rmtree(other, ignore_errors=True)
                self._must_be_gone(other, writes)

    def _must_be_gone(self, state: Path, writes: Mapping[str, bytes | None]) -> None:
        """What was to be deleted is not said to be while it is there."""
        left = [path for path, new in writes.items() if new is None and (state / path).exists()]
        if left:
            raise ServiceError(
                f"the store does not name {left[0]} any more, but the file cannot be deleted",
                where=str(state),
                fix=f"delete the folder by hand: rm -r {state}",
            )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.folder / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
