"""HTTP/1.1 on one connection: requests in, answers out, in order and within bounds."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Protocol, cast

import httptools

from mlops_ci.serve.message import Refusal, Request, Response, encode_json

MAX_HEADERS = 64 * 1024
MAX_PIPELINE = 16
LINGER_SECONDS = 2.0


class Answering(Protocol):
    """What a connection needs of the server that owns it."""

    max_body: int

    def opened(self, connection: Connection) -> bool: ...
    def closed(self, connection: Connection) -> None: ...
    def handle(self, request: Request, connection: Connection) -> None: ...
    @property
    def closing(self) -> bool: ...


class Connection(asyncio.Protocol):
    """`since` is when the connection last became idle, or its request began to arrive."""

    def __init__(self, server: Answering) -> None:
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[Request] = deque()
        self._busy = False
        self._refused = False
        self._half_closed = False
        self.receiving = False
        self.since = time.monotonic()
        self._begin()

    def _begin(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._header_bytes = 0
        self._body_bytes = 0

    @property
    def idle(self) -> bool:
        return not (self._busy or self._waiting or self.receiving)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if not self._server.opened(self):
            self._refuse(Refusal(503, "too many connections", (("Retry-After", "1"),)))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._refused = True
        self._waiting.clear()
        self._server.closed(self)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        try:
            self._parser.feed_data(data)
        except Refusal as refusal:
            self._refuse(refusal)
        except httptools.HttpParserUpgrade:
            self._refuse(Refusal(400, "this server does not change protocols"))
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            known = cause if isinstance(cause, Refusal) else Refusal(400, "the request is broken")
            self._refuse(known)
        except httptools.HttpParserError as error:
            self._refuse(Refusal(400, f"this is not HTTP/1.1: {error}"))

    # httptools

    def on_message_begin(self) -> None:
        self._begin()
        self.receiving = True
        self.since = time.monotonic()

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def _count(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > MAX_HEADERS:
            raise Refusal(431, f"the headers are larger than {MAX_HEADERS} bytes")

    def on_headers_complete(self) -> None:
        length = self._headers.get("content-length", "0")
        if length.isdigit() and int(length) > self._server.max_body:
            raise self._too_large()
        if self._headers.get("content-encoding", "identity").lower() != "identity":
            raise Refusal(415, "compressed bodies are not supported")
        if self._headers.get("expect", "").lower() == "100-continue" and not self._busy:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._body_bytes > self._server.max_body:
            raise self._too_large()
        self._body.append(body)

    def _too_large(self) -> Refusal:
        return Refusal(413, f"the body is larger than {self._server.max_body} bytes")

    def on_message_complete(self) -> None:
        self.receiving = False
        self._waiting.append(
            Request(
                method=self._parser.get_method().decode("latin-1"),
                path=self._url.partition(b"?")[0].decode("latin-1"),
                headers=self._headers,
                body=b"".join(self._body),
                keep_alive=self._parser.should_keep_alive(),
            )
        )
        if len(self._waiting) > MAX_PIPELINE:
            self._transport.pause_reading()
        self._next()

    # answers

    def _next(self) -> None:
        if self._busy or not self._waiting or self._refused:
            return
        self._busy = True
        self._server.handle(self._waiting.popleft(), self)

    def respond(self, request: Request, response: Response) -> None:
        """The answer to the request that `handle` was given."""
        self._busy = False
        self.since = time.monotonic()
        if self._transport.is_closing():
            return
        last = self._refused or (self._half_closed and not self._waiting)
        close = last or not request.keep_alive or self._server.closing
        self._transport.write(response.encode(close=close, head=request.method == "HEAD"))
        if close:
            self._refused = True
            self._transport.close()
            return
        if len(self._waiting) <= MAX_PIPELINE:
            self._transport.resume_reading()
        self._next()

    def _refuse(self, refusal: Refusal) -> None:
        """The stream cannot be read on: answer what is wrong, then close.

        What still comes is thrown away for a moment: closing at once would reset the connection,
        and the sender would never read why.
        """
        self._refused = True
        self.receiving = False
        self._waiting.clear()
        if self._transport.is_closing() or self._busy:
            return  # `respond` closes after the answer that is in the making
        answer = Response(
            refusal.status, encode_json({"error": refusal.message}), headers=refusal.headers
        )
        self._transport.write(answer.encode(close=True))
        self._end()

    def _end(self) -> None:
        if self._transport.can_write_eof():
            self._transport.write_eof()
        asyncio.get_running_loop().call_later(LINGER_SECONDS, self._transport.close)

    def eof_received(self) -> bool:
        """A client that closed its half may still wait for its answers."""
        self._half_closed = True
        return self._busy or bool(self._waiting)

    def close(self) -> None:
        self._refused = True
        self._transport.close()

    def abort(self, why: str) -> None:
        self._refuse(Refusal(408, why))
