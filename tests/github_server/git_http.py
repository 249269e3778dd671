"""Git over HTTP: Git's own CGI program in front of the same bare repositories."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

from tests.github_server.git import ENVIRONMENT
from tests.github_server.messages import Refusal, Request, Response
from tests.github_server.permissions import authenticate, can_see, level
from tests.github_server.pull_refs import refresh
from tests.github_server.state import Repository, State, Token

PATH = re.compile(
    r"/(?P<owner>[^/]+)/(?P<repo>[^/]+?)(?:\.git)?/(?P<rest>info/refs|git-upload-pack|git-receive-pack)"
)
CHALLENGE = {"WWW-Authenticate": 'Basic realm="GitHub"'}


def serve(state: State, request: Request) -> Response | None:
    """The answer; None when the path is not one of Git's."""
    match = PATH.fullmatch(unquote(request.path))
    if match is None:
        return None
    service = request.query.get("service", match["rest"]).removeprefix("git-")
    writes = service == "receive-pack"
    try:
        repository = admit(state, request, f"{match['owner']}/{match['repo']}", writes=writes)
    except Refusal as refusal:
        text = refusal.message.encode() + b"\n"
        return Response(
            refusal.status, None, {**refusal.headers, "Content-Type": "text/plain"}, text
        )
    if match["rest"] == "info/refs":
        with state.lock:
            refresh(state)
    response = run_backend(repository, request, match["rest"])
    if request.method == "POST" and writes:
        with state.lock:
            refresh(state)
    return response


def admit(state: State, request: Request, full_name: str, *, writes: bool) -> Repository:
    try:
        token = authenticate(state, request.headers)
    except Refusal as refusal:
        raise Refusal(401, "Invalid username or token.", headers=CHALLENGE) from refusal
    try:
        repository = state.repository(full_name)
    except Refusal:
        repository = None
    if repository is None or not can_see(token, repository):
        if token is None:
            raise Refusal(401, "Authentication required.", headers=CHALLENGE)
        raise Refusal(404, "Repository not found.")
    check_contents(token, repository, writes=writes)
    return repository


def check_contents(token: Token | None, repository: Repository, *, writes: bool) -> None:
    have = level(token, repository, "contents")
    if writes and token is None:
        raise Refusal(401, "Authentication required.", headers=CHALLENGE)
    if writes and have != "write":
        login = token.login if token else ""
        raise Refusal(403, f"Permission to {repository.full_name}.git denied to {login}.")
    if have == "none":
        raise Refusal(403, "Write access to repository not granted.")


def run_backend(repository: Repository, request: Request, rest: str) -> Response:
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", "http-backend"],
        input=request.body,
        env=cgi(repository.git.path, request, rest),
        capture_output=True,
        check=True,
    )
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    status = int(headers.pop("Status", "200").split(" ")[0])
    return Response(status, None, headers, body)


def cgi(path: Path, request: Request, rest: str) -> dict[str, str]:
    query = "&".join(f"{name}={value}" for name, value in request.query.items())
    return {
        **ENVIRONMENT,
        "GIT_PROJECT_ROOT": str(path.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "PATH_INFO": f"/{path.name}/{rest}",
        "QUERY_STRING": query,
        "REQUEST_METHOD": request.method,
        "REMOTE_USER": "git",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
        "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
