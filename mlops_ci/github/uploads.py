"""Requests to places of GitHub that are not its REST API: with a key of their own, each to be told
to that place alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mlops_ci import __version__
from mlops_ci.github.patience import ATTEMPTS, Patience, Trouble, judge_answer

if TYPE_CHECKING:
    from requests import Response

TIMEOUT = 60.0  # seconds: pictures may be slow to send
SAID_CHARACTERS = 300
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True)
class Parcel:
    """One request; `url` without its query. `told`: whether the answer is JSON."""

    verb: str
    url: str
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    told: bool = True


def deliver(parcel: Parcel, patience: Patience, now: float) -> dict[str, Any]:
    """The answer. Sent again when it was lost: an upload that nobody refers to is no harm. `now` is
    seconds since 1970. Raises Trouble for a refusal and for an address that is not https,
    ServiceError when there is no answer in time."""
    parts = urlsplit(parcel.url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise Trouble("refused", "an address without https")
    where = f"{parcel.verb} {parts.hostname}{parts.path}"
    for attempt in range(ATTEMPTS):
        try:
            return _once(parcel, now)
        except Trouble as trouble:
            patience.after(trouble, attempt, where)
    raise AssertionError(where)  # the last attempt raises


def _once(parcel: Parcel, now: float) -> dict[str, Any]:
    import requests

    try:
        answer = requests.request(
            parcel.verb,
            parcel.url,
            params=dict(parcel.query),
            data=parcel.content,
            headers={"User-Agent": f"mlops-ci/{__version__}", **parcel.headers},
            timeout=TIMEOUT,
            allow_redirects=False,  # the key is for this place alone
        )
    except requests.RequestException as error:  # its words may hold the signed address
        raise Trouble("unclear", type(error).__name__) from None
    if answer.status_code < 300:
        return _read(answer) if parcel.told else {}
    headers = {name.lower(): value for name, value in answer.headers.items()}
    raise judge_answer(answer.status_code, headers, _words(answer), now)


def _read(answer: Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError as error:
        raise Trouble("unclear", "an answer that is not JSON") from error
    if not isinstance(found, dict):
        raise Trouble("refused", "an answer that makes no sense")
    return found


def _words(answer: Response) -> str:
    try:
        found = answer.json()
    except ValueError:
        return ""
    said = (found.get("message") or found.get("msg")) if isinstance(found, dict) else None
    return str(said or "")[:SAID_CHARACTERS]
