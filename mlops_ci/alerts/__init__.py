"""Whom to tell beside GitHub: one module per kind of place, found in one table.

Each address is a secret that comes by a variable of its own; where there is none, nobody is told.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

from mlops_ci.alerts.message import Message, ModelMessage
from mlops_ci.alerts.sending import send
from mlops_ci.config import Alarm
from mlops_ci.errors import MlopsCiError
from mlops_ci.world import World

__all__ = ["CHANNELS", "Message", "ModelMessage", "alert", "variable_of"]

# name → module whose `body(message)` is the JSON that the place takes.
CHANNELS = {
    "webhook": "mlops_ci.alerts.webhook",
    "slack": "mlops_ci.alerts.slack",
    "teams": "mlops_ci.alerts.teams",
}


def variable_of(channel: str) -> str:
    return f"MLOPS_CI_{channel.upper()}_URL"


def alert(message: Message, wanted: Sequence[Alarm], world: World) -> list[MlopsCiError]:
    """What could not be told; nothing is raised, and no error holds an address."""
    if message.state not in wanted:
        return []
    failed: list[MlopsCiError] = []
    for channel, module in CHANNELS.items():
        url = world.environ.get(variable_of(channel), "").strip()
        if not url:
            continue
        body: Callable[[Message], dict[str, Any]] = importlib.import_module(module).body
        try:
            send(channel, url, body(message), world)
        except MlopsCiError as error:
            failed.append(error)
    return failed
