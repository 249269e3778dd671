"""Check runs and their annotations."""

from __future__ import annotations

from tests.github_server.messages import Json, Refusal, Response, not_found
from tests.github_server.routes import Call, route
from tests.github_server.shapes import node_id
from tests.github_server.shapes.pulls import pulls_at
from tests.github_server.shapes.users import app
from tests.github_server.state import timestamp

READ = "checks=read"
WRITE = "checks=write"
DEFAULTS: Json = {"details_url": None, "external_id": "", "status": "queued", "conclusion": None}
EMPTY_OUTPUT: Json = {"title": None, "summary": None, "text": None}
OPTIONAL = ("start_column", "end_column", "title", "raw_details")


def shape(call: Call, record: Json) -> Json:
    url = call.url("check-runs", record["id"])
    found = call.state.apps[record["app"]]
    owner = call.state.user(found.owner)
    return {
        "id": record["id"],
        "node_id": node_id("CheckRun", record["id"]),
        "name": record["name"],
        "head_sha": record["head_sha"],
        "external_id": record["external_id"],
        "url": url,
        "html_url": call.place.page(f"runs/{record['id']}"),
        "details_url": record["details_url"] or call.place.page(f"runs/{record['id']}"),
        "status": record["status"],
        "conclusion": record["conclusion"],
        "started_at": record["started_at"],
        "completed_at": record["completed_at"],
        "output": {
            **record["output"],
            "annotations_count": len(record["annotations"]),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": record["suite"]},
        "app": app(found, {"checks": "write"}, owner, call.request.api, call.request.web),
        "pull_requests": pulls_at(call.state, call.place, record["head_sha"]),
    }


def one(call: Call) -> Json:
    found = call.repository.checks.get(call.number("check_run_id"))
    if found is None:
        raise not_found()
    return found


def apply(record: Json, body: Json) -> None:
    """`output` merges, annotations append, a conclusion completes."""
    for name in (*DEFAULTS, "name", "started_at", "completed_at"):
        if name in body:
            record[name] = body[name]
    if body.get("conclusion"):
        record["status"] = "completed"
    elif body.get("status") in {"queued", "in_progress"}:
        record["conclusion"] = record["completed_at"] = None
    if record["status"] == "completed":
        record["completed_at"] = record["completed_at"] or timestamp()
    output = body.get("output", {})
    record["output"] |= {name: output[name] for name in EMPTY_OUTPUT if name in output}
    record["annotations"] += output.get("annotations", [])


def complete(body: Json) -> None:
    """GitHub's own rule, which the description holds in words only."""
    if body.get("status") == "completed" and not body.get("conclusion"):
        raise Refusal(
            422, 'Invalid request.\n\nNo subschema in "anyOf" matched.', errors=["conclusion"]
        )


@route("POST", "/repos/{owner}/{repo}/check-runs", WRITE, "app")
def create(call: Call) -> Response:
    body, repository = call.body, call.repository
    complete(body)
    if repository.git.kind(body["head_sha"]) != "commit":
        raise Refusal(422, f"No commit found for SHA: {body['head_sha']}")
    slug = str(call.token.app if call.token else None)
    record: Json = {
        **DEFAULTS,
        "id": call.state.new_id(),
        "head_sha": body["head_sha"],
        "app": slug,
        "suite": suite(call, body["head_sha"], slug),
        "started_at": timestamp(),
        "completed_at": None,
        "output": dict(EMPTY_OUTPUT),
        "annotations": [],
    }
    apply(record, body)
    repository.checks[record["id"]] = record
    return Response(201, shape(call, record))


def suite(call: Call, sha: str, slug: str) -> int:
    """One suite per commit and App."""
    for other in call.repository.checks.values():
        if (other["head_sha"], other["app"]) == (sha, slug):
            return int(other["suite"])
    return call.state.new_id()


@route("GET", "/repos/{owner}/{repo}/check-runs/{check_run_id}", READ)
def get(call: Call) -> Response:
    return Response(200, shape(call, one(call)))


@route("PATCH", "/repos/{owner}/{repo}/check-runs/{check_run_id}", WRITE, "app")
def update(call: Call) -> Response:
    record = one(call)
    if call.token is None or call.token.app != record["app"]:
        raise Refusal(403, "Invalid app_id `...` - check run can only be modified by its App.")
    complete(call.body)
    apply(record, call.body)
    return Response(200, shape(call, record))


@route("GET", "/repos/{owner}/{repo}/check-runs/{check_run_id}/annotations", READ)
def annotations_of(call: Call) -> Response:
    record = one(call)
    shapes = [
        {
            **dict.fromkeys(OPTIONAL),
            **found,
            "blob_href": call.place.page(f"blob/{record['head_sha']}/{found['path']}"),
        }
        for found in record["annotations"]
    ]
    return call.page(shapes)


@route("GET", "/repos/{owner}/{repo}/commits/{ref}/check-runs", READ)
def of_commit(call: Call) -> Response:
    sha = call.repository.commit(call.values["ref"])
    query = call.request.query
    found = [item for item in call.repository.checks.values() if item["head_sha"] == sha]
    for name, key in (("check_name", "name"), ("status", "status")):
        found = [item for item in found if query.get(name, item[key]) == item[key]]
    if "app_id" in query:
        wanted = int(query["app_id"])
        found = [item for item in found if call.state.apps[item["app"]].id == wanted]
    if query.get("filter", "latest") == "latest":
        found = list({(item["app"], item["name"]): item for item in found}.values())
    part, headers = call.cut(sorted(found, key=lambda item: -item["id"]))
    shapes = [shape(call, record) for record in part]
    return Response(200, {"total_count": len(found), "check_runs": shapes}, headers)
