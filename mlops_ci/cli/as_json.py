"""What `--json` prints."""

from __future__ import annotations

from typing import Any

import msgspec


def to_json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value)).decode()
