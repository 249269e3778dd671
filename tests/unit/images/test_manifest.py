"""Layers on top of an image; what was below stays as it was."""

from __future__ import annotations

import copy
import json
from typing import Any

from mlops_ci.images.layer import Layer
from mlops_ci.images.manifest import Addition, Image, append, read_image
from mlops_ci.images.registry import digest_of

CONFIG: dict[str, Any] = {
    "architecture": "amd64",
    "os": "linux",
    "container": "abc",
    "config": {"Env": ["PATH=/bin", "LANG=C"], "Labels": {"a": "1"}, "Cmd": ["sh"]},
    "rootfs": {"type": "layers", "diff_ids": ["sha256:below"]},
    "history": [{"created_by": "base"}],
}
LAYER = Layer("sha256:new", "sha256:diff", 7)
ADDITION = Addition(
    layers=((LAYER, "the model"),),
    settings={"Cmd": [], "User": "65532"},
    environment={"LANG": "C.UTF-8", "PORT": "8080"},
    labels={"b": "2"},
    created="2026-01-02T03:04:05+00:00",
)


def test_append() -> None:
    base = Image(copy.deepcopy(CONFIG), ({"mediaType": "x", "digest": "sha256:low", "size": 3},))
    image = append(base, ADDITION)
    assert base.config == CONFIG
    assert [layer["digest"] for layer in image.layers] == ["sha256:low", "sha256:new"]
    assert image.config["rootfs"]["diff_ids"] == ["sha256:below", "sha256:diff"]
    assert len(image.config["history"]) == len(image.layers)
    assert image.config["config"]["Env"] == ["PATH=/bin", "LANG=C.UTF-8", "PORT=8080"]
    assert image.config["config"]["Labels"] == {"a": "1", "b": "2"}
    assert image.config["created"] == ADDITION.created
    assert "container" not in image.config
    assert image.size == 10


def test_manifest_names_its_configuration() -> None:
    image = append(Image(CONFIG, ()), ADDITION)
    manifest = json.loads(image.manifest_bytes)
    assert manifest["config"]["digest"] == digest_of(image.config_bytes)
    assert manifest["config"]["size"] == len(image.config_bytes)
    again = read_image(image.manifest_bytes, image.config_bytes)
    assert again.manifest_bytes == image.manifest_bytes


def test_docker_names_become_oci_names() -> None:
    manifest = {
        "config": {},
        "layers": [
            {"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "digest": "d"},
            {"mediaType": "application/vnd.oci.image.layer.v1.tar+zstd", "digest": "e"},
        ],
    }
    image = read_image(json.dumps(manifest).encode(), b"{}")
    assert [layer["mediaType"] for layer in image.layers] == [
        "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.oci.image.layer.v1.tar+zstd",
    ]
