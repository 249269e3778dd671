"""A small HTTP client for the stop-watch: kept connections, one request after the other on each."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """Latencies in seconds, of one connection alone; requests a second, of many at once."""

    p50: float
    p99: float
    throughput: float


@dataclass(frozen=True)
class Server:
    """`body` is posted to /invocations; every answer must be `answer`."""

    port: int
    body: bytes
    answer: bytes

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()
            await writer.wait_closed()

    @property
    def request(self) -> bytes:
        head = (
            f"POST /invocations HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n\r\n"
        )
        return head.encode() + self.body


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server: Server) -> None:
    """Raises RuntimeError for any other answer: a wrong one is never a fast one."""
    writer.write(server.request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    content = await reader.readexactly(length)
    if not head.startswith(b"http/1.1 200") or content.replace(b" ", b"") != server.answer:
        raise RuntimeError(f"{head.decode()}{content.decode()}")


async def _alone(server: Server, requests: int) -> list[float]:
    taken = []
    async with server.connected() as streams:
        for _ in range(requests):
            started = time.perf_counter()
            await _ask(*streams, server)
            taken.append(time.perf_counter() - started)
    return taken


async def _together(server: Server, connections: int, seconds: float) -> float:
    end = time.perf_counter() + seconds

    async def keep_asking() -> int:
        count = 0
        async with server.connected() as streams:
            while time.perf_counter() < end:
                await _ask(*streams, server)
                count += 1
        return count

    counts = await asyncio.gather(*(keep_asking() for _ in range(connections)))
    return sum(counts) / seconds


def put_load(server: Server, requests: int, connections: int, seconds: float) -> Load:
    taken = asyncio.run(_alone(server, requests))
    hundredths = statistics.quantiles(taken, n=100)
    return Load(
        hundredths[49], hundredths[98], asyncio.run(_together(server, connections, seconds))
    )
