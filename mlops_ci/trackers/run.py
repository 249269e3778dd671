"""What every tracker takes and gives back."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

Scalar = str | int | float | bool | None


class RunInfo(Struct, frozen=True, kw_only=True):
    """A training as it begins."""

    model: str
    name: str
    tags: dict[str, str] = {}
    parameters: dict[str, Scalar] = {}


class Result(Struct, frozen=True, kw_only=True):
    """A training as it ended."""

    status: str
    metrics: dict[str, float] = {}
    tags: dict[str, str] = {}


class Tracked(Struct, frozen=True, kw_only=True):
    """Where the run is. `error` says why it was not logged, or not whole."""

    uri: str = ""
    run_id: str | None = None
    error: str | None = None


class Started(Protocol):
    def finish(self, result: Result) -> Tracked:
        """Never raises: a tracker that is away does not undo a training."""
        ...


class Tracker(Protocol):
    def start(self, info: RunInfo) -> Started:
        """Returns at once; the tracker gets ready while the training runs."""
        ...
