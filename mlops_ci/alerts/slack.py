"""Slack's incoming webhooks. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks

`text` is what a notification shows; the blocks are what the channel shows.
"""

from __future__ import annotations

from typing import Any

from mlops_ci.alerts.message import Message

TEXT = 2_900  # characters of a section: Slack refuses more than 3,000
MODELS = 20  # blocks of a message: Slack refuses more than 50
MARKS = {
    "pass": "✅",
    "deployed": "✅",
    "fail": "❌",
    "inconclusive": "⚠️",
    "ungated": "📏",
    "error": "💥",
}


def body(message: Message) -> dict[str, Any]:
    headline = f"{MARKS[message.state]} {message.headline}"
    lines = [f"*{escape(headline)}*", *_models(message)]
    blocks: list[dict[str, Any]] = [_section("\n".join(lines))]
    where = escape(message.place)
    if message.url is not None:
        where = f"<{message.url}|{where}>"
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": where}]})
    return {"text": escape(f"{headline} ({message.place})")[:TEXT], "blocks": blocks}


def _models(message: Message) -> list[str]:
    if len(message.models) < 2:
        return []
    return [f"• {escape(model.headline)}" for model in message.models[:MODELS]]


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:TEXT]}}


def escape(text: str) -> str:
    """A name must not ping a channel: `<!channel>` is markup, and so are `*`, `_`, `~` and `` ` ``
    at a word's edge; a zero-width space takes their meaning away.
    https://docs.slack.dev/messaging/formatting-message-text#escaping"""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\u200b{letter}" if letter in "*_~`" else letter for letter in plain)
