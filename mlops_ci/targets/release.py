"""What is deployed, where to, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Service:
    """One model behind one port. Seconds: `health_timeout` for a new version to get healthy."""

    name: str
    port: int = 8080
    bind: str = "0.0.0.0"  # noqa: S104 - a deployed service is meant to be reached
    health_timeout: float = 60.0
    host: str | None = None


@dataclass(frozen=True)
class Release:
    """One version. `digest` identifies it at the target; `model_digest` is what was evaluated.

    `reference` is an image by digest; `folder` the model folder, where no image is used.
    """

    model: str
    commit: str
    digest: str
    model_digest: str
    reference: str
    folder: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """What is live now. `changed` is False when it was live already."""

    reference: str
    url: str
    previous: str | None = None
    changed: bool = True
    notes: tuple[str, ...] = ()


class Target(Protocol):
    """Where versions run. Both methods can be run again after they were killed at any point.

    They raise DeployError when the new version does not get healthy; what was live stays live.
    """

    def deploy(self, release: Release) -> Outcome: ...

    def rollback(self) -> Outcome:
        """Put the previous version back. Raises DeployError when there is none."""
        ...

    def close(self) -> None:
        """End the connection to the place, not what runs there."""
        ...
