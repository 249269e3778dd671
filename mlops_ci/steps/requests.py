"""What the steps on a repository are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlops_ci.engines import Echo


@dataclass(frozen=True)
class TrainRequest:
    """`workspace` decides whose rights the command gets; None: the project's repository. `timeout`
    in seconds goes before the model's. `reuse`: an equal training may stand for this one. `seeds`:
    how often to train; None: as the model says."""

    timeout: float | None = None
    echo: Echo | None = None
    engine: str = "local"
    reuse: bool = True
    track: bool = True
    workspace: Path | None = None
    commit: str | None = None
    seeds: int | None = None


@dataclass(frozen=True)
class EvaluateRequest:
    timeout: float | None = None
    echo: Echo | None = None
    engine: str = "local"
    workspace: Path | None = None
    commit: str | None = None
