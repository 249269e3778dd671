"""The Authorization header of a registry: none, basic, or a bearer token that it hands out.

https://distribution.github.io/distribution/spec/auth/token/
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mlops_ci.errors import ServiceError
from mlops_ci.images.credentials import Login
from mlops_ci.images.name import ImageName

if TYPE_CHECKING:
    import requests

PARAMETER = re.compile(r'(\w+)="([^"]*)"')
TIMEOUT = (10, 60)


class Authorization:
    """Remembers what worked; `answer` is told what the registry asked for on a 401."""

    def __init__(self, name: ImageName, login: Login | None, session: requests.Session) -> None:
        self._name = name
        self._login = login
        self._session = session
        self._header: dict[str, str] = {}

    def header(self) -> dict[str, str]:
        return self._header

    def answer(self, challenge: str) -> bool:
        """Get what the challenge asks for; False when there is nothing (more) to offer."""
        scheme, _, rest = challenge.partition(" ")
        parameters = dict(PARAMETER.findall(rest))
        if scheme.lower() == "bearer" and "realm" in parameters:
            token = self._token(parameters)
            if token is None:
                return False
            self._header = {"Authorization": f"Bearer {token}"}
            return True
        if scheme.lower() == "basic" and self._login and self._login.password:
            fresh = {"Authorization": _basic(self._login)}
            changed, self._header = fresh != self._header, fresh
            return changed
        return False

    def _token(self, parameters: dict[str, str]) -> str | None:
        """Raises ServiceError when the token service fails, or wants a password in the open."""
        realm = parameters["realm"]
        if urlsplit(realm).scheme != "https" and not self._name.is_loopback:
            raise ServiceError(
                "the registry wants its password sent without encryption; it is not", where=realm
            )
        scope = parameters.get("scope") or f"repository:{self._name.repository}:pull,push"
        query = {"scope": scope}
        if parameters.get("service"):
            query["service"] = parameters["service"]
        answer = self._fetch(realm, query)
        if answer.status_code in (401, 403):
            return None
        try:
            answer.raise_for_status()
            content = answer.json()
            return str(content.get("token") or content["access_token"])
        except (OSError, ValueError, KeyError) as error:
            raise ServiceError(f"the registry hands out no token: {error}", where=realm) from error

    def _fetch(self, realm: str, query: dict[str, str]) -> requests.Response:
        import requests

        login = self._login
        try:
            if login and login.identity_token:
                form = query | {
                    "grant_type": "refresh_token",
                    "refresh_token": login.identity_token,
                    "client_id": "mlops-ci",
                }
                return self._session.post(realm, data=form, timeout=TIMEOUT)
            headers = {"Authorization": _basic(login)} if login else {}
            return self._session.get(
                realm, params=query, headers=headers, auth=lambda r: r, timeout=TIMEOUT
            )
        except requests.RequestException as error:
            raise ServiceError(
                f"the registry's token service cannot be reached: {error}", where=realm
            ) from error


def _basic(login: Login) -> str:
    pair = f"{login.username}:{login.password}".encode()
    return f"Basic {base64.b64encode(pair).decode('ascii')}"
