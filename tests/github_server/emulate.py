"""Installs and starts `emulate`, the GitHub that we did not write."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.github_server.messages import Json
from tests.machine.ports import free_port
from tests.waiting import PATIENCE, wait_for

PINNED = Path(__file__).parent / "counterpart"


@dataclass(frozen=True)
class Runtime:
    """`npm` is npm's own entry file, run by `node`."""

    node: Path
    npm: Path


def cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "mlops-ci"


def install(runtime: Runtime) -> Path:
    """The folder with `node_modules`; one per lock file, made once and moved into place whole."""
    lock = (PINNED / "package-lock.json").read_bytes()
    target = cache() / f"emulate-{hashlib.sha256(lock).hexdigest()[:12]}"
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder) / "emulate"
        shutil.copytree(PINNED, made)
        options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(
            [runtime.node, runtime.npm, *options],
            cwd=made,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"npm ci of emulate failed:\n{done.stdout}{done.stderr}")
        try:
            made.rename(target)
        except OSError:
            # Another test session was faster; its folder is as good.
            if not target.exists():
                raise
    return target


@contextmanager
def running(runtime: Runtime, seed: Json, folder: Path) -> Iterator[str]:
    """The base URL of an `emulate` that serves GitHub alone, with this seed."""
    program = install(runtime) / "node_modules" / ".bin" / "emulate"
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    seed_file = folder / "emulate.json"
    seed_file.write_text(json.dumps(seed), encoding="utf-8")
    options = ["-s", "github", "-p", str(port), "--base-url", url, "--seed", str(seed_file)]
    log = folder / "emulate.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [runtime.node, program, "start", *options], cwd=folder, stdout=output, stderr=output
        ) as process,
    ):
        try:
            wait_for(lambda: answers(url, process, log), f"an answer of {url}")
            yield url
        finally:
            process.terminate()
            process.wait(PATIENCE)


def answers(url: str, process: subprocess.Popen[bytes], log: Path) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"emulate ended with {process.returncode}:\n{log.read_text()}")
    try:
        requests.get(f"{url}/rate_limit", timeout=PATIENCE)
    except requests.ConnectionError:
        return False
    return True
