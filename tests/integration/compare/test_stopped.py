"""A signal while DuckDB counts is that signal's, not a bug of ours and not the file's."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from mlops_ci.data.opening import open_table

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


READING = """
import sys, time
from pathlib import Path
from mlops_ci.data.opening import open_table
table = open_table(Path(sys.argv[1]))
print(table.scratch.name, flush=True)
time.sleep(300)
"""


def test_what_a_killed_process_left_goes_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And of two that run at once neither takes the other's."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    (tmp_path / "rows.csv").write_text("label,score\n1,0.5\n")
    command = [sys.executable, "-c", READING, str(tmp_path / "rows.csv")]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        places = [Path(reader.stdout.readline().strip()) for reader in readers if reader.stdout]
        assert [place.is_dir() for place in places] == [True, True]
        readers[0].kill()
        readers[0].wait()
        assert places[0].is_dir()
        open_table(tmp_path / "rows.csv").close()
        assert [place.is_dir() for place in places] == [False, True]
    finally:
        for reader in readers:
            reader.kill()
            reader.communicate()
