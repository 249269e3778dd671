"""Runs one of `scripts/`: the same ones that `make test` and a person at a shell run."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CANNOT_START = 4


def machine_can_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def run_script(name: str, *arguments: str, installable: bool | None = None) -> list[str]:
    """Returns the lines that the script printed.

    Where the machine could install the thing, a failure fails the tests. Only where it could not
    (no root, no Debian, no Go for a Go program) are they skipped, for the reason the script gives.
    """
    script = ROOT / "scripts" / name
    done = subprocess.run([script, *arguments], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return done.stdout.splitlines()
    if installable is None:
        installable = machine_can_install()
    if done.returncode == CANNOT_START and not installable:
        pytest.skip(f"{name}: {done.stderr.strip()}")
    pytest.fail(f"{name} ended with {done.returncode}:\n{done.stderr}", pytrace=False)
