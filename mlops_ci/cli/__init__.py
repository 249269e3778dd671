"""Doors for people: options → request → step → print → exit code; nothing else."""

from __future__ import annotations

import gc
import io
import sys


def main() -> None:
    """The entry point `mlops-ci`. A terminal that knows no `─` shows a question mark."""
    # What is imported is no garbage: it is looked at neither now nor at the end.
    gc.disable()
    from mlops_ci.cli.program import run_program

    gc.freeze()
    gc.enable()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    sys.exit(run_program(sys.argv[1:]))
