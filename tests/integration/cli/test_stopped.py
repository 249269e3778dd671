"""A command that is told to end, by a signal, takes the user's training with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.repositories import make_repository
from tests.machine.scripts import ROOT
from tests.waiting import PATIENCE, is_alive, wait_for

# Whoever starts the tests may ignore the signal (`nohup`), and its children would too.
HEARING = ("env", "--default-signal=HUP,INT,TERM")
HANGING = """\
import os, time
with open("started.tmp", "w") as file:
    file.write(str(os.getpid()))
os.rename("started.tmp", "started")
time.sleep(600)
"""
CONFIG = "tracking-uri: none\nmodels: {churn: {train: python3 train.py, metrics: m.json}}\n"


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 143), (signal.SIGINT, 130)]
)
def test_a_signal_ends_the_training_too(tmp_path: Path, number: signal.Signals, code: int) -> None:
    repo = make_repository(tmp_path)
    ignored = "/started*\n/m.json\n"
    repo.commit({"mlops-ci.yaml": CONFIG, "train.py": HANGING, ".gitignore": ignored})
    process = subprocess.Popen(
        [*HEARING, sys.executable, "-m", "mlops_ci", "train"],
        cwd=repo.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    child = _started(process, repo.folder / "started")
    try:
        process.send_signal(number)
        out, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == code
        assert out.decode().endswith("stopped\n")
        assert "Traceback" not in out.decode()
        wait_for(lambda: not is_alive(child), "the training's end")
    finally:
        process.kill()


def _started(process: subprocess.Popen[bytes], told: Path) -> int:
    wait_for(lambda: process.poll() is not None or told.is_file(), "the training's start")
    assert process.poll() is None
    return int(told.read_text())
