"""A request that arrived whole, and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec

JSON = "application/json"
REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True)
class Request:
    """Header names are lower case; `path` is without the query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    keep_alive: bool = True

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True)
class Response:
    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    rows: int = 0

    def encode(self, *, close: bool, head: bool = False) -> bytes:
        lines = [
            f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Unknown')}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            *(f"{name}: {value}" for name, value in self.headers),
        ]
        if close:
            lines.append("Connection: close")
        top = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        return top if head else top + self.body


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a fault of ours
    """A request that is answered with why it cannot be."""

    def __init__(
        self, status: int, message: str, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers


def answer_json(content: Any, status: int = 200, *, rows: int = 0) -> Response:
    return Response(status, encode_json(content), rows=rows)


def encode_json(content: Any) -> bytes:
    return msgspec.json.encode(content, enc_hook=_plain)


def _plain(value: Any) -> Any:
    """numpy's scalars and arrays, pandas' timestamps."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    return str(value)
