"""GitHub Actions: workflows, their runs and artifacts, and what starts them by hand."""

from __future__ import annotations

import hashlib

from tests.github_server.messages import Json, Refusal, Response, not_found
from tests.github_server.routes import Call, route
from tests.github_server.runs import add_run, check_inputs, find_workflow, workflow_id, workflows
from tests.github_server.shapes import node_id
from tests.github_server.shapes.runs import artifact, run
from tests.github_server.state import timestamp

READ = "actions=read"
WRITE = "actions=write"
BASE = "/repos/{owner}/{repo}/actions"


def workflow_shape(call: Call, path: str, parsed: Json) -> Json:
    number = workflow_id(call.repository, path)
    created = call.repository.created_at
    return {
        "id": number,
        "node_id": node_id("Workflow", number),
        "name": parsed.get("name", path),
        "path": path,
        "state": "active",
        "created_at": created,
        "updated_at": created,
        "url": call.url("actions/workflows", number),
        "html_url": call.place.page(f"blob/{call.repository.default_branch}/{path}"),
        "badge_url": call.place.page(f"workflows/{number}/badge.svg"),
    }


@route("GET", f"{BASE}/workflows", READ)
def list_workflows(call: Call) -> Response:
    found = workflows(call.repository)
    shapes = [workflow_shape(call, path, parsed) for path, parsed in found.items()]
    part, headers = call.cut(shapes)
    return Response(200, {"total_count": len(shapes), "workflows": part}, headers)


@route("GET", f"{BASE}/workflows/{{workflow_id}}", READ)
def get_workflow(call: Call) -> Response:
    path, parsed = find_workflow(call.repository, call.values["workflow_id"])
    return Response(200, workflow_shape(call, path, parsed))


@route("POST", f"{BASE}/workflows/{{workflow_id}}/dispatches", WRITE)
def dispatch_workflow(call: Call) -> Response:
    """Leaves a queued run of the event workflow_dispatch; nothing executes it."""
    path, parsed = find_workflow(call.repository, call.values["workflow_id"])
    ref = call.body["ref"]
    sha = call.repository.git.resolve(ref.removeprefix("refs/heads/"))
    if sha is None:
        raise Refusal(422, f"No ref found for: {ref}")
    inputs = check_inputs(parsed, call.body.get("inputs", {}))
    made = add_run(
        call.state,
        call.repository,
        {
            "name": parsed.get("name", path),
            "path": path,
            "event": "workflow_dispatch",
            "status": "queued",
            "conclusion": None,
            "head_branch": ref.removeprefix("refs/heads/"),
            "head_sha": sha,
            "actor": call.viewer.login,
            "inputs": inputs,
        },
    )
    record_dispatch(call, {"kind": "workflow_dispatch", "path": path, "ref": ref, "inputs": inputs})
    if not call.body.get("return_run_details"):
        return Response(204)
    shape = {
        "workflow_run_id": made["id"],
        "run_url": call.url("actions/runs", made["id"]),
        "html_url": call.place.page(f"actions/runs/{made['id']}"),
    }
    return Response(200, shape)


@route("POST", "/repos/{owner}/{repo}/dispatches", "contents=write")
def dispatch_repository(call: Call) -> Response:
    record_dispatch(call, {"kind": "repository_dispatch", **call.body})
    return Response(204)


def record_dispatch(call: Call, found: Json) -> None:
    by = {"actor": call.viewer.login, "at": timestamp()}
    call.repository.dispatches.append({**found, **by})


@route("GET", f"{BASE}/runs", READ)
def list_runs(call: Call) -> Response:
    query = call.request.query
    found = list(reversed(call.repository.runs.values()))
    for name, key in {
        "event": "event",
        "branch": "head_branch",
        "head_sha": "head_sha",
        "actor": "actor",
    }.items():
        found = [item for item in found if query.get(name, item[key]) == item[key]]
    if "status" in query:
        found = [i for i in found if query["status"] in {i["status"], i["conclusion"]}]
    part, headers = call.cut(found)
    shapes = [run(call.state, call.place, item) for item in part]
    return Response(200, {"total_count": len(found), "workflow_runs": shapes}, headers)


@route("GET", f"{BASE}/runs/{{run_id}}", READ)
def get_run(call: Call) -> Response:
    return Response(200, run(call.state, call.place, one_run(call)))


def one_run(call: Call) -> Json:
    found = call.repository.runs.get(call.number("run_id"))
    if found is None:
        raise not_found()
    return found


def listed_artifacts(call: Call, found: list[Json]) -> Response:
    wanted = call.request.query.get("name")
    found = [item for item in found if wanted in {None, item["name"]}]
    part, headers = call.cut(found)
    shapes = [artifact(call.state, call.place, item) for item in part]
    return Response(200, {"total_count": len(found), "artifacts": shapes}, headers)


@route("GET", f"{BASE}/runs/{{run_id}}/artifacts", READ)
def artifacts_of_run(call: Call) -> Response:
    number = one_run(call)["id"]
    artifacts = call.repository.artifacts.values()
    return listed_artifacts(call, [item for item in artifacts if item["run"] == number])


@route("GET", f"{BASE}/artifacts", READ)
def artifacts_of_repository(call: Call) -> Response:
    return listed_artifacts(call, list(reversed(call.repository.artifacts.values())))


def one_artifact(call: Call) -> Json:
    found = call.repository.artifacts.get(call.number("artifact_id"))
    if found is None:
        raise not_found()
    return found


@route("GET", f"{BASE}/artifacts/{{artifact_id}}", READ)
def get_artifact(call: Call) -> Response:
    return Response(200, artifact(call.state, call.place, one_artifact(call)))


@route("DELETE", f"{BASE}/artifacts/{{artifact_id}}", WRITE)
def delete_artifact(call: Call) -> Response:
    del call.repository.artifacts[one_artifact(call)["id"]]
    return Response(204)


@route("GET", f"{BASE}/artifacts/{{artifact_id}}/{{archive_format}}", READ)
def download(call: Call) -> Response:
    """A redirect to a signed address, which needs no token and takes none into account."""
    found = one_artifact(call)
    if found["expired"]:
        raise Refusal(410, "Artifact has expired")
    if call.values["archive_format"] != "zip":
        raise not_found()
    where = f"{call.request.web}/_artifacts/{found['id']}.zip?sig={signature(found)}"
    return Response(302, None, {"Location": where})


def signature(found: Json) -> str:
    return hashlib.sha256(f"{found['id']} {found['created_at']}".encode()).hexdigest()[:32]
