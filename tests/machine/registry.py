"""A registry on loopback that lets one user in."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.machine.ports import free_port
from tests.waiting import PATIENCE, wait_for

USERNAME, PASSWORD = "maria", "registry-password-8d41"
# `htpasswd -nbB -C 5 NAME PASSWORD` writes such a line.
PASSWORDS = f"{USERNAME}:$2b$05$abcdefghijklmnopqrstuubMHgCYf/35zary0EU5YbLMpNJdztHkS\n"
CONFIG = """version: 0.1
log: {{level: warn, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {root}}}}}
http: {{addr: 127.0.0.1:{port}}}
auth: {{htpasswd: {{realm: test, path: {passwords}}}}}
"""


@dataclass(frozen=True)
class GuardedRegistry:
    host: str
    username: str = USERNAME
    password: str = PASSWORD


@contextmanager
def guarded_registry(folder: Path) -> Iterator[GuardedRegistry]:
    """`folder` takes its images. Debian's docker-registry must be installed."""
    program = shutil.which("docker-registry")
    assert program is not None
    port = free_port()
    (folder / "passwords").write_text(PASSWORDS)
    (folder / "config.yml").write_text(
        CONFIG.format(root=folder / "data", port=port, passwords=folder / "passwords")
    )
    process = subprocess.Popen(
        [program, "serve", folder / "config.yml"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/v2/")
        yield GuardedRegistry(f"127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder / "data", ignore_errors=True)


def _wait_for(url: str) -> None:
    wait_for(lambda: _answers(url), f"an answer of {url}")


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=PATIENCE).status_code == 401
    except requests.ConnectionError:
        return False
