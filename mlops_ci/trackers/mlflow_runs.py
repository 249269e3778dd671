"""A run that MLflow keeps, as a folder on this machine: `runs:/<id>`.

MLflow needs seconds to be imported, so a child process asks it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from mlops_ci.errors import ServiceError, UsageError
from mlops_ci.trackers.mlflow import environment_of, without_password
from mlops_ci.world import Command, World

RUN = re.compile(r"runs:/+([0-9a-zA-Z_-]{1,64})/?")
URI = "MLFLOW_TRACKING_URI"
PATIENCE = 120.0


def fetch_run(name: str, place: Path, world: World) -> Path:
    """Metrics and evaluation table of the run, in the form of MLflow's file store, below `place`.

    Raises UsageError for a name that is no run's, or without a tracking server; ServiceError for a
    server that does not have it or does not answer.
    """
    found = RUN.fullmatch(name)
    if found is None:
        raise UsageError(f"{name!r} does not name a run of MLflow", fix="write runs:/ and its id")
    uri = world.environ.get(URI)
    if not uri or uri == "none":
        raise UsageError(
            f"{name}: which tracking server has it?",
            where=URI,
            fix=f"export {URI}=https://mlflow.example.org\nor {URI}=sqlite:///mlflow.db",
        )
    return _fetch(found.group(1), place, world, uri)


def _fetch(run: str, place: Path, world: World, uri: str) -> Path:
    folder = place / run
    folder.mkdir(parents=True, exist_ok=True)
    child = "mlops_ci.trackers.mlflow_runs_child"
    ended = world.run_command(
        Command(
            # -P: nothing in the folder that we stand in may pass itself off as a module.
            (sys.executable, "-P", "-m", child, str(folder), run),
            cwd=world.folder,
            env=_environment(world.environ),
            timeout=PATIENCE,
            keep=64 * 1024,
        )
    )
    if ended.code == 0:
        return folder
    words = ended.error.strip().splitlines()
    late = f"it did not answer within {PATIENCE:.0f} s"
    why = late if ended.code is None else words[-1] if words else "it ended early"
    raise ServiceError(
        f"the run {run} could not be read from MLflow: {without_password(why[:300])}",
        where=without_password(uri),
        fix=f"is it the right server ({URI}), and does the run still exist?",
    )


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    return environment_of(environ) | {"MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}
