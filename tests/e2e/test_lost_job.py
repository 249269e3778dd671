"""A job that is cancelled, or killed, while a model trains: no check stays open, nothing of root's."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.action.door import GIVEN_BACK
from tests.e2e.runner import Machine
from tests.e2e.small import FILES
from tests.e2e.story import a_day
from tests.github_server.scenario import Story
from tests.waiting import wait_for

WORKFLOW = Path(__file__).parent / "lost.yml"
ENDLESS = """
import pathlib, time
pathlib.Path("out").mkdir(exist_ok=True)
pathlib.Path("out/started").touch()
time.sleep(600)
"""


def end_while_training(engine: Any, image: str, workspace: Path, signal: str) -> None:
    """The action's container; the job's own has the workspace too, but another image."""
    wait_for((workspace / "out" / "started").exists, "the training's start")
    for container in engine.containers.list(ignore_removed=True):
        places = [mount.get("Source") for mount in container.attrs["Mounts"]]
        if container.attrs["Config"]["Image"] == image and str(workspace) in places:
            container.kill(signal)


@pytest.mark.parametrize(
    ("signal", "status"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGKILL", 137)]
)
def test_what_a_lost_job_leaves(
    machine: Machine,
    action_images: Any,
    docker_engine: Any,
    tmp_path: Path,
    signal: str,
    status: int,
) -> None:
    story = Story(main=(FILES,), change=({"train.py": ENDLESS},))
    with a_day(machine, tmp_path, story) as day:
        workspace = tmp_path / "lost" / "workspace"
        killer = threading.Thread(
            target=end_while_training, args=(docker_engine, action_images.full, workspace, signal)
        )
        killer.start()
        ran = day.open_pull_request("lost", WORKFLOW)
        killer.join()
        assert ran.code != 0
        assert f"exit with `FAILURE`: {status}" in ran.log
        checks = day.checks(day.scenario.head)
        assert "mlops-ci verdict" in checks
        assert {check["status"] for check in checks.values()} == {"completed"}
        assert {check["conclusion"] for check in checks.values()} == {"cancelled"}
        given_back = ran.strangers()  # by the post step, when we had no time to do it ourselves
        assert len(given_back) == (1 if signal == "SIGKILL" else 0)
        assert all(GIVEN_BACK in line for line in given_back)
