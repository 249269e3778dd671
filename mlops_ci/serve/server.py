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


class Exchange:
    """One request and its answer, which may come before or after its route has got a name."""

    def __init__(self, service: Service, request: Request, connection: Connection) -> None:
        self._service = service
        self._request = request
        self._connection = connection
        self._started = time.monotonic()
        self._route = ""
        self._response: Response | None = None

    def reply(self, response: Response) -> None:
        self._response = response
        self._finish()

    def named(self, route: str) -> None:
        self._route = route
        self._finish()

    def _finish(self) -> None:
        if not self._route or self._response is None:
            return
        metrics, response = self._service.metrics, self._response
        metrics.in_flight -= 1
        seconds = time.monotonic() - self._started
        metrics.observe(self._route, response.status, seconds, response.rows)
        self._connection.respond(self._request, response)


class Server:
    """Owns the connections of one service."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.max_body = service.settings.max_body
        self.listener: socket.socket | None = None
        self.retired = False
        self.accepted_at = 0.0
        self._public: asyncio.Server | None = None
        self._connections: set[Connection] = set()
        self._listeners: list[asyncio.Server] = []
        self._stop = asyncio.Event()

    def opened(self, connection: Connection) -> bool:
        self._connections.add(connection)
        return len(self._connections) <= self.service.settings.max_connections

    def closed(self, connection: Connection) -> None:
        self._connections.discard(connection)

    def handle(self, request: Request, connection: Connection) -> None:
        self.service.metrics.in_flight += 1
        exchange = Exchange(self.service, request, connection)
        exchange.named(self.service.answer(request, exchange.reply))

    @property
    def closing(self) -> bool:
        """Whether an answer is the last one of its connection."""
        return self.service.draining or (self.retired and self.listener is not None)

    @property
    def accepting(self) -> bool:
        return self._public is not None

    async def listen(self, listener: socket.socket) -> asyncio.Server:
        """Serve a listening socket for good."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(self), sock=listener, backlog=1024)
        self._listeners.append(server)
        return server

    async def take_over(self, listener: socket.socket) -> None:
        """Begin to accept on a socket that others may have accepted on until now."""
        self.retire()
        if self.listener is not None and self.listener is not listener:
            self.listener.close()
        self.listener = listener
        self.retired = False
        self.accepted_at = time.time()
        self._public = await self.listen(listener.dup())

    def retire(self) -> None:
        """Accept no more, stay warm. The socket stays open, so that no connection is refused."""
        self.retired = True
        if self._public is not None:
            self._public.close()
            self._listeners.remove(self._public)
            self._public = None

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
        """Not ready, but listening for a moment: who routes to us needs time to see it.

        Answers say `Connection: close` from the wish to stop on, so that after the moment only
        connections are closed on which nobody has asked for as long.
        """
        settings = self.service.settings
        await asyncio.sleep(settings.linger)
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
    listener.setblocking(False)  # noqa: FBT003 - its own signature
    return listener
