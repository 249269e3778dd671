"""A shelf in a folder: a disk of the team's, or a cache that the workflow keeps."""

from __future__ import annotations

import fcntl
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlops_ci.errors import BaselineError, ServiceError
from mlops_ci.records.files import write_atomically

CURRENT = "current"


@dataclass(frozen=True)
class FolderShelf:
    """Every state is a folder of its own (files that did not change are hard links); `current`
    names the newest. The state before it is kept for readers that are still at it."""

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

    def read(self, version: str, path: str, limit: int) -> bytes | None:
        place = self.folder / version / path
        if place.is_symlink() or not place.is_file():
            return None
        size = place.stat().st_size
        if size > limit:
            raise BaselineError(
                f"{path} in the store has {size:,} bytes; {limit:,} are allowed", where=self.place
            )
        return place.read_bytes()

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
            if other.is_dir() and other.name not in {name, version}:
                shutil.rmtree(other, ignore_errors=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.folder / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
