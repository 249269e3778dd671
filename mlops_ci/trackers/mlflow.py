"""MLflow: the tracking server that is set, else a SQLite file beside the records.

A child process imports MLflow while the training runs (that takes seconds), opens the run, and
waits for the result: so the comment does not wait for MLflow, and nothing else imports it.
"""

from __future__ import annotations

import math
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from mlops_ci.project import Project
from mlops_ci.records.files import write_atomically
from mlops_ci.trackers.run import Result, RunInfo, Tracked
from mlops_ci.world import Command, Finished

DATABASE = "mlflow.db"
PATIENCE = 120.0
KEPT = (
    "PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
    "GOOGLE_APPLICATION_CREDENTIALS",
)  # fmt: skip
KEPT_PREFIXES = ("MLFLOW_", "DATABRICKS_", "AWS_", "AZURE_", "LC_")


@dataclass(frozen=True)
class Mlflow:
    project: Project

    @property
    def uri(self) -> str:
        """`tracking-uri:`, else MLFLOW_TRACKING_URI, else the embedded file."""
        given = self.project.config.tracking_uri or self.project.world.environ.get(
            "MLFLOW_TRACKING_URI"
        )
        return given or f"sqlite:///{self.project.records.path / DATABASE}"

    def start(self, info: RunInfo) -> RunningChild:
        self.project.records.ignore()
        folder = Path(tempfile.mkdtemp(prefix="mlops-ci-mlflow-"))
        order = {
            "uri": self.uri,
            "artifacts": (self.project.records.path / "mlflow-artifacts").as_uri(),
            "info": msgspec.to_builtins(info),
        }
        write_atomically(folder / "order.json", msgspec.json.encode(order))
        child = RunningChild(self.project, folder, self.uri)
        child.thread.start()
        return child


@dataclass
class RunningChild:
    project: Project
    folder: Path
    uri: str
    finished: Finished | None = None
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        world = self.project.world
        environ = environment_of(world.environ)
        self.finished = world.run_command(
            Command(
                (sys.executable, "-m", "mlops_ci.trackers.mlflow_child", str(self.folder)),
                cwd=self.folder,
                env=environ | {"MLFLOW_HTTP_REQUEST_TIMEOUT": "10"} | _quick_to_give_up(environ),
                keep=64 * 1024,
            )
        )

    def finish(self, result: Result) -> Tracked:
        finite = {name: value for name, value in result.metrics.items() if math.isfinite(value)}
        whole = msgspec.structs.replace(result, metrics=finite)
        write_atomically(self.folder / "result.json", msgspec.json.encode(whole))
        self.thread.join(PATIENCE)
        try:
            return _shareable(self._answer())
        finally:
            if not self.thread.is_alive():
                shutil.rmtree(self.folder, ignore_errors=True)

    def _answer(self) -> Tracked:
        answer = self.folder / "answer.json"
        if answer.is_file():
            return msgspec.json.decode(answer.read_bytes(), type=Tracked)
        if self.finished is None:
            return Tracked(uri=self.uri, error=f"MLflow did not answer within {PATIENCE:.0f} s")
        words = self.finished.error.strip().splitlines()
        return Tracked(uri=self.uri, error=words[-1] if words else "MLflow's process ended early")


def _shareable(found: Tracked) -> Tracked:
    """Records travel to the store and into reports: no password goes with them."""
    error = without_password(found.error) if found.error is not None else None
    return msgspec.structs.replace(found, uri=without_password(found.uri), error=error)


def without_password(text: str) -> str:
    """What stands before the @ of an address, anywhere in a text, is left out."""
    return re.sub(r"://[^/@\s]+@", "://", text)


def environment_of(environ: Mapping[str, str]) -> dict[str, str]:
    """What a process that talks to MLflow may see."""
    return {
        name: value
        for name, value in environ.items()
        if name in KEPT or name.startswith(KEPT_PREFIXES)
    }


def _quick_to_give_up(environ: dict[str, str]) -> dict[str, str]:
    return (
        {}
        if "MLFLOW_HTTP_REQUEST_MAX_RETRIES" in environ
        else {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2"}
    )
