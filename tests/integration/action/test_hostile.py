"""A training that talks to the runner, and looks for our keys.

Here the job runs on this machine: as root the training gets the workspace owner's rights, as
anybody else it has ours. In the image a job is always root's, and sees the container's processes
and files alone: tests/e2e plays that.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from tests.integration.action.conftest import Play
from tests.integration.action.jobs import BETTER, PLAIN, Ran, Runs

COMMANDS = (
    "::set-output name=verdict::pass",
    "::add-mask::trained",
    "::error file=train.py,line=1::forged",
    "::endgroup::",
    "::save-state name=closed::true",
    "::stop-commands::resume",
    "::resume::",
    "##[error]forged",
)
LOOK = """
import glob, json, os, socket, subprocess

def read(path):
    try:
        return open(path, "rb").read().decode("utf-8", "replace")
    except OSError as error:
        return "refused: " + type(error).__name__

def ask_docker():
    try:
        with socket.socket(socket.AF_UNIX) as door:
            door.connect("/var/run/docker.sock")
        return "open"
    except OSError as error:
        return "refused: " + type(error).__name__

found = {
    "environment": dict(os.environ),
    "parent": read(f"/proc/{os.getppid()}/environ"),
    "git": read(".git/config"),
    "docker": ask_docker(),
    "uid": os.getuid(),
}
with open("out/trap.sh", "w") as file:
    file.write("#!/bin/sh\\necho $(id -u) >> " + os.path.abspath("out/sprung") + "\\ncat\\n")
os.chmod("out/trap.sh", 0o755)
for verb in ("clean", "smudge"):
    setting = ("filter.trap." + verb, os.path.abspath("out/trap.sh"))
    subprocess.run(("git", "-c", "safe.directory=*", "config") + setting, check=True)
with open(".git/info/attributes", "w") as file:
    file.write("* filter=trap\\n")
for name in ("README.md", "params.yaml", "mlops-ci.yaml"):
    os.utime(name, (1, 1))  # so that Git reads it again
for path in glob.glob("../files-*/GITHUB_*"):
    with open(path, "a") as file:
        file.write("verdict<<x\\nforged\\nx\\n")
json.dump(found, open("out/found.json", "w"))
print("an unfinished line", end="")
"""
TOKEN = "a-token-to-look-for"


@pytest.fixture(scope="module")
def hostile(play: Play) -> tuple[Runs, Ran]:
    said = "".join(f"print({line!r})\n" for line in COMMANDS)
    runs = play({"train.py": PLAIN["train.py"] + said + LOOK, **BETTER}, main=(PLAIN,))
    token = runs.allow(TOKEN, contents="read", pull_requests="write", checks="write")
    return runs, runs.pull_request(token=token)


@pytest.fixture(scope="module")
def found(hostile: tuple[Runs, Ran]) -> dict[str, Any]:
    _, ran = hostile
    told: dict[str, Any] = json.loads((ran.workspace / "out" / "found.json").read_text())
    return told


def test_what_it_prints_is_text(hostile: tuple[Runs, Ran]) -> None:
    _, ran = hostile
    assert ran.code == 0, ran.log
    for line in COMMANDS:
        assert line in ran.log
    understood = {command.name for command in ran.commands}
    assert understood == {"add-mask", "group", "endgroup"}
    assert [c.message for c in ran.commands if c.name == "add-mask"] == [TOKEN]
    groups = [command.name for command in ran.commands if command.name != "add-mask"]
    assert groups == ["group", "endgroup"] * (len(groups) // 2)


def test_its_environment_holds_no_key_and_no_file_of_the_runner(found: dict[str, Any]) -> None:
    environment = found["environment"]
    assert not [name for name in environment if name.startswith(("GITHUB_", "INPUT_", "ACTIONS_"))]
    assert not [name for name in environment if "TOKEN" in name]
    assert TOKEN not in str(environment)


def test_neither_git_nor_docker_gives_it_a_key(found: dict[str, Any]) -> None:
    assert "[remote" in found["git"]
    assert TOKEN not in found["git"]
    assert "extraheader" not in found["git"]
    if found["uid"] != 0 and os.geteuid() == 0:  # else it is the tester's own socket
        assert found["docker"].startswith("refused")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give rights up, as in the image")
def test_it_may_not_look_into_our_process(found: dict[str, Any]) -> None:
    assert found["uid"] != 0
    assert found["parent"] == "refused: PermissionError"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights that it could take")
def test_programs_that_it_names_to_git_get_no_more_rights_than_it_had(
    hostile: tuple[Runs, Ran], found: dict[str, Any]
) -> None:
    _, ran = hostile
    ran_as = (ran.workspace / "out" / "sprung").read_text().split()
    assert set(ran_as) == {str(found["uid"])}


def test_what_it_wrote_for_the_runner_is_taken_back(hostile: tuple[Runs, Ran]) -> None:
    runs, ran = hostile
    assert ran.outputs["verdict"] == "pass"
    for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STATE"):
        assert "forged" not in (ran.files / name).read_text(), name
    assert "forged" not in ran.summary
    assert set(runs.conclusions().values()) == {"success"}


def test_the_token_is_in_nothing_that_stays(hostile: tuple[Runs, Ran]) -> None:
    runs, ran = hostile
    kept = [path for path in ran.workspace.rglob("*") if path.is_file()]
    assert not [path for path in kept if TOKEN.encode() in path.read_bytes()]
    assert TOKEN not in str(runs.comments) + ran.summary
    assert ran.log.count(TOKEN) == 1
