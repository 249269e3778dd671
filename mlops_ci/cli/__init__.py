"""Doors for people: options → request → step → print → exit code; nothing else."""

from __future__ import annotations

import sys

from mlops_ci.cli.program import run_program


def main() -> None:
    """The entry point `mlops-ci`."""
    sys.exit(run_program(sys.argv[1:]))
