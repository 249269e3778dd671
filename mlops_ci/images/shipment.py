"""A built image on its way into a registry."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from mlops_ci.errors import RecordError
from mlops_ci.images.layout import Layout
from mlops_ci.images.registry import Repository


@dataclass(frozen=True)
class Shipped:
    """`uploaded` bytes went over the wire; the rest was there already."""

    digest: str
    uploaded: int


def ship(layout: Layout, digest: str, tags: list[str], repository: Repository) -> Shipped:
    """Blobs, then the manifest by digest, then the tags: whoever sees a tag sees a whole image.

    A run that was stopped is resumed by digest: what is there is not sent again.
    """
    manifest = layout.read(digest)
    content = json.loads(manifest)
    uploaded = 0
    for part in [*content["layers"], content["config"]]:
        uploaded += _ship_blob(layout, part, repository)
    repository.put_manifest(digest, manifest)
    for tag in tags:
        repository.put_manifest(tag, manifest)
    return Shipped(digest, uploaded)


def ship_dependencies(layout: Layout, tag: str, repository: Repository) -> None:
    """Name the lower image too: the next build anywhere starts from it, without an engine."""
    digest = layout.tagged().get(tag)
    if digest is not None and repository.tag_digest(tag) != digest:
        ship(layout, digest, [tag], repository)


def _ship_blob(layout: Layout, part: dict[str, Any], repository: Repository) -> int:
    digest, size = str(part["digest"]), int(part["size"])
    path = layout.path(digest)
    if not path.is_file():
        if repository.has_blob(digest):
            return 0
        raise RecordError(
            f"a layer is neither here nor in the registry: {digest}",
            where=str(layout.folder),
            fix="the registry has dropped it since the build; build again: mlops-ci build",
        )
    sent = repository.upload(digest, size, lambda: path.open("rb"))
    return size if sent else 0
