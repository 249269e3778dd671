"""Hand the listening socket from one version's process to the next.

A Unix socket that only its owner can open. One JSON object a connection:
`{"do": "status"}`, `"accept"` (with the listening socket), `"give"` (answers with it), `"retire"`,
`"stop"`; the answer is the status. The socket is never closed on the way, so what clients have
sent waits in its queue, and none is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import threading
from pathlib import Path
from typing import Any

from mlops_ci.serve.server import Server

MESSAGE = 4096
SECONDS = 30.0


class Control(threading.Thread):
    """`check_port` is where this process, and only it, answers on loopback."""

    def __init__(self, path: Path, server: Server, check_port: int) -> None:
        super().__init__(name="control", daemon=True)
        self._server = server
        self._check_port = check_port
        self._loop = asyncio.get_running_loop()
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o177)
        try:
            self._socket.bind(str(path))
        finally:
            os.umask(mask)
        self._socket.listen(8)

    def run(self) -> None:
        while True:
            peer, _ = self._socket.accept()
            with peer, contextlib.suppress(OSError, ValueError, TimeoutError):
                peer.settimeout(SECONDS)
                self._converse(peer)

    def _converse(self, peer: socket.socket) -> None:
        message, descriptors, _, _ = socket.recv_fds(peer, MESSAGE, 1)
        listener = socket.socket(fileno=descriptors[0]) if descriptors else None
        action = str(json.loads(message)["do"])
        work = asyncio.run_coroutine_threadsafe(self._do(action, listener), self._loop)
        answer = json.dumps(work.result(SECONDS)).encode()
        held = self._server.listener
        if action == "give" and held is not None:
            socket.send_fds(peer, [answer], [held.fileno()])
        else:
            peer.sendall(answer)

    async def _do(self, action: str, listener: socket.socket | None) -> dict[str, Any]:
        server = self._server
        if action == "accept" and listener is not None:
            listener.setblocking(False)  # noqa: FBT003 - its own signature
            await server.take_over(listener)
        elif action == "accept" and server.listener is not None:
            await server.take_over(server.listener)
        elif action == "retire":
            server.retire()
        elif action == "stop":
            server.ask_to_stop()
        return self._status()

    def _status(self) -> dict[str, Any]:
        server = self._server
        held = server.listener
        return {
            "pid": os.getpid(),
            "name": server.service.settings.name,
            "digest": server.service.settings.digest,
            "accepting": server.accepting,
            "accepted_at": server.accepted_at,
            "address": list(held.getsockname()[:2]) if held is not None else None,
            "check_port": self._check_port,
        }
