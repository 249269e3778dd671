"""Where the user's commands run: one Protocol, one table."""

from __future__ import annotations

import importlib

from mlops_ci.engines.job import Echo, Ended, Engine, Job
from mlops_ci.errors import UsageError
from mlops_ci.world import World

__all__ = ["ENGINES", "Echo", "Ended", "Engine", "Job", "engine_of"]

# name → module:class, imported when used. Each is built with the World.
ENGINES = {"local": "mlops_ci.engines.local:Local"}


def engine_of(name: str, world: World) -> Engine:
    """Raises UsageError for an engine that does not exist."""
    if name not in ENGINES:
        raise UsageError(f"there is no engine {name!r}", fix=f"choose one of: {', '.join(ENGINES)}")
    module, _, kind = ENGINES[name].partition(":")
    engine: Engine = getattr(importlib.import_module(module), kind)(world)
    return engine
