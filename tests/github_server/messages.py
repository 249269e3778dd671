"""What travels: one request as it arrived, one answer as it leaves, one refusal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
DOCUMENTATION = "https://docs.github.com/rest"


@dataclass(frozen=True)
class Request:
    """`path` is percent-encoded and without GHES's `/api/v3`; `web` and `api` are base URLs."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    web: str
    api: str

    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


@dataclass(frozen=True)
class Response:
    """`content` is sent as JSON; `body`, when it is given, is sent as it is."""

    status: int = 200
    content: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None

    def encoded(self) -> bytes:
        if self.body is not None:
            return self.body
        return b"" if self.content is None else json.dumps(self.content).encode()


class Refusal(Exception):  # noqa: N818 - an answer of GitHub, not an error of ours
    """An answer of 4xx or 5xx in GitHub's words."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.message = message
        self.headers: dict[str, str] = more.pop("headers", {})
        self.more = more

    def response(self) -> Response:
        content = {
            "message": self.message,
            "documentation_url": DOCUMENTATION,
            "status": str(self.status),
            **self.more,
        }
        return Response(self.status, content, self.headers)


def not_found() -> Refusal:
    return Refusal(404, "Not Found")


def invalid(resource: str, field_name: str, code: str, message: str = "") -> Refusal:
    """GitHub's 422; `code` is one of missing, missing_field, invalid, already_exists, custom."""
    error = {"resource": resource, "field": field_name, "code": code}
    if message:
        error["message"] = message
    return Refusal(422, "Validation Failed", errors=[error])
