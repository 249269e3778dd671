"""Releases."""

from __future__ import annotations

from tests.github_server.messages import Json, Response, invalid, not_found
from tests.github_server.routes import Call, route
from tests.github_server.shapes import node_id
from tests.github_server.shapes.users import simple_user
from tests.github_server.state import timestamp

READ = "contents=read"
WRITE = "contents=write"
BASE = "/repos/{owner}/{repo}/releases"
EDITABLE = ("tag_name", "target_commitish", "name", "body", "draft", "prerelease")


def shape(call: Call, record: Json) -> Json:
    url, tag = call.url("releases", record["id"]), record["tag_name"]
    author = call.state.user(record["author"])
    kept = ("id", "created_at", "published_at", *EDITABLE)
    return {
        **{name: record[name] for name in kept},
        "node_id": node_id("Release", record["id"]),
        "url": url,
        "html_url": call.place.page(f"releases/tag/{tag}"),
        "assets_url": f"{url}/assets",
        "upload_url": f"{url}/assets{{?name,label}}",
        "tarball_url": call.url("tarball", tag),
        "zipball_url": call.url("zipball", tag),
        "author": simple_user(author, call.request.api, call.request.web),
        "assets": [],
    }


def published(call: Call) -> list[Json]:
    """Newest first, without drafts."""
    return [item for item in reversed(call.repository.releases.values()) if not item["draft"]]


@route("GET", BASE, READ)
def listed(call: Call) -> Response:
    return call.page([shape(call, item) for item in reversed(call.repository.releases.values())])


@route("POST", BASE, WRITE)
def create(call: Call) -> Response:
    body, repository = call.body, call.repository
    tag = body["tag_name"]
    if any(item["tag_name"] == tag for item in published(call)):
        raise invalid("Release", "tag_name", "already_exists")
    target = body.get("target_commitish", repository.default_branch)
    make_tag(call, tag, target, draft=body.get("draft", False))
    now = timestamp()
    record: Json = {
        "id": call.state.new_id(),
        "tag_name": tag,
        "target_commitish": target,
        "name": body.get("name"),
        "body": body.get("body"),
        "draft": body.get("draft", False),
        "prerelease": body.get("prerelease", False),
        "author": call.viewer.login,
        "created_at": now,
        "published_at": None if body.get("draft") else now,
    }
    repository.releases[record["id"]] = record
    made = shape(call, record)
    return Response(201, made, {"Location": made["url"]})


def make_tag(call: Call, tag: str, target: str, *, draft: bool) -> None:
    """Publishing makes the tag where there is none."""
    git = call.repository.git
    if draft or git.ref(f"refs/tags/{tag}") is not None:
        return
    sha = git.resolve(target)
    if sha is None:
        raise invalid("Release", "target_commitish", "invalid")
    git.update(f"refs/tags/{tag}", sha)


def one(call: Call) -> Json:
    found = call.repository.releases.get(call.number("release_id"))
    if found is None:
        raise not_found()
    return found


@route("GET", f"{BASE}/latest", READ)
def latest(call: Call) -> Response:
    for item in published(call):
        if not item["prerelease"]:
            return Response(200, shape(call, item))
    raise not_found()


@route("GET", f"{BASE}/tags/{{tag}}", READ)
def by_tag(call: Call) -> Response:
    for item in published(call):
        if item["tag_name"] == call.values["tag"]:
            return Response(200, shape(call, item))
    raise not_found()


@route("GET", f"{BASE}/{{release_id}}", READ)
def get(call: Call) -> Response:
    return Response(200, shape(call, one(call)))


@route("PATCH", f"{BASE}/{{release_id}}", WRITE)
def edit(call: Call) -> Response:
    record = one(call)
    record |= {name: call.body[name] for name in EDITABLE if name in call.body}
    if not record["draft"] and record["published_at"] is None:
        make_tag(call, record["tag_name"], record["target_commitish"], draft=False)
        record["published_at"] = timestamp()
    return Response(200, shape(call, record))


@route("DELETE", f"{BASE}/{{release_id}}", WRITE)
def delete(call: Call) -> Response:
    """The tag stays."""
    del call.repository.releases[one(call)["id"]]
    return Response(204)
