"""Where runs are logged: one Protocol, one table."""

from __future__ import annotations

import importlib

from mlops_ci.project import Project
from mlops_ci.trackers.run import Result, RunInfo, Started, Tracked, Tracker

__all__ = ["TRACKERS", "Result", "RunInfo", "Started", "Tracked", "Tracker", "tracker_of"]

# name → module:class, imported when used. Each is built with the Project.
TRACKERS = {"mlflow": "mlops_ci.trackers.mlflow:Mlflow"}


def tracker_of(project: Project, name: str = "mlflow") -> Tracker:
    module, _, kind = TRACKERS[name].partition(":")
    tracker: Tracker = getattr(importlib.import_module(module), kind)(project)
    return tracker
