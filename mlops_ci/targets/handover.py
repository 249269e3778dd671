"""Talk to the versions' processes through their control sockets (mlops_ci/serve/control.py)."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops_ci.errors import DeployError

SECONDS = 45.0  # more than the other side takes at most
MESSAGE = 4096


@dataclass(frozen=True)
class Running:
    """One version's process. `accepted_at` is 0 for one that never got a request."""

    path: Path
    pid: int
    name: str
    digest: str
    accepting: bool
    accepted_at: float
    check_port: int
    address: tuple[str, int] | None

    @property
    def folder(self) -> Path:
        return self.path.parent


def converse(
    path: Path, action: str, listener: socket.socket | None = None
) -> tuple[Running, socket.socket | None] | None:
    """The answer, and the listening socket if one came with it; None when nobody is there.

    Raises DeployError when somebody is there who does not answer.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(SECONDS)
        try:
            peer.connect(str(path))
            message = json.dumps({"do": action}).encode()
            if listener is None:
                peer.sendall(message)
            else:
                socket.send_fds(peer, [message], [listener.fileno()])
            content, descriptors, _, _ = socket.recv_fds(peer, MESSAGE, 1)
            said = json.loads(content)
        except (FileNotFoundError, ConnectionError):
            return None
        except (OSError, ValueError) as error:
            raise DeployError(
                f"a version's process does not answer: {error}", where=str(path.parent)
            ) from error
    given = socket.socket(fileno=descriptors[0]) if descriptors else None
    return _running(path, said), given


def _running(path: Path, said: dict[str, Any]) -> Running:
    address = said.get("address")
    return Running(
        path=path,
        pid=int(said["pid"]),
        name=str(said["name"]),
        digest=str(said["digest"]),
        accepting=bool(said["accepting"]),
        accepted_at=float(said["accepted_at"]),
        check_port=int(said["check_port"]),
        address=(str(address[0]), int(address[1])) if address else None,
    )


def is_alive(pid: int) -> bool:
    """Of a child that ended but was not waited for: not alive."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
