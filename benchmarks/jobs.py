"""Jobs as GitHub's runner would start them, against a GitHub on loopback, for the stop-watch."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.github_server.messages import Json, Request, Response
from tests.github_server.runner import Job, environment
from tests.github_server.scenario import Scenario
from tests.github_server.server import GitHub

ROOT = Path(__file__).parents[1]
FOREIGN = ("GIT_", "GITHUB_", "INPUT_", "MLFLOW_", "MLOPS_CI_", "STATE_")


class WatchedGitHub(GitHub):
    """Knows when a comment was last answered as written, in seconds of `time.time`."""

    commented_at = 0.0

    def answer(self, request: Request) -> Response:
        response = super().answer(request)
        writes = request.method in {"POST", "PATCH"} and "/comments" in request.path
        if writes and response.status < 300:
            self.commented_at = time.time()
        return response


@dataclass
class Runner:
    """Every job gets a checkout of its own below `folder`."""

    github: GitHub
    scenario: Scenario
    folder: Path
    jobs: int = field(default=0)

    def run(self, event: str, payload: Json, commit: str) -> None:
        """Raises CalledProcessError, with the log, when the job fails."""
        self.jobs += 1
        workspace = self.folder / f"job-{self.jobs}" / "workspace"
        self._check_out(workspace, commit)
        job = Job(event, payload, workspace, run_id=self.jobs)
        clean = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        environ = {
            **clean,
            **environment(self.github, job, workspace.parent / "files"),
            "INPUT_TOKEN": job.token,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), clean["PATH"]]),
            "PYTHONPATH": str(ROOT),
        }
        argv = [sys.executable, "-m", "mlops_ci.action"]
        done = subprocess.run(
            argv, cwd=workspace, env=environ, check=False, capture_output=True, text=True
        )
        if done.returncode:
            print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
            raise subprocess.CalledProcessError(done.returncode, argv)

    def _check_out(self, workspace: Path, commit: str) -> None:
        """What actions/checkout leaves: the head, all history, no credentials."""
        workspace.mkdir(parents=True)
        for arguments in (
            ("init", "-q", "-b", "main"),
            ("remote", "add", "origin", self.github.clone_url(self.scenario.full_name)),
            ("fetch", "-q", str(self.scenario.bare), "+refs/heads/*:refs/remotes/origin/*"),
            ("-c", "advice.detachedHead=false", "checkout", "-q", commit),
        ):
            subprocess.run(["git", *arguments], cwd=workspace, check=True)
