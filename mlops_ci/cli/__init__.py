"""Doors for people: options → request → step → print → exit code; nothing else."""

from __future__ import annotations

import io
import sys

from mlops_ci.cli.program import run_program


def main() -> None:
    """The entry point `mlops-ci`. A terminal that knows no `─` shows a question mark."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    sys.exit(run_program(sys.argv[1:]))
