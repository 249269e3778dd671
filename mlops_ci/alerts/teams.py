"""Microsoft Teams: a workflow "when a Teams webhook request is received" takes an adaptive card.

https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
https://adaptivecards.io/explorer
"""

from __future__ import annotations

import re
from typing import Any

from mlops_ci.alerts.message import Message

MODELS = 20
TEXT = 4_000  # characters; a message of 28 kB is refused
COLOURS = {
    "pass": "Good",
    "deployed": "Good",
    "fail": "Attention",
    "error": "Attention",
    "inconclusive": "Warning",
    "ungated": "Default",
}
MARKDOWN = re.compile(r"([\\`*_\[\]()#])")


def body(message: Message) -> dict[str, Any]:
    blocks = [
        _text(message.headline, weight="Bolder", size="Medium", color=COLOURS[message.state]),
        _text(message.place, isSubtle=True, spacing="None"),
    ]
    if len(message.models) > 1:
        blocks += [_text(model.headline) for model in message.models[:MODELS]]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
    }
    if message.url is not None:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Report", "url": message.url}]
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "content": card}]}


def _text(text: str, **more: Any) -> dict[str, Any]:
    escaped = MARKDOWN.sub(r"\\\1", text[:TEXT])
    return {"type": "TextBlock", "text": escaped, "wrap": True, **more}
