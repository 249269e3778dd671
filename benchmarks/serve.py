"""One row to /invocations: our model server against `mlflow models serve`, one process each.

The same folder, the same scikit-learn; each in an environment of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.figure import Figure, print_table
from benchmarks.load import Load, Server, put_load
from benchmarks.process import MLFLOW, peer_environment
from mlops_ci.images.engine import architecture
from mlops_ci.images.recipe import read_recipe
from mlops_ci.targets.environment import ready_environment
from mlops_ci.world import World

ROUNDS = 5
REQUESTS = 300
CONNECTIONS = 16
SECONDS = 3.0
START_SECONDS = 60.0
GOAL_RATIO = 0.5
ROOT = Path(__file__).parents[1]
SAVE = Path(__file__).parent / "peers" / "save_models.py"


def run() -> Figure:
    peer = peer_environment("mlflow", *MLFLOW)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(
            [peer / "python", SAVE, "logistic", folder, "1"], check=True, capture_output=True
        )
        model = folder / "model-0"
        python = ready_environment(read_recipe(model, architecture(World())), World())
        settings = {
            "PYTHONPATH": str(ROOT),
            "MLOPS_CI_MODEL_FOLDER": str(model),
            "MLOPS_CI_MODEL_NAME": "digits",
        }
        serve = [
            str(peer / "mlflow"),
            "models",
            "serve",
            "-m",
            str(model),
            "--env-manager",
            "local",
        ]
        with (
            _started([str(python), "-m", "mlops_ci.serve"], "PORT", settings, folder) as ours,
            _started([*serve, "--workers", "1", "--port"], "", {}, folder) as theirs,
        ):
            pairs = _measure(*(_server(port, model) for port in (ours, theirs)))
    return _figure(*(_median(loads) for loads in zip(*pairs, strict=True)))


def _measure(ours: Server, theirs: Server) -> list[tuple[Load, Load]]:
    """One warm-up each, then in turn."""
    loads = [
        (
            put_load(ours, REQUESTS, CONNECTIONS, SECONDS),
            put_load(theirs, REQUESTS, CONNECTIONS, SECONDS),
        )
        for _ in range(ROUNDS + 1)
    ]
    return loads[1:]


def _median(loads: Sequence[Load]) -> Load:
    return Load(
        statistics.median(load.p50 for load in loads),
        statistics.median(load.p99 for load in loads),
        statistics.median(load.throughput for load in loads),
    )


def _figure(ours: Load, peer: Load) -> Figure:
    heading = ("server", "p50, ms", "p99, ms", f"requests a second, {CONNECTIONS} connections")
    print_table(
        [
            heading,
            *(
                (name, f"{1000 * x.p50:.2f}", f"{1000 * x.p99:.2f}", f"{x.throughput:.0f}")
                for name, x in (("mlops_ci.serve", ours), ("mlflow models serve", peer))
            ),
        ]
    )
    better = ours.p99 <= peer.p99 and ours.throughput * GOAL_RATIO >= peer.throughput
    return Figure(
        name="serve",
        ours=1000 * ours.p50,
        peer=1000 * peer.p50,
        peer_name="mlflow models serve",
        unit="ms",
        goal=f"p50 ≤ {GOAL_RATIO} of the peer, p99 ≤ the peer, throughput ≥ {1 / GOAL_RATIO:.0f} ×",
        holds=ours.p50 <= GOAL_RATIO * peer.p50 and better,
    )


def _server(port: int, model: Path) -> Server:
    """The first row of the model's own example, and what the server itself said to it."""
    example = json.loads((model / "serving_input_example.json").read_text())
    body = json.dumps({"inputs": example["inputs"][:1]}).encode()
    return Server(port, body, b'{"predictions":[0]}')


@contextlib.contextmanager
def _started(
    argv: Sequence[str], variable: str, settings: Mapping[str, str], folder: Path
) -> Iterator[int]:
    """Its port: the last argument, or a variable. Raises RuntimeError when it does not answer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    told = {variable: str(port), "HOST": "127.0.0.1"} if variable else {}
    whole = [*argv] if variable else [*argv, str(port)]
    program = os.pathsep.join([str(Path(argv[0]).parent), os.environ["PATH"]])
    environ = {**os.environ, "PATH": program, **settings, **told}
    log = (folder / f"{port}.log").open("wb")
    with (
        log,
        subprocess.Popen(
            whole, env=environ, stdout=log, stderr=log, start_new_session=True
        ) as process,
    ):
        try:
            _wait_for(port, process, Path(log.name))
            yield port
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"no answer at port {port}:\n{log.read_text()}")
