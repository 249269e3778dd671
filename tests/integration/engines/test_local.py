"""The user's command finds none of our keys, is ended whole, and cannot speak to the runner."""

from __future__ import annotations

import json
import os
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mlops_ci.engines import Job, engine_of
from mlops_ci.engines.local import Local
from mlops_ci.engines.owner import NOBODY, lent
from mlops_ci.world import World
from tests.waiting import PATIENCE, is_alive, wait_for

SPY = """
import glob, json, os, socket
found = {k: v for k, v in os.environ.items()}
docker = {}
for path in ("/var/run/docker.sock", os.environ.get("PROBE", "")):
    try:
        s = socket.socket(socket.AF_UNIX); s.connect(path); docker[path] = True
    except OSError:
        docker[path] = False
json.dump({"environ": found, "docker": docker, "uid": os.getuid(), "gid": os.getgid(),
           "groups": os.getgroups()}, open("spied.json", "w"))
"""
KEYS = {
    "GITHUB_TOKEN": "s3cr3t", "GH_TOKEN": "s3cr3t", "INPUT_TOKEN": "s3cr3t", "INPUT_MAX-DROP": "1",
    "ACTIONS_RUNTIME_TOKEN": "s3cr3t", "ACTIONS_ID_TOKEN_REQUEST_URL": "s3cr3t",
    "GITHUB_OUTPUT": "/tmp/o", "GITHUB_ENV": "/tmp/e", "GITHUB_STATE": "/tmp/s",
    "GITHUB_STEP_SUMMARY": "/tmp/x", "DOCKER_HOST": "tcp://s3cr3t", "AWS_SECRET_ACCESS_KEY": "s3cr3t",
    "MY_API_KEY": "mine", "PIP_INDEX_URL": "https://user:s3cr3t@host/simple", "OMP_NUM_THREADS": "1",
    "SSH_AUTH_SOCK": "/tmp/agent",
}  # fmt: skip


# Another user may not get to the Python of this test run (it can lie in root's home).
PYTHON = next(
    path
    for path in ("/usr/bin/python3", "/usr/local/bin/python3", sys.executable)
    if Path(path).exists()
)


def job(folder: Path, *argv: str) -> Job:
    log = folder / "log.txt"
    return Job("run", argv or (PYTHON, "spy.py"), folder, folder, log, timeout=PATIENCE)


def world(folder: Path, **more: str) -> World:
    return World(environ={**os.environ, **KEYS, **more}, folder=folder)


def spied(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "spied.json").read_text())
    return found


def test_a_spy_finds_no_key_and_no_command_file(tmp_path: Path) -> None:
    (tmp_path / "spy.py").write_text(SPY)
    ended = engine_of("local", world(tmp_path)).run(
        replace(job(tmp_path), secrets=["MY_API_KEY"], variables=(("MLOPS_CI_MODEL", "churn"),))
    )
    assert ended.code == 0, ended.tail
    environ = spied(tmp_path)["environ"]
    assert isinstance(environ, dict)
    assert "s3cr3t" not in json.dumps(environ)
    assert not [name for name in environ if name.startswith(("INPUT_", "ACTIONS_", "GITHUB_"))]
    assert environ["MY_API_KEY"] == "mine"
    assert environ["OMP_NUM_THREADS"] == "1"
    assert environ["MLOPS_CI_MODEL"] == "churn"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become the workspace's owner")
