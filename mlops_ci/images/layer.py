"""Files as an image layer, the same bytes wherever and whenever it is made.

Uncompressed: one hash is blob digest and diff id at once, and no zlib version changes it.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from mlops_ci.errors import UsageError

OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
OCI_LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
BLOCK = 1024 * 1024


@dataclass(frozen=True)
class Entry:
    """One file of a layer: its path in the image, and its content on disk or here."""

    path: str
    source: Path | None = None
    content: bytes = b""
    executable: bool = False


@dataclass(frozen=True)
class Layer:
    """`digest` of the blob as it is stored, `diff_id` of the tar inside it."""

    digest: str
    diff_id: str
    size: int
    media_type: str = OCI_LAYER

    @property
    def descriptor(self) -> dict[str, object]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


def folder_entries(folder: Path, target: str) -> list[Entry]:
    """Every file below `folder`. Raises UsageError for a link that leads out, or no plain file."""
    root = folder.resolve()
    entries = []
    for path in sorted(root.rglob("*")):
        link = path.is_symlink()
        if link and (path.is_dir() or not path.resolve().is_relative_to(root)):
            raise UsageError(
                f"{path.name} links to a folder, or out of the model folder: it has no digest",
                where=str(path),
            )
        if path.is_dir():
            continue
        if not path.is_file():
            raise UsageError(f"{path.name} is no plain file", where=str(path))
        inside = path.relative_to(root).as_posix()
        entries.append(Entry(f"{target}/{inside}", path.resolve()))
    return entries


def write_layer(entries: Iterable[Entry], out: IO[bytes]) -> Layer:
    """Sorted, owned by root, dated 1970: equal files, equal digest."""
    sink = _Hashing(out)
    with tarfile.open(fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
        ordered = sorted(entries, key=lambda entry: entry.path)
        for folder in _parents(ordered):
            tar.addfile(_info(folder, 0o755, tarfile.DIRTYPE))
        for entry in ordered:
            _add(tar, entry)
    digest = f"sha256:{sink.hash.hexdigest()}"
    return Layer(digest, digest, sink.size)


def _parents(entries: Iterable[Entry]) -> list[str]:
    folders = {
        str(parent)
        for entry in entries
        for parent in PurePosixPath(entry.path).parents
        if str(parent) not in {".", "/"}
    }
    return sorted(folders)


def _info(path: str, mode: int, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)
    info.type, info.mode, info.mtime = kind, mode, 0
    return info


def _add(tar: tarfile.TarFile, entry: Entry) -> None:
    info = _info(entry.path, 0o755 if entry.executable else 0o644)
    if entry.source is None:
        info.size = len(entry.content)
        tar.addfile(info, io.BytesIO(entry.content))
        return
    with entry.source.open("rb") as file:
        info.size = entry.source.stat().st_size
        tar.addfile(info, file)


class _Hashing:
    """Hashes what passes through."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self.hash = hashlib.sha256()
        self.size = 0

    def write(self, block: bytes) -> int:
        self.hash.update(block)
        self.size += len(block)
        return self._out.write(block)


def blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        yield block
