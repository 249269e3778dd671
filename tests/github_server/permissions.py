"""Who is asking, and what GitHub would let them do."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Mapping

from tests.github_server.messages import Refusal, not_found
from tests.github_server.state import ROLES, Repository, State, Token

INSTALLATIONS = ("workflow", "app")


def authenticate(state: State, headers: Mapping[str, str]) -> Token | None:
    """The caller's token; None for the anonymous; 401 for one that nobody issued."""
    value = presented(headers.get("authorization", ""))
    if value is None:
        return None
    token = state.tokens.get(value)
    if token is None or (token.expires is not None and token.expires < time.time()):
        raise Refusal(401, "Bad credentials")
    return token


def presented(header: str) -> str | None:
    """The secret in `Authorization`: `token X`, `Bearer X`, or Basic with the token as password."""
    scheme, _, rest = header.strip().partition(" ")
    if not rest:
        return None
    if scheme.lower() != "basic":
        return rest.strip()
    try:
        user, _, password = base64.b64decode(rest).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return password or user


def level(token: Token | None, repository: Repository, permission: str) -> str:
    """none, read or write: what the token may do with one kind of thing in one repository."""
    public = "none" if repository.private else "read"
    if token is None:
        return public
    if token.kind in INSTALLATIONS:
        if repository.full_name not in token.repositories:
            return public
        granted = (token.permissions or {}).get(permission, "none")
        return granted if granted != "none" else public
    granted = "write" if token.permissions is None else token.permissions.get(permission, "none")
    if at_least(repository.role(token.login), "write"):
        return granted if granted != "none" else public
    return "read" if repository.role(token.login) != "none" else "none"


def at_least(role: str, needed: str) -> bool:
    return ROLES.index(role) >= ROLES.index(needed)


def can_see(token: Token | None, repository: Repository) -> bool:
    if not repository.private:
        return True
    if token is None:
        return False
    if token.kind in INSTALLATIONS:
        return repository.full_name in token.repositories
    return repository.role(token.login) != "none"


def require(token: Token | None, repository: Repository, needs: str, people: str) -> None:
    """Raise what GitHub answers to a caller without the permission.

    `needs` reads like its header: alternatives apart by `; `, all parts of one apart by `,`.
    `people` is the role that a person (a PAT) needs; `app` means that only Apps may.
    """
    if not can_see(token, repository):
        raise not_found()
    writes = "write" in needs
    if token is None:
        if writes:
            raise Refusal(401, "Requires authentication")
        return
    if token.kind in INSTALLATIONS:
        refuse_installation(token, repository, needs)
    elif people == "app":
        raise Refusal(403, "You must authenticate via a GitHub App.")
    elif not at_least(repository.role(token.login), people):
        raise Refusal(403, "Must have push access to repository.")
    elif token.permissions is not None and not any_granted(token, repository, needs):
        raise lacking("Resource not accessible by personal access token", needs)


def refuse_installation(token: Token, repository: Repository, needs: str) -> None:
    if not any_granted(token, repository, needs):
        raise lacking("Resource not accessible by integration", needs)


def lacking(message: str, needs: str) -> Refusal:
    return Refusal(403, message, headers={"X-Accepted-GitHub-Permissions": needs})


def any_granted(token: Token, repository: Repository, needs: str) -> bool:
    return any(
        all(granted(token, repository, part.strip()) for part in alternative.split(","))
        for alternative in needs.split(";")
    )


def granted(token: Token, repository: Repository, need: str) -> bool:
    permission, _, wanted = need.partition("=")
    if permission == "metadata" or not permission:
        return True
    have = level(token, repository, permission)
    return have in ("write", wanted)
