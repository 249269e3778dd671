"""What we write on containers, so that the next run knows them."""

from __future__ import annotations

from dataclasses import dataclass

from mlops_ci.targets.release import Service

PREFIX = "io.github.mlops-ci"
SERVICE = f"{PREFIX}.service"
ROLE = f"{PREFIX}.role"
SLOT = f"{PREFIX}.slot"
DIGEST = f"{PREFIX}.digest"
REFERENCE = f"{PREFIX}.reference"
COMMIT = f"{PREFIX}.commit"
PORT_LABEL = f"{PREFIX}.port"
MODEL_DIGEST = f"{PREFIX}.model-digest"


@dataclass(frozen=True)
class Names:
    network: str
    front: str
    lease: str
    version: str


def names_of(service: Service) -> Names:
    stem = f"mlops-ci-{service.name}"
    return Names(stem, f"{stem}-front", f"{stem}-lease", stem)
