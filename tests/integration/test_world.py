"""Real subprocesses: exit codes, signals, time limits, output."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_ci.world import Command, World, run_subprocess
from tests.waiting import PATIENCE, is_alive, wait_for

STOPPED = """\
import signal, sys, threading, time
from mlops_ci.world import Command, run_subprocess

def busy():
    while True:
        pass

def stop(number, frame):
    raise SystemExit(7)

CHILD = '''
import os, signal, sys, time
with open(sys.argv[1], "w") as file:
    file.write(str(os.getpid()))
os.kill(os.getppid(), signal.SIGTERM)
time.sleep(600)
'''
signal.signal(signal.SIGTERM, stop)
sys.setswitchinterval(1.0)
threading.Thread(target=busy, daemon=True).start()
run_subprocess(Command(argv=[sys.executable, "-c", CHILD, sys.argv[1]]))
"""


def python(code: str, **options: object) -> Command:
    return Command(argv=[sys.executable, "-c", code], **options)  # type: ignore[arg-type]


def test_exit_code_output_and_memory() -> None:
    done = run_subprocess(
        python("import sys; print('a'); print('b', file=sys.stderr); sys.exit(7)")
    )
    assert (done.code, done.text, done.error) == (7, "a\n", "b\n")
    assert done.peak_bytes > 1_000_000


def test_a_signal_is_told_from_an_exit_code() -> None:
    assert run_subprocess(python("import os; os.kill(os.getpid(), 9)")).code == -9


def test_the_time_limit_ends_grandchildren_too() -> None:
    for limit in (0.5, 5.0, 50.0):  # until it is one in which a busy machine starts both
        done = run_subprocess(
            Command(argv=["sh", "-c", "sleep 600 & echo $!; wait"], timeout=limit)
        )
        assert done.code is None
        if done.stdout:
            break
    grandchild = int(done.stdout)
    wait_for(lambda: not is_alive(grandchild), "the grandchild's end")


def test_the_last_words_of_a_process_that_ends_late_are_kept() -> None:
    code = (
        "import signal, sys, time\n"
        "def end(*_):\n    time.sleep(2.5)\n    print('ended')\n    sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); print('started', flush=True); time.sleep(600)"
    )
    for limit in (0.5, 5.0, 50.0):
        done = run_subprocess(python(code, timeout=limit))
        assert done.code is None
        if done.stdout:
            break
    assert done.text == "started\nended\n"


def test_a_signal_while_a_process_starts_leaves_none_behind(tmp_path: Path) -> None:
    """The child stops us before our own start of it has returned: another thread holds us up."""
    script = tmp_path / "parent.py"
    script.write_text(STOPPED)
    argv = [sys.executable, str(script), str(tmp_path / "child")]
    assert subprocess.run(argv, check=False, timeout=PATIENCE).returncode == 7
    child = int((tmp_path / "child").read_text())
    wait_for(lambda: not is_alive(child), "the child's end")


def test_output_is_echoed_while_it_comes() -> None:
    seen: list[bytes] = []
    run_subprocess(python("print('x' * 200000)", echo=seen.append))
    assert len(seen) > 1
    assert len(b"".join(seen)) == 200001


def test_the_environment_is_the_given_one() -> None:
    done = run_subprocess(python("import os; print(sorted(os.environ))", env={"LC_ALL": "C"}))
    assert "HOME" not in done.text


@pytest.mark.skipif(os.geteuid() != 0, reason="changing the user needs root")
def test_a_command_runs_as_another_user() -> None:
    done = run_subprocess(Command(argv=["/usr/bin/id"], user=(1234, 1235)))
    assert "uid=1234" in done.text
    assert "groups=1235" in done.text


def test_a_world_within_another_folder(tmp_path: Path) -> None:
    assert World().within(tmp_path).run("pwd").text.strip() == str(tmp_path)
