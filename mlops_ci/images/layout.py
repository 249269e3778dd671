"""An OCI image layout: a folder of blobs with an index.

https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_ci.errors import RecordError
from mlops_ci.images.layer import Entry, Layer, write_layer
from mlops_ci.images.registry import OCI_INDEX, OCI_MANIFEST, digest_of
from mlops_ci.records.files import write_atomically

MARKER = b'{"imageLayoutVersion": "1.0.0"}\n'
REF_NAME = "org.opencontainers.image.ref.name"


def dump(content: Any) -> bytes:
    """JSON whose digest depends on the content alone."""
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Layout:
    """Blobs of lower layers may be missing: they are in the registry already."""

    folder: Path

    @property
    def blobs(self) -> Path:
        return self.folder / "blobs" / "sha256"

    def path(self, digest: str) -> Path:
        return self.blobs / digest.removeprefix("sha256:")

    def has(self, digest: str) -> bool:
        return self.path(digest).is_file()

    def put(self, content: bytes) -> tuple[str, int]:
        digest = digest_of(content)
        if not self.has(digest):
            write_atomically(self.path(digest), content)
        return digest, len(content)

    def put_layer(self, entries: Iterable[Entry]) -> Layer:
        self.blobs.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.blobs, prefix=".layer.")
        try:
            with os.fdopen(handle, "wb") as file:
                layer = write_layer(entries, file)
            Path(name).chmod(0o644)
            Path(name).replace(self.path(layer.digest))
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return layer

    def take(self, other: Layout) -> dict[str, tuple[str, int]]:
        """All blobs of another layout, linked where the file system can; returns its manifests."""
        self.blobs.mkdir(parents=True, exist_ok=True)
        for path in other.blobs.iterdir():
            target = self.blobs / path.name
            if path.name.startswith(".") or target.exists():
                continue
            try:
                os.link(path, target)
            except OSError:
                shutil.copyfile(path, target)
        return {tag: (d, self.path(d).stat().st_size) for tag, d in other.tagged().items()}

    def read(self, digest: str) -> bytes:
        """Raises RecordError when it is missing or is not what its name says."""
        try:
            content = self.path(digest).read_bytes()
        except OSError as error:
            raise self._broken(digest) from error
        if digest_of(content) != digest:
            raise self._broken(digest)
        return content

    def read_json(self, digest: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.read(digest))
        return content

    def _broken(self, digest: str) -> RecordError:
        return RecordError(
            f"the built image is incomplete: {digest} is missing or changed",
            where=str(self.folder),
            fix="build it again: mlops-ci build",
        )

    def write_index(self, manifests: dict[str, tuple[str, int]]) -> None:
        """`manifests`: tag → digest and size; written last, so that a layout is whole or absent."""
        entries = [
            {
                "mediaType": OCI_MANIFEST,
                "digest": digest,
                "size": size,
                "annotations": {REF_NAME: tag},
            }
            for tag, (digest, size) in manifests.items()
        ]
        write_atomically(self.folder / "oci-layout", MARKER)
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
        write_atomically(self.folder / "index.json", dump(index))

    def tagged(self) -> dict[str, str]:
        """Tag → digest of its manifest; empty when there is no whole layout here."""
        try:
            index = json.loads((self.folder / "index.json").read_text("utf-8"))
            return {m["annotations"][REF_NAME]: m["digest"] for m in index["manifests"]}
        except (OSError, ValueError, KeyError, TypeError):
            return {}
