"""Who we are to a registry.

In this order: MLOPS_CI_REGISTRY_USERNAME and _PASSWORD; what `docker login` left behind (also in a
credential helper); on ghcr.io the job's own GitHub token. Else anonymous.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_ci.images.name import HUB
from mlops_ci.world import World

USERNAME, PASSWORD = "MLOPS_CI_REGISTRY_USERNAME", "MLOPS_CI_REGISTRY_PASSWORD"
HUB_KEY = "https://index.docker.io/v1/"
GITHUB_REGISTRY = "ghcr.io"
TOKEN_USER = "<token>"  # noqa: S105 - what helpers call a password that is an identity token


@dataclass(frozen=True)
class Login:
    """A name and a password, or an identity token in place of both."""

    username: str
    password: str = field(repr=False)
    identity_token: str = field(default="", repr=False)


def find_login(host: str, world: World) -> Login | None:
    environ = world.environ
    name, password = environ.get(USERNAME), environ.get(PASSWORD)
    if name and password:
        return Login(name, password)
    found = _from_docker(host, world)
    if found is not None:
        return found
    token = environ.get("INPUT_TOKEN") or environ.get("GITHUB_TOKEN")
    if host == GITHUB_REGISTRY and token:
        return Login(environ.get("GITHUB_ACTOR") or "x-access-token", token)
    return None


def _from_docker(host: str, world: World) -> Login | None:
    config = _read_config(world)
    key = HUB_KEY if host == HUB else host
    helper = (config.get("credHelpers") or {}).get(host) or config.get("credsStore")
    if helper:
        asked = _ask_helper(str(helper), key, world)
        if asked is not None:
            return asked
    auths = config.get("auths") or {}
    entry = next((auths[k] for k in (key, host, f"https://{host}") if k in auths), None)
    return _from_entry(entry) if isinstance(entry, dict) else None


def _read_config(world: World) -> dict[str, Any]:
    home = world.environ.get("HOME", "")
    folder = world.environ.get("DOCKER_CONFIG") or (f"{home}/.docker" if home else "")
    if not folder:
        return {}
    try:
        content = json.loads(Path(folder, "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _from_entry(entry: dict[str, Any]) -> Login | None:
    if entry.get("identitytoken"):
        return Login("", "", identity_token=str(entry["identitytoken"]))
    if entry.get("username") and entry.get("password"):
        return Login(str(entry["username"]), str(entry["password"]))
    try:
        text = base64.b64decode(str(entry.get("auth", "")), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    name, colon, password = text.partition(":")
    return Login(name, password) if colon else None


def _ask_helper(helper: str, key: str, world: World) -> Login | None:
    try:
        done = world.run(f"docker-credential-{helper}", "get", stdin=key.encode())
    except OSError:
        return None
    if done.code != 0:
        return None
    try:
        said = json.loads(done.text)
        name, secret = str(said["Username"]), str(said["Secret"])
    except (ValueError, KeyError, TypeError):
        return None
    if name == TOKEN_USER:
        return Login("", "", identity_token=secret)
    return Login(name, secret)
