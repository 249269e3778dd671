"""JSON of the things that many routes answer with."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from tests.github_server.messages import Json


def node_id(kind: str, number: object) -> str:
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


def pick(record: Json, names: Iterable[str]) -> Json:
    return {name: record.get(name) for name in names}
