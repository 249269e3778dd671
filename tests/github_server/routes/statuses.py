"""Commit statuses."""

from __future__ import annotations

from tests.github_server.messages import Json, Refusal, Response, invalid
from tests.github_server.routes import Call, route
from tests.github_server.shapes import node_id
from tests.github_server.shapes.repositories import minimal
from tests.github_server.shapes.users import simple_user
from tests.github_server.state import Repository, timestamp

READ = "statuses=read"
MOST_PER_CONTEXT = 1000
LONGEST = 140


def of_sha(repository: Repository, sha: str) -> list[Json]:
    """Newest first."""
    found = [item for item in repository.statuses.values() if item["sha"] == sha]
    return sorted(found, key=lambda item: -item["id"])


def latest(repository: Repository, sha: str) -> dict[str, Json]:
    """By context, the one that counts."""
    return {item["context"]: item for item in reversed(of_sha(repository, sha))}


def simple(call: Call, record: Json) -> Json:
    creator = simple_user(call.state.user(record["creator"]), call.request.api, call.request.web)
    return {
        "url": call.url("statuses", record["sha"]),
        "avatar_url": creator["avatar_url"],
        "id": record["id"],
        "node_id": node_id("Status", record["id"]),
        "state": record["state"],
        "description": record["description"],
        "target_url": record["target_url"],
        "context": record["context"],
        "created_at": record["created_at"],
        "updated_at": record["created_at"],
    }


def shape(call: Call, record: Json) -> Json:
    creator = call.state.user(record["creator"])
    return {
        **simple(call, record),
        "creator": simple_user(creator, call.request.api, call.request.web),
    }


@route("POST", "/repos/{owner}/{repo}/statuses/{sha}", "statuses=write")
def create(call: Call) -> Response:
    sha, body = call.values["sha"], call.body
    if sha.startswith("-") or call.repository.git.kind(sha) != "commit":
        raise Refusal(422, f"No commit found for SHA: {sha}")
    context = body.get("context", "default")
    if len(body.get("description") or "") > LONGEST:
        message = f"description is too long (maximum is {LONGEST} characters)"
        raise invalid("Status", "description", "custom", message)
    if sum(i["context"] == context for i in of_sha(call.repository, sha)) >= MOST_PER_CONTEXT:
        message = "This SHA and context has reached the maximum number of statuses."
        raise invalid("Status", "base", "custom", message)
    record = {
        "id": call.state.new_id(),
        "sha": sha,
        "state": body["state"],
        "description": body.get("description"),
        "target_url": body.get("target_url"),
        "context": context,
        "creator": call.viewer.login,
        "created_at": timestamp(),
    }
    call.repository.statuses[record["id"]] = record
    return Response(201, shape(call, record))


@route("GET", "/repos/{owner}/{repo}/statuses/{ref}", READ, documented=False)
@route("GET", "/repos/{owner}/{repo}/commits/{ref}/statuses", READ)
def listed(call: Call) -> Response:
    sha = call.repository.commit(call.values["ref"])
    return call.page([shape(call, item) for item in of_sha(call.repository, sha)])


@route("GET", "/repos/{owner}/{repo}/commits/{ref}/status", READ)
def combined(call: Call) -> Response:
    sha = call.repository.commit(call.values["ref"])
    found = list(latest(call.repository, sha).values())
    part, headers = call.cut(found)
    shape_of_all = {
        "state": worst([item["state"] for item in found]),
        "sha": sha,
        "total_count": len(found),
        "statuses": [simple(call, item) for item in part],
        "repository": minimal(call.state, call.repository, call.request.api, call.request.web),
        "commit_url": call.url("commits", sha),
        "url": call.url("commits", sha, "status"),
    }
    return Response(200, shape_of_all, headers)


def worst(states: list[str]) -> str:
    if {"error", "failure"} & set(states):
        return "failure"
    return "success" if states and set(states) == {"success"} else "pending"
