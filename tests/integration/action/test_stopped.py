"""A job that is cancelled, or dies, in the middle of training."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.github_server.runner import Job
from tests.integration.action.conftest import Play
from tests.integration.action.jobs import PLAIN, Ran, Runs, action
from tests.waiting import PATIENCE, is_alive, wait_for

HANGING = """\
import os, time
os.makedirs("out", exist_ok=True)
with open("out/started", "w") as file:
    file.write(str(os.getpid()))
time.sleep(600)
"""


@dataclass
class Training:
    """A job whose training hangs. `pid` is the training's own."""

    runs: Runs
    job: Job
    process: subprocess.Popen[bytes]
    files: Path
    pid: int

    def stop(self, number: signal.Signals) -> Ran:
        self.process.send_signal(number)
        out, _ = self.process.communicate(timeout=PATIENCE)
        return self.runs.ended(self.process.returncode, out, self.job, self.files)

    def wait_for_its_end(self) -> None:
        wait_for(lambda: not is_alive(self.pid), "the training's end")


@contextmanager
def training(runs: Runs, run_id: int) -> Iterator[Training]:
    job = runs.pull_job(run_id=run_id)
    environ, files = runs.prepare(job)
    process = subprocess.Popen(
        action(), cwd=job.workspace, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    started = job.workspace / "out" / "started"
    wait_for(
        lambda: process.poll() is not None or (started.is_file() and started.read_text()),
        "the training's start",
    )
    assert process.poll() is None
    pid = int(started.read_text())
    try:
        yield Training(runs, job, process, files, pid)
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def runs(play: Play) -> Runs:
    return play({"train.py": HANGING}, main=(PLAIN,))


def test_a_cancelled_job_closes_its_checks(runs: Runs) -> None:
    with training(runs, 1) as hanging:
        assert {check["status"] for check in runs.checks().values()} == {"in_progress"}
        ran = hanging.stop(signal.SIGTERM)
        assert ran.code == 143, ran.log
        hanging.wait_for_its_end()
    wanted = {"mlops-ci verdict": "cancelled", "mlops-ci: churn": "cancelled"}
    assert runs.conclusions() == wanted
    assert (ran.state, runs.comments) == ({"closed": "true"}, [])
    assert ran.outputs["verdict"] == "error"
    assert ran.commands[-1].name != "group", "no folded group stays open"


def test_the_post_step_closes_what_a_killed_job_left_open(runs: Runs) -> None:
    with training(runs, 2) as hanging:
        ran = hanging.stop(signal.SIGKILL)
    assert (ran.code, ran.state, ran.outputs) == (-signal.SIGKILL, {}, {})
    assert {check["status"] for check in runs.checks().values()} == {"in_progress"}
    post = runs.job(hanging.job, "post")
    assert post.code == 0, post.log
    wanted = {"mlops-ci verdict": "cancelled", "mlops-ci: churn": "cancelled"}
    assert runs.conclusions() == wanted
    title = runs.checks()["mlops-ci verdict"]["output"]["title"]
    assert title == "Ended without a verdict"
