"""The page about the commands says what `--help` says."""

from __future__ import annotations

import subprocess
import sys

from mlops_ci.cli.program import COMMANDS
from mlops_ci.options import OPTIONS
from tests.machine.scripts import ROOT


def test_the_page_is_what_the_commands_say() -> None:
    command = [sys.executable, "scripts/command_page.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_every_command_and_every_flag_is_on_it() -> None:
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    for name in COMMANDS:
        assert f"## `mlops-ci {name}" in page
    for option in OPTIONS:
        if option.only != "action":
            assert f"`--{option.name}" in page
            assert option.help in page
