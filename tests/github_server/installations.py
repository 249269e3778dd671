"""GitHub Apps: their signed requests, their installations, and the tokens of those."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime, timedelta

import jwt

from tests.github_server.messages import Json, Refusal
from tests.github_server.state import App, State, Token, timestamp

LONGEST_LIFE = 600
CLOCK_DRIFT = 60
TOKEN_LIFE = timedelta(hours=1)


def app_of(state: State, value: str) -> App | None:
    """The App that signed the JWT; None when it is no JWT, 401 when it is a bad one."""
    if value.count(".") != 2:
        return None
    try:
        claims = jwt.decode(value, options={"verify_signature": False})
        app = next(item for item in state.apps.values() if str(item.id) == str(claims["iss"]))
        claims = jwt.decode(value, app.public_key or "", algorithms=["RS256"], leeway=CLOCK_DRIFT)
    except (jwt.PyJWTError, KeyError, ValueError, StopIteration) as error:
        raise Refusal(401, "A JSON web token could not be decoded") from error
    if claims["exp"] - time.time() > LONGEST_LIFE + CLOCK_DRIFT:
        raise Refusal(401, "'Expiration time' claim ('exp') is too far in the future")
    return app


def issue_token(state: State, app: App, installation: Json, body: Json) -> Json:
    """Never more than the installation has: 422 on a permission or a repository beyond it."""
    granted: dict[str, str] = installation["permissions"]
    wanted: dict[str, str] = body.get("permissions") or granted
    beyond = [name for name, value in wanted.items() if granted.get(name) not in {value, "write"}]
    if beyond:
        message = "The permissions requested are not granted to this installation."
        raise Refusal(422, message)
    full_names: list[str] = installation["repositories"]
    if "repositories" in body:
        full_names = [f"{installation['account']}/{name}" for name in body["repositories"]]
    if set(full_names) - set(installation["repositories"]):
        message = "There is at least one repository that does not exist or is not accessible."
        raise Refusal(422, message)
    value = f"ghs_{secrets.token_hex(18)}"
    login = f"{app.slug}[bot]"
    state.tokens[value] = Token(value, "app", login, app.slug, dict(wanted), list(full_names))
    state.tokens[value].expires = time.time() + TOKEN_LIFE.total_seconds()
    return {
        "token": value,
        "expires_at": timestamp(datetime.now(UTC) + TOKEN_LIFE),
        "permissions": {"metadata": "read", **wanted},
        "repository_selection": "selected",
    }
