"""Git LFS over HTTP, basic transfers, as GitHub serves it beside Git."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from urllib.parse import unquote

from tests.github_server.git_http import admit
from tests.github_server.messages import Json, Refusal, Request, Response
from tests.github_server.state import Repository, State

PATH = re.compile(r"/(?P<owner>[^/]+)/(?P<repo>[^/]+?)(?:\.git)?/info/lfs/(?P<rest>.+)")
OBJECT = re.compile(r"objects/(?P<oid>[0-9a-f]{64})")
MEDIA = {"Content-Type": "application/vnd.git-lfs+json"}


def serve(state: State, request: Request) -> Response | None:
    """The answer; None when the path is not one of LFS."""
    match = PATH.fullmatch(unquote(request.path))
    if match is None:
        return None
    try:
        return answer(state, request, f"{match['owner']}/{match['repo']}", match["rest"])
    except Refusal as refusal:
        challenge = {"LFS-Authenticate": 'Basic realm="GitHub"'} if refusal.status == 401 else {}
        content = {"message": refusal.message}
        return Response(refusal.status, content, {**MEDIA, **challenge, **refusal.headers})


def answer(state: State, request: Request, full_name: str, rest: str) -> Response:
    if request.method == "POST" and rest == "objects/batch":
        return batch(state, request, full_name)
    match = OBJECT.fullmatch(rest)
    if match is None or request.method not in {"GET", "PUT"}:
        # No locks: the client goes on without them.
        raise Refusal(404, "Not Found")
    repository = admit(state, request, full_name, writes=request.method == "PUT")
    target = stored(repository, match["oid"])
    if request.method == "PUT":
        return receive(target, match["oid"], request.body)
    if not target.exists():
        raise Refusal(404, "Object does not exist")
    return Response(200, None, {"Content-Type": "application/octet-stream"}, target.read_bytes())


def stored(repository: Repository, oid: str) -> Path:
    return repository.git.path / "lfs" / "objects" / oid[:2] / oid[2:4] / oid


def receive(target: Path, oid: str, content: bytes) -> Response:
    if hashlib.sha256(content).hexdigest() != oid:
        raise Refusal(422, "The object does not match its oid")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return Response(200, None, {"Content-Type": "application/octet-stream"}, b"")


def batch(state: State, request: Request, full_name: str) -> Response:
    asked = json.loads(request.body)
    upload = asked["operation"] == "upload"
    repository = admit(state, request, full_name, writes=upload)
    objects = [planned(request, repository, item, upload=upload) for item in asked["objects"]]
    return Response(200, {"transfer": "basic", "objects": objects}, MEDIA)


def planned(request: Request, repository: Repository, item: Json, *, upload: bool) -> Json:
    """Where one object goes or comes from; nothing to do when it is already here."""
    found = {"oid": item["oid"], "size": item["size"], "authenticated": True}
    here = stored(repository, item["oid"]).exists()
    if upload and here:
        return found
    if not upload and not here:
        return {**found, "error": {"code": 404, "message": "Object does not exist"}}
    path = f"{repository.full_name}.git/info/lfs/objects/{item['oid']}"
    header = {"Authorization": request.headers.get("authorization", "")}
    action = {"href": f"{request.web}/{path}", "header": {k: v for k, v in header.items() if v}}
    return {**found, "actions": {"upload" if upload else "download": action}}
