"""Listening, bounds on connections, and an end that loses nothing."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import time

from mlops_ci.serve.connection import Connection
from mlops_ci.serve.message import Request, Response
from mlops_ci.serve.service import Service

SWEEP_SECONDS = 2.0
SLACK = 64  # connections above the bound, to be told so


class Server:
    """Owns the connections of one service."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.max_body = service.settings.max_body
        self.closing = False
        self._connections: set[Connection] = set()
        self._listeners: list[asyncio.Server] = []
        self._stop = asyncio.Event()

    def opened(self, connection: Connection) -> bool:
        self._connections.add(connection)
        return len(self._connections) <= self.service.settings.max_connections

    def closed(self, connection: Connection) -> None:
        self._connections.discard(connection)

    def handle(self, request: Request, connection: Connection) -> None:
        started = time.monotonic()
        metrics = self.service.metrics
        metrics.in_flight += 1
        route = "other"

        def reply(response: Response) -> None:
            metrics.in_flight -= 1
            answered.append(response)
            if route_known:
                finish(response)

        def finish(response: Response) -> None:
            seconds = time.monotonic() - started
            metrics.observe(route, response.status, seconds, response.rows)
            connection.respond(request, response)

        answered: list[Response] = []
        route_known = False
        route = self.service.answer(request, reply)
        route_known = True
        if answered:
            finish(answered[0])

    async def listen(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self._listeners.append(
            await loop.create_server(lambda: Connection(self), sock=listener, backlog=1024)
        )

    def stop_listening(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()

    def ask_to_stop(self) -> None:
        self.service.draining = True
        self._stop.set()

    async def run(self) -> None:
        """Until SIGTERM or SIGINT; then finish what is in flight and return."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.ask_to_stop)
        sweeper = loop.create_task(self._sweep())
        await self._stop.wait()
        await self._drain()
        sweeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sweeper

    async def _drain(self) -> None:
        """Not ready, but listening for a moment: who routes to us needs time to see it."""
        settings = self.service.settings
        await asyncio.sleep(settings.linger)
        self.closing = True
        self.stop_listening()
        end = time.monotonic() + settings.grace
        while self._connections and time.monotonic() < end:
            for connection in [c for c in self._connections if c.idle]:
                connection.close()
            await asyncio.sleep(0.02)

    async def _sweep(self) -> None:
        """Close connections that send a request too slowly, or none for long."""
        settings = self.service.settings
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = time.monotonic()
            for connection in list(self._connections):
                if connection.receiving and now - connection.since > settings.patience:
                    connection.abort("the request did not arrive in time")
                elif connection.idle and now - connection.since > settings.idle:
                    connection.close()


def listen_on(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(1024)
    listener.setblocking(False)
    return listener
