"""Where runs are logged: one Protocol, one table."""

from __future__ import annotations

import importlib
import importlib.util

from mlops_ci.project import Project
from mlops_ci.trackers.run import Result, RunInfo, Started, Tracked, Tracker

__all__ = ["TRACKERS", "Result", "RunInfo", "Started", "Tracked", "Tracker", "tracker_of"]

# name → module:class, imported when used. Each is built with the Project.
TRACKERS = {"mlflow": "mlops_ci.trackers.mlflow:Mlflow"}


def tracker_of(project: Project, name: str = "mlflow") -> Tracker | None:
    """None when it is turned off (`tracking-uri: none`), or neither asked for nor installed."""
    uri = project.config.tracking_uri or project.world.environ.get("MLFLOW_TRACKING_URI")
    if uri == "none" or (uri is None and importlib.util.find_spec(name) is None):
        return None
    module, _, kind = TRACKERS[name].partition(":")
    tracker: Tracker = getattr(importlib.import_module(module), kind)(project)
    return tracker
