"""The few pages of the web server that are not the API: files as they are, and artifacts."""

from __future__ import annotations

import mimetypes
import re
from urllib.parse import unquote

from tests.github_server.git import GitError
from tests.github_server.messages import Refusal, Request, Response
from tests.github_server.permissions import authenticate, can_see
from tests.github_server.routes.actions import signature
from tests.github_server.state import State

FILE = re.compile(r"/(?P<name>[^/]+/[^/]+)/(?P<kind>blob|raw)/(?P<rest>.+)")
ARTIFACT = re.compile(r"/_artifacts/(?P<id>\d+)\.zip")
MISSING = Response(404, None, {"Content-Type": "text/html"}, b"<html><body>404</body></html>\n")


def serve(state: State, request: Request) -> Response | None:
    """The answer; None when the path is not one of these."""
    if request.method != "GET":
        return None
    if match := ARTIFACT.fullmatch(request.path):
        return artifact(state, request, int(match["id"]))
    match = FILE.fullmatch(unquote(request.path))
    if match is None or match["name"].startswith("repos/"):
        return None
    if match["kind"] == "blob" and request.query.get("raw") not in {"1", "true"}:
        return None
    return file(state, request, match["name"], match["rest"])


def artifact(state: State, request: Request, number: int) -> Response:
    for repository in state.repositories.values():
        found = repository.artifacts.get(number)
        if found is not None and request.query.get("sig") == signature(found):
            return Response(200, None, {"Content-Type": "application/zip"}, found["zip"])
    return MISSING


def file(state: State, request: Request, name: str, rest: str) -> Response:
    """`rest` is ref and path; a ref may hold slashes. GitHub's own sign-in is the token here."""
    try:
        repository = state.repository(name)
        if not can_see(authenticate(state, request.headers), repository):
            return MISSING
    except Refusal:
        return MISSING
    parts = rest.split("/")
    for count in range(1, len(parts)):
        sha = repository.git.resolve("/".join(parts[:count]))
        path = "/".join(parts[count:])
        if sha is None or sha.startswith("-"):
            continue
        try:
            content = repository.git.read("cat-file", "blob", f"{sha}:{path}")
        except GitError:
            continue
        kind = mimetypes.guess_type(path)[0] or "text/plain"
        return Response(200, None, {"Content-Type": kind}, content)
    return MISSING
