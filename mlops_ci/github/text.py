"""Text as GitHub keeps it: what is read back equals what was sent, and is cut between lines."""

from __future__ import annotations

import re
from typing import Any

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def clean(text: str) -> str:
    """Without half characters, which no JSON carries, and control characters, which GitHub drops;
    lines end in a newline."""
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return _CONTROL.sub(
        "\N{REPLACEMENT CHARACTER}", whole.replace("\r\n", "\n").replace("\r", "\n")
    )


def clean_body(body: Any) -> Any:
    """Every text of a request's body."""
    if isinstance(body, str):
        return clean(body)
    if isinstance(body, dict):
        return {key: clean_body(value) for key, value in body.items()}
    return [clean_body(value) for value in body] if isinstance(body, list) else body


def cut_lines(content: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, whole lines alone: no row of a table is cut in the middle."""
    encoded = content.encode("utf-8", "replace")
    if len(encoded) <= limit:
        return content
    whole, newline, _ = encoded[: max(limit, 0)].rpartition(b"\n")
    return (whole + newline).decode("utf-8")


def cut(content: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8: between two lines where there are several."""
    if lines := cut_lines(content, limit):
        return lines
    return content.encode("utf-8", "replace")[: max(limit, 0)].decode("utf-8", "ignore")
