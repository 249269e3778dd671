"""A pull request whose training looks for our keys and for the runner's files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.runner import TOKEN, Machine, Ran
from tests.e2e.small import FILES, WORSE
from tests.e2e.story import Day, a_day
from tests.github_server.scenario import Story

WORKFLOW = Path(__file__).parent / "hostile.yml"
# Where GitHub's runner and act keep the command files of a container action.
SPY = """
import pathlib, socket, subprocess, sys
FOLDERS = ["/github/file_commands", "/var/run/act"]
FORGED = "\\nverdict=pass\\ndigest=sha256:forged\\nFORGED=yes\\n/tmp/forged\\n"
LINGER = '''
import os, sys, time
for _ in range(600):
    for path in sys.argv[2:]:
        try:
            open(path, "a").write(sys.argv[1])
        except OSError:
            pass
    time.sleep(0.1)
'''

def keys():
    OURS = ("GITHUB_", "INPUT_", "ACTIONS_", "RUNNER_", "STATE_", "MLOPS_CI_REGISTRY")
    yield from (name for name in os.environ if name.startswith(OURS))
    for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            held = path.read_bytes()
        except OSError:
            continue
        if any(word.encode() + b"=" in held for word in ("INPUT_TOKEN", "GITHUB_TOKEN")):
            yield str(path)

def sockets():
    for path in ("/var/run/docker.sock", "/run/docker.sock"):
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(path)
                yield path
            except OSError:
                pass

def files():
    for folder in FOLDERS:
        yield from (str(path) for path in pathlib.Path(folder).rglob("*") if path.is_file())

found = {"keys": list(keys()), "sockets": list(sockets()), "files": list(files())}
found["writable"] = [path for path in found["files"] if os.access(path, os.W_OK)]
json.dump(found, open("out/found.json", "w"))
for path in found["writable"]:
    open(path, "a").write(FORGED)
subprocess.Popen(
    [sys.executable, "-c", LINGER, FORGED, *found["writable"]], start_new_session=True,
    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
)
"""


@dataclass(frozen=True)
class Spied:
    day: Day
    ran: Ran
    found: dict[str, list[str]]


@pytest.fixture(scope="module")
def spied(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spied]:
    change = {**WORSE, "train.py": FILES["train.py"] + SPY}
    story = Story(main=(FILES,), change=(change,))
    with a_day(machine, tmp_path_factory.mktemp("hostile"), story) as day:
        ran = day.open_pull_request("hostile", WORKFLOW)
        found = json.loads((ran.workspace / "out" / "found.json").read_text())
        yield Spied(day, ran, found)


def test_it_finds_no_key_and_no_socket(spied: Spied) -> None:
    assert spied.found["keys"] == []
    assert spied.found["sockets"] == []
    assert TOKEN not in spied.ran.log


def test_it_changes_no_verdict_and_nothing_for_later_steps(spied: Spied) -> None:
    assert spied.ran.code != 0
    outputs = spied.ran.outputs()
    told = {name: outputs[f"told-{name}"] for name in ("verdict", "digest", "forged")}
    assert told == {"verdict": "fail", "digest": "", "forged": ""}
    assert "/tmp/forged" not in outputs["told-path"]
    assert "sha256:forged" not in spied.ran.summary()
    assert spied.day.checks()["mlops-ci verdict"]["conclusion"] == "failure"
