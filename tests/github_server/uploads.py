"""Places of GitHub beside its REST API that take files: attachments of people, and artifacts of a
run, with the runner's token and two calls around an upload to a signed address."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid

from tests.github_server.messages import Json, Refusal, Request, Response
from tests.github_server.permissions import INSTALLATIONS, at_least, authenticate
from tests.github_server.state import Repository, State, timestamp

ASSETS = "/user-attachments/assets"
TWIRP = "/twirp/github.actions.results.api.v1.ArtifactService/"
BLOB = re.compile(r"/_blobs/(?P<key>[0-9a-f]{32})")
PNG = b"\x89PNG\r\n\x1a\n"
CLAIM = re.compile(r"Actions\.Results:(?P<run>[\w-]+):(?P<job>[\w-]+)")


def serve(state: State, request: Request) -> Response | None:
    """The answer; None when the path is not one of these."""
    try:
        with state.lock:
            if request.path == ASSETS and request.method == "POST":
                return attach(state, request)
            if request.path.startswith(f"{ASSETS}/") and request.method == "GET":
                content = state.uploads.get(request.path.rpartition("/")[2])
                return Response(
                    200 if content else 404, None, {"Content-Type": "image/png"}, content
                )
            if request.path.startswith(TWIRP) and request.method == "POST":
                return artifact(state, request, request.path.removeprefix(TWIRP))
            if (found := BLOB.fullmatch(request.path)) and request.method == "PUT":
                return blob(state, request, found["key"])
    except Refusal as refusal:
        return refusal.response()
    return None


def attach(state: State, request: Request) -> Response:
    """404 to whoever is not a person with the right to write, as GitHub does."""
    repository = one(state, int(request.query.get("repository_id", "0")))
    token = authenticate(state, request.headers)
    person = token is not None and token.kind not in INSTALLATIONS
    if token is None or not person or not at_least(repository.role(token.login), "write"):
        raise Refusal(404, "Not Found")
    name, kind = request.query.get("name", ""), request.query.get("content_type", "")
    if not name.endswith(".png") or kind != "image/png" or not request.body.startswith(PNG):
        raise Refusal(422, "Validation Failed")
    key = str(uuid.uuid4())
    state.uploads[key] = request.body
    return Response(201, {"id": state.new_id(), "url": f"{request.web}{ASSETS}/{key}"})


def one(state: State, number: int) -> Repository:
    found = [item for item in state.repositories.values() if item.id == number]
    if not found:
        raise Refusal(404, "Not Found")
    return found[0]


def runner_token(repository: Repository, run: int) -> str:
    """As the runner gives it to every action: a JWT of which this server reads the scope alone."""
    claims = {"scp": f"Actions.Runner:1 Actions.Results:run-{repository.id}-{run}:job-1"}
    parts: tuple[Json, ...] = ({"alg": "none"}, claims, {})
    return ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts
    )


def artifact(state: State, request: Request, method: str) -> Response:
    body: Json = request.json()
    repository, run = of_token(state, request, body)
    key = hashlib.md5(f"{run}/{body['name']}".encode(), usedforsecurity=False).hexdigest()
    if method == "CreateArtifact":
        if key in state.uploads or body.get("version") != 4:
            raise Refusal(409, "an artifact with this name already exists on the workflow run")
        state.uploads[key] = b""
        return Response(200, {"ok": True, "signed_upload_url": f"{request.web}/_blobs/{key}?sig=1"})
    content = state.uploads.get(key)
    digest = f"sha256:{hashlib.sha256(content or b'').hexdigest()}"
    if not content or body["size"] != str(len(content)) or body["hash"] != digest:
        return Response(200, {"ok": False})
    number = state.new_id()
    repository.artifacts[number] = {
        "id": number, "run": run, "name": body["name"], "zip": content, "expired": False,
        "created_at": timestamp(),
    }  # fmt: skip
    return Response(200, {"ok": True, "artifact_id": str(number)})


def of_token(state: State, request: Request, body: Json) -> tuple[Repository, int]:
    """Whose run it is: the body says it again, and both must agree."""
    claims = request.headers.get("authorization", "").partition(" ")[2].split(".")[1:2]
    try:
        text = base64.urlsafe_b64decode((claims or [""])[0] + "==").decode()
    except ValueError as error:
        raise Refusal(401, "Unauthorized") from error
    found = CLAIM.search(text)
    if found is None or found["run"] != body.get("workflow_run_backend_id"):
        raise Refusal(401, "Unauthorized")
    if found["job"] != body.get("workflow_job_run_backend_id"):
        raise Refusal(401, "Unauthorized")
    _, repository, run = found["run"].split("-")
    return one(state, int(repository)), int(run)


def blob(state: State, request: Request, key: str) -> Response:
    """As Azure's: without the kind of blob it is refused."""
    if key not in state.uploads or request.query.get("sig") != "1":
        return Response(403, None, {"Content-Type": "application/xml"}, b"<Error/>")
    if request.headers.get("x-ms-blob-type") != "BlockBlob" or "authorization" in request.headers:
        return Response(400, None, {"Content-Type": "application/xml"}, b"<Error/>")
    state.uploads[key] = request.body
    return Response(201)
