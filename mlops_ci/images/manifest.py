"""An image as its manifest and configuration, and layers put on top of it.

https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlops_ci.errors import ServiceError
from mlops_ci.images.layer import OCI_LAYER, OCI_LAYER_GZIP, Layer
from mlops_ci.images.layout import dump
from mlops_ci.images.registry import (
    DOCKER_LIST,
    OCI_INDEX,
    OCI_MANIFEST,
    Document,
    Repository,
    digest_of,
)

OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
# Docker's names of the same things; a manifest does not mix the two.
OCI_NAMES = {
    "application/vnd.docker.container.image.v1+json": OCI_CONFIG,
    "application/vnd.docker.image.rootfs.diff.tar": OCI_LAYER,
    "application/vnd.docker.image.rootfs.diff.tar.gzip": OCI_LAYER_GZIP,
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip": (
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    ),
}


@dataclass(frozen=True)
class Image:
    """`layers` are descriptors, lowest first."""

    config: dict[str, Any]
    layers: tuple[dict[str, Any], ...]
    annotations: dict[str, str] = field(default_factory=dict)

    @property
    def config_bytes(self) -> bytes:
        return dump(self.config)

    @property
    def manifest_bytes(self) -> bytes:
        content: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {
                "mediaType": OCI_CONFIG,
                "digest": digest_of(self.config_bytes),
                "size": len(self.config_bytes),
            },
            "layers": list(self.layers),
        }
        if self.annotations:
            content["annotations"] = self.annotations
        return dump(content)

    @property
    def size(self) -> int:
        return sum(int(layer["size"]) for layer in self.layers)


@dataclass(frozen=True)
class Addition:
    """What a new image has more than the one it starts from. `created` is RFC 3339."""

    layers: Sequence[tuple[Layer, str]]
    settings: Mapping[str, Any]
    environment: Mapping[str, str]
    labels: Mapping[str, str]
    created: str


def append(base: Image, addition: Addition) -> Image:
    """Layers, environment and labels on top; everything of the base is kept below."""
    config = copy.deepcopy(base.config)
    inner = dict(config.get("config") or {})
    inner |= addition.settings
    inner["Env"] = _merge_environment(inner.get("Env") or [], addition.environment)
    inner["Labels"] = {**(inner.get("Labels") or {}), **addition.labels}
    config["config"] = inner
    config["created"] = addition.created
    for key in ("container", "container_config", "docker_version", "id", "parent"):
        config.pop(key, None)
    rootfs = config.setdefault("rootfs", {"type": "layers", "diff_ids": []})
    history = config.setdefault("history", [])
    for layer, comment in addition.layers:
        rootfs["diff_ids"].append(layer.diff_id)
        history.append({"created": addition.created, "created_by": comment})
    layers = (*base.layers, *(layer.descriptor for layer, _ in addition.layers))
    return Image(config, layers, dict(addition.labels))


def _merge_environment(known: Sequence[str], new: Mapping[str, str]) -> list[str]:
    kept = dict(entry.partition("=")[::2] for entry in known)
    return [f"{name}={value}" for name, value in (kept | dict(new)).items()]


def read_image(manifest: bytes, config: bytes) -> Image:
    """From OCI or Docker v2 documents; Docker's media types become OCI's."""
    content = json.loads(manifest)
    layers = tuple(
        {**layer, "mediaType": OCI_NAMES.get(layer["mediaType"], layer["mediaType"])}
        for layer in content["layers"]
    )
    return Image(json.loads(config), layers, content.get("annotations") or {})


def pull_image(repository: Repository, reference: str, architecture: str) -> Image | None:
    """Manifest and configuration, no layer; None when there is no such image.

    Raises ServiceError when an index has nothing for the architecture.
    """
    found = repository.manifest(reference)
    if found is not None and found.media_type in (OCI_INDEX, DOCKER_LIST):
        found = repository.manifest(_choose(found, architecture, repository))
    if found is None:
        return None
    config = json.loads(found.content)["config"]["digest"]
    return read_image(found.content, repository.blob(config))


def _choose(index: Document, architecture: str, repository: Repository) -> str:
    for entry in json.loads(index.content).get("manifests", []):
        platform = entry.get("platform") or {}
        if platform.get("os") == "linux" and platform.get("architecture") == architecture:
            return str(entry["digest"])
    raise ServiceError(
        f"the image has no variant for linux/{architecture}",
        where=repository.name.at(index.digest),
    )
