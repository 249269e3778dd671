"""One POST of JSON. The address is a secret: no error and no log holds it."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from urllib.parse import urlsplit

import msgspec

from mlops_ci import __version__
from mlops_ci.errors import DOCS, ServiceError, UsageError
from mlops_ci.world import World

TIMEOUT = 10.0  # seconds
ATTEMPTS = 3
PAUSE = 1.0  # seconds before another attempt, doubled
LONGEST_PAUSE = 10.0
SECRET = "MLOPS_CI_WEBHOOK_SECRET"  # noqa: S105 - the name of the variable that holds it
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def send(channel: str, url: str, body: dict[str, Any], world: World) -> None:
    """Raises UsageError for an address that is none, ServiceError when it was not taken. Sent
    again only when the place says that it did not take it (429, 5xx)."""
    import requests

    where = f"alerts, {channel}"
    _check(url, channel, where)
    content = msgspec.json.encode(body)
    headers = {"Content-Type": "application/json", "User-Agent": f"mlops-ci/{__version__}"}
    if channel == "webhook" and (secret := world.environ.get(SECRET)):
        headers["X-MLOps-CI-Signature-256"] = signature(secret, content)
    for attempt in range(ATTEMPTS):
        try:
            answer = requests.post(
                url, data=content, headers=headers, timeout=TIMEOUT, allow_redirects=False
            )
        except requests.RequestException as error:
            raise _not_sent(channel, type(error).__name__, where) from None
        if answer.ok and not answer.is_redirect:
            return
        again = answer.status_code == 429 or answer.status_code >= 500
        if not again or attempt + 1 == ATTEMPTS:
            raise _not_sent(channel, f"answer {answer.status_code}", where)
        world.sleep(_pause(answer.headers.get("Retry-After", ""), attempt))


def signature(secret: str, content: bytes) -> str:
    """As GitHub signs its own webhooks: a receiver can tell us from others."""
    return "sha256=" + hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def _pause(asked: str, attempt: int) -> float:
    seconds = float(asked) if asked.isdigit() else PAUSE * 2**attempt
    return min(seconds, LONGEST_PAUSE)


def _check(url: str, channel: str, where: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return
    raise UsageError(
        f"MLOPS_CI_{channel.upper()}_URL holds no https address",
        where=where,
        fix=f"env:\n  MLOPS_CI_{channel.upper()}_URL: "
        f"${{{{ secrets.MLOPS_CI_{channel.upper()}_URL }}}}",
        link=f"{DOCS}/alerts.md",
    )


def _not_sent(channel: str, why: str, where: str) -> ServiceError:
    return ServiceError(
        f"{channel} was not told: {why}",
        where=where,
        fix=f"look at the address in MLOPS_CI_{channel.upper()}_URL; the verdict is not changed",
        link=f"{DOCS}/alerts.md",
    )