def test_root_becomes_the_owner_and_cannot_reach_a_socket_of_root(tmp_path: Path) -> None:
    workspace = open_folder(tmp_path, "workspace")
    (workspace / "spy.py").write_text(SPY)
    os.chown(workspace, 1234, 1234)
    place = open_folder(tmp_path, "run") / "docker.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(place))
        server.listen()
        place.chmod(0o660)
        spy = job(workspace)
        ended = Local(world(workspace)).run(replace(spy, variables=(("PROBE", str(place)),)))
        assert ended.code == 0, ended.tail
    found = spied(workspace)
    assert (found["uid"], found["gid"], found["groups"]) == (1234, 1234, [])
    assert found["docker"] == {"/var/run/docker.sock": False, str(place): False}
    assert (workspace / "spied.json").stat().st_uid == 1234


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has something to lend")
def test_in_a_runner_a_root_owned_workspace_is_lent_and_given_back(tmp_path: Path) -> None:
    workspace = open_folder(tmp_path, "workspace")
    (workspace / "spy.py").write_text(SPY)
    ended = Local(world(workspace, GITHUB_ACTIONS="true")).run(job(workspace))
    assert ended.code == 0, ended.tail
    assert spied(workspace)["uid"] == NOBODY
    assert spied(workspace)["docker"] == {"/var/run/docker.sock": False, "": False}
    assert {path.stat().st_uid for path in workspace.rglob("*")} == {0}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has something to lend")
def test_lending_does_not_follow_links_out_of_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("kept")
    outside.chmod(0o600)
    inside = open_folder(tmp_path, "inside")
    (inside / "link").symlink_to(outside)
    with lent(inside, (NOBODY, NOBODY)):
        pass
    assert outside.stat().st_mode & 0o777 == 0o600
    assert outside.stat().st_gid == 0


def open_folder(tmp_path: Path, name: str) -> Path:
    """A folder that another user can get to: pytest's own are closed to them."""
    import tempfile

    place = Path(tempfile.mkdtemp(prefix="mlops-ci-test-")) / name
    place.parent.chmod(0o755)
    place.mkdir()
    del tmp_path
    return place


def test_output_is_echoed_while_it_comes_and_kept_whole_in_the_log(tmp_path: Path) -> None:
    """The command ends only after its first line was heard."""
    code = (
        "import os, time; print('::set-output name=x::y', flush=True)\n"
        "while not os.path.exists('heard'): time.sleep(0.01)\n"
        "print('end')"
    )
    seen: list[bytes] = []

    def hear(block: bytes) -> None:
        seen.append(block)
        (tmp_path / "heard").touch()

    ended = Local(world(tmp_path)).run(job(tmp_path, sys.executable, "-c", code), hear)
    assert b"".join(seen) == b"::set-output name=x::y\nend\n"
    assert (tmp_path / "log.txt").read_bytes() == b"::set-output name=x::y\nend\n"
    assert ended.tail.endswith("end")


def test_a_flood_of_output_keeps_its_tail_in_memory_and_all_of_it_on_disk(tmp_path: Path) -> None:
    code = "import sys\nfor i in range(300000): sys.stdout.write(f'line {i:08d} of a long log\\n')"
    ended = Local(world(tmp_path)).run(job(tmp_path, sys.executable, "-c", code))
    assert ended.tail.splitlines()[-1] == "line 00299999 of a long log"
    assert len(ended.tail) < 64_000
    assert (tmp_path / "log.txt").stat().st_size == 300_000 * 28


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open('child', 'w').write(str(p.pid)); print('waiting', flush=True); time.sleep(600)"
    )
    for limit in (1.5, 15, 150):  # until it is one in which a busy machine starts both
        ended = Local(world(tmp_path)).run(
            replace(job(tmp_path, sys.executable, "-c", code), timeout=limit)
        )
        assert ended.code is None
        if ended.tail:
            break
    child = int((tmp_path / "child").read_text())
    wait_for(lambda: not is_alive(child), "the child's end")


def test_a_killed_command_says_so(tmp_path: Path) -> None:
    ended = Local(world(tmp_path)).run(job(tmp_path, "/bin/sh", "-c", "kill -9 $$"))
    assert ended.code == -9


def test_a_command_that_does_not_exist_is_an_end_not_a_crash(tmp_path: Path) -> None:
    ended = Local(world(tmp_path)).run(job(tmp_path, "no-such-program"))
    assert ended.code == 127
    assert "no-such-program" in ended.tail
