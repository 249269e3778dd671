"""The records of `build`, `push`, `deploy` and `rollback`."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Build(Struct, frozen=True, kw_only=True):
    """`image` is the repository without tag; `layout` the OCI layout folder that holds the image;
    `digest` that of its manifest; `model_digest` the SHA-256 that `evaluate` recorded;
    `dependencies` the tag of the image below it, whose layers may be in the registry alone."""

    schema: str = "mlops-ci/build/1"
    model: str
    commit: str
    image: str
    digest: str
    model_digest: str
    layout: str | None = None
    reference: str | None = None
    labels: dict[str, str] = {}
    size_bytes: int | None = None
    seconds: float | None = None
    dependencies: str | None = None


class Push(Struct, frozen=True, kw_only=True):
    """`reference` is `repository@sha256:…`: what is deployed. `uploaded_bytes` went over the wire;
    the rest was there."""

    schema: str = "mlops-ci/push/1"
    model: str
    commit: str
    image: str
    digest: str
    reference: str
    tags: list[str] = []
    seconds: float | None = None
    model_digest: str | None = None
    uploaded_bytes: int | None = None


class Deployment(Struct, frozen=True, kw_only=True):
    """What runs now, and what would be put back. `status`: live, or not (the previous one is)."""

    schema: str = "mlops-ci/deploy/1"
    model: str
    commit: str
    target: str
    status: Literal["live", "rolled-back", "failed"]
    reference: str
    url: str | None = None
    previous: str | None = None
    seconds: float | None = None
    notes: list[str] = []


class Rollback(Struct, frozen=True, kw_only=True):
    schema: str = "mlops-ci/rollback/1"
    model: str
    commit: str
    target: str
    reference: str
    previous: str | None = None
    url: str | None = None
    seconds: float | None = None
