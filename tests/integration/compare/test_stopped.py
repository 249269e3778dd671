"""A signal while DuckDB counts is that signal's, not a bug of ours and not the file's."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

COUNTING = """
import os, signal, sys, threading
from pathlib import Path
from mlops_ci.data.connection import connect, guarded
from mlops_ci.errors import Terminated

def terminate(*_):
    raise Terminated

signal.signal(signal.SIGTERM, terminate)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a starter may have it ignored
query = "SELECT count(DISTINCT hash(range)) FROM range(1_000_000_000)"
connection = connect()
threading.Timer(1.0, os.kill, (os.getpid(), int(sys.argv[1]))).start()
try:
    guarded(Path("rows.csv"), lambda: connection.execute(query).fetchall())
except BaseException as error:
    print(type(error).__name__)
"""


@pytest.mark.parametrize(
    ("number", "raised"), [(signal.SIGTERM, "Terminated"), (signal.SIGINT, "KeyboardInterrupt")]
)
def test_a_signal_while_rows_are_counted(number: signal.Signals, raised: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COUNTING, str(int(number))],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.stdout.split() == [raised], done.stderr
