"""Who we are: the login under which our comments stand.

`GET /user` is 403 for the workflow's token and for an App's, and nothing else tells an
installation's name; a check run that it creates does, by the slug of its App.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlops_ci.github.client import Client
from mlops_ci.github.patience import Trouble

WORKFLOW = "github-actions[bot]"


@dataclass
class Identity:
    """Without rights to checks an App's name shows with its first comment; until then it is taken
    for the workflow's."""

    client: Client
    login: str | None = None

    def learn_from_check(self, check: dict[str, Any]) -> None:
        slug = (check.get("app") or {}).get("slug")
        if isinstance(slug, str) and slug:
            self.login = f"{slug}[bot]"

    def learn_from_comment(self, comment: dict[str, Any]) -> None:
        self.login = author_of(comment) or self.login

    def find(self) -> str:
        if self.login is None:
            try:
                user = self.client.get("/user")
            except Trouble:
                user = {}
            login = user.get("login") if isinstance(user, dict) else None
            self.login = login if isinstance(login, str) and login else WORKFLOW
        return self.login


def author_of(comment: dict[str, Any]) -> str | None:
    login = (comment.get("user") or {}).get("login")
    return login if isinstance(login, str) else None
