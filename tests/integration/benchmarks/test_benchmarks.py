"""The benchmarks' own promises. No test here looks at a clock: a busy machine is no failure."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchmarks.__main__ import NAMES
from benchmarks.comment import PLOTS, TRAIN, _story
from benchmarks.compare import METRICS, write_pair
from benchmarks.figure import Figure
from benchmarks.jobs import Runner, WatchedGitHub
from benchmarks.load import Server, put_load
from benchmarks.process import time_in_turn
from tests.github_server.scenario import build
from tests.machine.scripts import ROOT

KEYS = {"name", "ours", "peer", "ratio", "goal", "holds"}


def benchmarks(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)


def test_list_names_each_and_each_can_be_run() -> None:
    done = benchmarks("--list")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(NAMES)
    assert all(callable(importlib.import_module(f"benchmarks.{name}").run) for name in NAMES)


def test_an_unknown_name_is_a_wrong_use() -> None:
    done = benchmarks("speed")
    assert done.returncode == 2
    assert "--list" in done.stderr


def test_the_last_line_is_one_object_with_the_ratio() -> None:
    figure = Figure("compare", ours=1.0, peer=4.0, unit="s", goal="≤ 1 s", holds=True)
    told = json.loads(figure.line())
    assert set(told) >= KEYS
    assert told["ratio"] == 0.25
    assert json.loads(Figure("x", 1.0, "s", "", holds=False).line())["ratio"] is None


def test_a_program_that_fails_is_never_a_fast_run() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        time_in_turn([sys.executable, "-c", ""], [sys.executable, "-c", "raise SystemExit(3)"])


def test_the_compared_files_give_as_many_metrics_as_the_goal_names(tmp_path: Path) -> None:
    write_pair(tmp_path, rows=400)
    program = str(Path(sys.executable).with_name("mlops-ci"))
    command = [program, "compare", "base.csv", "head.csv", "--slice", "region", "--json"]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert len(json.loads(done.stdout)["metrics"]) >= METRICS


@contextmanager
def answering(content: bytes) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_load_counts_right_answers_and_refuses_a_wrong_one() -> None:
    with answering(b'{"predictions": [0]}') as port:
        load = put_load(Server(port, b"{}", b'{"predictions":[0]}'), 5, 2, 1.0)
        assert load.throughput > 0
        assert 0 < load.p50 <= load.p99
        with pytest.raises(RuntimeError):
            put_load(Server(port, b"{}", b'{"predictions":[1]}'), 5, 2, 0.1)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Under root the training runs as somebody else, who cannot pass through pytest's folders."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_the_watched_job_comments_after_its_training(open_folder: Path) -> None:
    """With few rows: what is looked at is the order, and that the comment has its pictures."""
    assert "10_000" in TRAIN
    story = _story()
    few = [
        {n: str(f).replace("10_000", "3_000") for n, f in files.items()}
        for files in (*story.main, *story.change)
    ]
    scenario = build(open_folder / "github", type(story)(main=(few[0],), change=(few[1],)))
    github = WatchedGitHub(scenario.root / "repositories", scenario.seed)
    github.start()
    try:
        runner, events = Runner(github, scenario, open_folder), scenario.events(github)
        runner.run("push", events.push("0" * 40, scenario.base), scenario.base)
        assert github.commented_at == 0.0
        runner.run("pull_request", events.pull_request(scenario.number), scenario.head)
    finally:
        github.stop()
    trained = float((open_folder / "job-2" / "workspace" / "clock").read_text())
    assert github.commented_at > trained
    (comment,) = github.state.repository(scenario.full_name).comments.values()
    assert comment["body"].count("<picture>") == PLOTS
