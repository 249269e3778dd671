"""A program of the user's own: the message as it is, as JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from mlops_ci.alerts.message import Message

VERSION = 1


def body(message: Message) -> dict[str, Any]:
    return {"schema": f"mlops-ci/alert/{VERSION}", **msgspec.to_builtins(message)}
