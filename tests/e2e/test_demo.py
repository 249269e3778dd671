"""`python -m demo`, played with the process target: its records say what it says."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from demo.story import PULL_REQUESTS, ROWS
from tests.machine.scripts import ROOT
from tests.waiting import PATIENCE, wait_for

SECONDS = 1800  # of a machine that others use too; alone it takes a minute


@dataclass(frozen=True)
class Played:
    """The one run that all tests here look at."""

    code: int
    said: str
    out: Path
    service: str
    environ: dict[str, str]

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.out / "digits"), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def record(self, branch: str, step: str) -> dict[str, Any]:
        folder = self.out / "digits" / ".mlops-ci" / "digits" / self.git("rev-parse", branch)
        content: dict[str, Any] = json.loads((folder / f"{step}.json").read_text())
        return content


def demo(*arguments: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "demo", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environ, check=False, capture_output=True, text=True, timeout=SECONDS
    )


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Docker is hidden, and asked for by nobody: the demo has to find the other way by itself."""
    folder = tmp_path_factory.mktemp("demo")
    service = f"demo-{uuid.uuid4().hex[:8]}"
    environ = os.environ | {
        "DOCKER_HOST": "tcp://127.0.0.1:1",
        "XDG_STATE_HOME": str(folder / "s"),
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "MLFLOW_TRACKING_URI": "http://127.0.0.1:1",
    }
    options = ["--out", str(folder / "out"), "--service", service]
    try:
        done = demo(*options, environ=environ)
        said = done.stdout + done.stderr
        yield Played(done.returncode, said, folder / "out", service, environ)
    finally:
        demo("--end", "--service", service, environ=environ)


def test_it_ends_well_and_says_why_there_is_no_image(played: Played) -> None:
    assert played.code == 0, played.said
    assert "There is no Docker here" in played.said
    assert "DOCKER_HOST=tcp://127.0.0.1:1" in played.said


@pytest.mark.parametrize("pull", PULL_REQUESTS, ids=lambda pull: pull.verdict)
def test_each_pull_request_has_its_verdict_on_the_same_rows(played: Played, pull: Any) -> None:
    record = played.record(pull.branch, "compare")
    assert record["verdict"] == pull.verdict
    assert record["blocks"] is (pull.exit_code == 1)
    assert record["base"]["commit"] == played.git("rev-parse", "main^1")
    assert (record["rows"]["paired"], record["rows"]["paired_by"]) == (ROWS, "id")
    assert len(record["gates"]) == 6
    undone = [
        (g["metric"], g["slice"], g["kind"]) for g in record["gates"] if g["verdict"] != "pass"
    ]
    assert undone == ([] if pull.decided_by is None else [pull.decided_by])
    assert (played.out / "reports" / f"{pull.branch}.html").stat().st_size > 10_000


def test_one_gate_file_holds_for_all(played: Played) -> None:
    files = {played.git("rev-parse", f"{pull.branch}:mlops-ci.yaml") for pull in PULL_REQUESTS}
    assert files == {played.git("rev-parse", "main^1:mlops-ci.yaml")}


def test_what_is_live_is_what_was_evaluated_after_the_merge(played: Played) -> None:
    evaluated = played.record("main", "evaluate")["artifact"]["digest"]
    deployed = played.record("main", "deploy")
    assert deployed["status"] == "live"
    assert deployed["reference"] == f"out/model@{evaluated}"
    assert deployed["previous"] == played.record("main^1", "deploy")["reference"]
    assert deployed["notes"] == [], "the model has an example to be asked before the switch"
    with urllib.request.urlopen(f"{deployed['url']}/v2/models/digits", timeout=PATIENCE) as answer:
        assert json.load(answer)["parameters"]["digest"] == evaluated


def test_it_says_where_to_look_and_the_places_exist(played: Played) -> None:
    told = played.said.partition("Where to look")[2]
    pages = re.findall(r"(?m)^ +(?:pass|fail|inconclusive) +(\S+)$", told)
    assert [Path(page).stem for page in pages] == [pull.branch for pull in PULL_REQUESTS]
    assert all(Path(page).is_file() for page in pages)
    assert str(played.record("main", "deploy")["url"]) in told


def test_a_folder_of_somebody_elses_is_left_alone(tmp_path: Path, played: Played) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    other = [*("--out", str(tmp_path)), *("--service", f"{played.service}-other")]
    done = demo(*other, "--target", "process", environ=played.environ)
    assert done.returncode == 1
    assert "is not a demo's" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_docker_asked_for_by_name_and_absent_is_an_error(tmp_path: Path, played: Played) -> None:
    other = ["--out", str(tmp_path / "out"), "--service", f"{played.service}-other"]
    done = demo(*other, "--target", "docker", environ=played.environ)
    assert done.returncode == 1
    assert "no Docker engine answers" in done.stderr


def test_a_demo_that_was_killed_leaves_nothing_in_the_way(tmp_path: Path, played: Played) -> None:
    """Killed while the first model trains; the next one waits for that command, then starts anew."""
    out = tmp_path / "out"
    mine = ["--out", str(out), "--service", f"{played.service}-killed", "--target", "process"]
    command = [sys.executable, "-m", "demo", *mine]
    with subprocess.Popen(
        command, cwd=ROOT, env=played.environ, stdout=subprocess.DEVNULL
    ) as first:
        records = out / "digits" / ".mlops-ci"
        wait_for(lambda: first.poll() is not None or records.exists(), "the first training")
        first.send_signal(signal.SIGKILL)
        left = list(out.iterdir())
        done = demo(*mine, "--end", environ=played.environ)
    assert left
    assert done.returncode == 0, done.stderr
    assert "waiting for its end" in done.stdout
