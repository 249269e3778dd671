"""Deployments and their statuses."""

from __future__ import annotations

from tests.github_server.messages import Json, Refusal, Response, invalid, not_found
from tests.github_server.pull_refs import refresh
from tests.github_server.routes import Call, route
from tests.github_server.routes.statuses import LONGEST, latest
from tests.github_server.shapes import node_id
from tests.github_server.shapes.users import simple_user
from tests.github_server.state import Repository, timestamp

READ = "deployments=read"
WRITE = "deployments=write"
GOOD = {"success", "neutral", "skipped"}


def creator(call: Call, record: Json) -> Json:
    return simple_user(call.state.user(record["creator"]), call.request.api, call.request.web)


def shape(call: Call, record: Json) -> Json:
    url = call.url("deployments", record["id"])
    kept = ("id", "sha", "ref", "task", "payload", "environment", "description", "created_at")
    flags = ("updated_at", "transient_environment", "production_environment")
    return {
        **{name: record[name] for name in (*kept, *flags)},
        "node_id": node_id("Deployment", record["id"]),
        "original_environment": record["environment"],
        "url": url,
        "statuses_url": f"{url}/statuses",
        "repository_url": f"{call.request.api}/repos/{call.repository.full_name}",
        "creator": creator(call, record),
    }


def status_shape(call: Call, record: Json) -> Json:
    url = call.url("deployments", record["deployment"])
    texts = ("target_url", "log_url", "environment_url")
    return {
        **{name: record[name] for name in ("id", "state", "description", "environment", *texts)},
        "node_id": node_id("DeploymentStatus", record["id"]),
        "url": f"{url}/statuses/{record['id']}",
        "deployment_url": url,
        "repository_url": f"{call.request.api}/repos/{call.repository.full_name}",
        "creator": creator(call, record),
        "created_at": record["created_at"],
        "updated_at": record["created_at"],
    }


def one(call: Call) -> Json:
    found = call.repository.deployments.get(call.number("deployment_id"))
    if found is None:
        raise not_found()
    return found


def statuses_of(call: Call, record: Json) -> list[Json]:
    everything = call.repository.deployment_statuses.values()
    return sorted(
        (item for item in everything if item["deployment"] == record["id"]),
        key=lambda item: -item["id"],
    )


@route("GET", "/repos/{owner}/{repo}/deployments", READ)
def listed(call: Call) -> Response:
    found = list(reversed(call.repository.deployments.values()))
    for name in ("sha", "ref", "task", "environment"):
        found = [item for item in found if call.request.query.get(name, item[name]) == item[name]]
    return call.page([shape(call, item) for item in found])


@route("POST", "/repos/{owner}/{repo}/deployments", WRITE)
def create(call: Call) -> Response:
    body, ref = call.body, call.body["ref"]
    sha = call.repository.git.resolve(ref)
    if sha is None:
        raise Refusal(422, f"No ref found for: {ref}")
    if body.get("auto_merge", True) and (merged := auto_merge(call, ref)) is not None:
        return merged
    require_contexts(call.repository, sha, body.get("required_contexts"))
    environment = body.get("environment", "production")
    now = timestamp()
    record: Json = {
        "id": call.state.new_id(),
        "sha": sha,
        "ref": ref,
        "task": body.get("task", "deploy"),
        "payload": body.get("payload", ""),
        "environment": environment,
        "description": body.get("description", ""),
        "transient_environment": body.get("transient_environment", False),
        "production_environment": body.get("production_environment", environment == "production"),
        "creator": call.viewer.login,
        "created_at": now,
        "updated_at": now,
    }
    call.repository.deployments[record["id"]] = record
    return Response(201, shape(call, record))


def auto_merge(call: Call, ref: str) -> Response | None:
    """The default branch into a branch that lacks some of it: 202 and no deployment, or 409."""
    git, default = call.repository.git, call.repository.default_branch
    tip, base = git.ref(f"refs/heads/{ref}"), git.ref(f"refs/heads/{default}")
    if tip is None or base is None or git.is_ancestor(base, tip):
        return None
    sha = git.merge(tip, base, f"Merge {default} into {ref}")
    if sha is None:
        raise Refusal(409, f"Conflict merging {default} into {ref}.")
    git.update(f"refs/heads/{ref}", sha, tip)
    refresh(call.state)
    return Response(202, {"message": f"Auto-merged {default} into {ref} on deployment."})


def require_contexts(repository: Repository, sha: str, wanted: list[str] | None) -> None:
    """None: every status and check that the commit has must be good. []: none of them."""
    states = {name: item["state"] for name, item in latest(repository, sha).items()}
    for item in repository.checks.values():
        if item["head_sha"] == sha:
            states[item["name"]] = item["conclusion"] or item["status"]
    names = list(states) if wanted is None else wanted
    if bad := [name for name in names if states.get(name) not in GOOD]:
        raise Refusal(
            409,
            f"Conflict: Commit status checks failed for {sha}.",
            errors=[{"resource": "Deployment", "field": "required_contexts", "contexts": bad}],
        )


@route("GET", "/repos/{owner}/{repo}/deployments/{deployment_id}", READ)
def get(call: Call) -> Response:
    return Response(200, shape(call, one(call)))


@route("GET", "/repos/{owner}/{repo}/deployments/{deployment_id}/statuses", READ)
def statuses(call: Call) -> Response:
    return call.page([status_shape(call, item) for item in statuses_of(call, one(call))])


@route("POST", "/repos/{owner}/{repo}/deployments/{deployment_id}/statuses", WRITE)
def create_status(call: Call) -> Response:
    deployment, body = one(call), call.body
    if len(body.get("description", "")) > LONGEST:
        message = f"description is too long (maximum is {LONGEST} characters)"
        raise invalid("DeploymentStatus", "description", "custom", message)
    made = add_status(call, deployment, body)
    if body["state"] == "success" and body.get("auto_inactive", True):
        retire_others(call, deployment)
    return Response(201, status_shape(call, made))


def add_status(call: Call, deployment: Json, body: Json) -> Json:
    log = body.get("log_url") or body.get("target_url", "")
    record: Json = {
        "id": call.state.new_id(),
        "deployment": deployment["id"],
        "state": body["state"],
        "description": body.get("description", ""),
        "environment": body.get("environment", deployment["environment"]),
        "target_url": log,
        "log_url": log,
        "environment_url": body.get("environment_url", ""),
        "creator": call.viewer.login,
        "created_at": timestamp(),
    }
    call.repository.deployment_statuses[record["id"]] = record
    return record


def retire_others(call: Call, deployment: Json) -> None:
    """Earlier ones in the same environment, unless that is a production or a transient one."""
    for other in call.repository.deployments.values():
        same = other["environment"] == deployment["environment"]
        spared = other["transient_environment"] or other["production_environment"]
        if other["id"] >= deployment["id"] or not same or spared:
            continue
        past = statuses_of(call, other)
        if past and past[0]["state"] == "success":
            add_status(call, other, {"state": "inactive"})
