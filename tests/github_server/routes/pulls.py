"""Pull requests."""

from __future__ import annotations

from tests.github_server.messages import Json, Refusal, Response, invalid, not_found
from tests.github_server.pull_refs import refresh
from tests.github_server.routes import Call, route
from tests.github_server.seed import add_pull
from tests.github_server.shapes.commits import commit, files
from tests.github_server.shapes.pulls import (
    base_sha,
    head_repository,
    head_sha,
    pull_simple,
    pull_whole,
)
from tests.github_server.state import timestamp

READ = "pull_requests=read"
WRITE = "pull_requests=write"


def one(call: Call) -> Json:
    return call.repository.pull(call.number("pull_number"))


def matches(call: Call, record: Json) -> bool:
    query = call.request.query
    if "pull" not in record or query.get("state", "open") not in {"all", record["state"]}:
        return False
    pull = record["pull"]
    label = f"{head_repository(call.state, record).owner}:{pull['head_ref']}"
    return (
        query.get("head", label) == label
        and query.get("base", pull["base_ref"]) == pull["base_ref"]
    )


@route("GET", "/repos/{owner}/{repo}/pulls", READ)
def listed(call: Call) -> Response:
    found = [record for record in call.repository.issues.values() if matches(call, record)]
    backward = call.request.query.get("direction", "desc") == "desc"
    found.sort(key=lambda record: record["number"], reverse=backward)
    part, headers = call.cut(found)
    return Response(200, [pull_simple(call.state, call.place, item) for item in part], headers)


@route("POST", "/repos/{owner}/{repo}/pulls", WRITE, "read")
def create(call: Call) -> Response:
    owner, _, ref = str(call.body["head"]).rpartition(":")
    source = head_of(call, owner or call.repository.owner)
    repository = call.state.repository(source)
    if repository.git.ref(f"refs/heads/{ref}") is None:
        raise invalid("PullRequest", "head", "invalid")
    asked = {
        "title": call.body.get("title", ref),
        "body": call.body.get("body"),
        "author": call.viewer.login,
        "head": ref,
        "head_repository": source,
        "base": call.body["base"],
        "draft": call.body.get("draft", False),
    }
    if call.repository.git.ref(f"refs/heads/{asked['base']}") is None:
        raise invalid("PullRequest", "base", "invalid")
    record = add_pull(call.state, call.repository, asked)
    refresh(call.state)
    return Response(201, pull_whole(call.state, call.place, record))


def head_of(call: Call, owner: str) -> str:
    if owner == call.repository.owner:
        return call.repository.full_name
    for fork in call.state.repositories.values():
        if fork.owner == owner and fork.fork_of == call.repository.full_name:
            return fork.full_name
    raise invalid("PullRequest", "head", "invalid")


@route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}", READ)
def get(call: Call) -> Response:
    return Response(200, pull_whole(call.state, call.place, one(call)))


@route("PATCH", "/repos/{owner}/{repo}/pulls/{pull_number}", WRITE)
def edit(call: Call) -> Response:
    record = one(call)
    for name in ("title", "body", "state"):
        if name in call.body:
            record[name] = call.body[name]
    record["updated_at"] = timestamp()
    record["closed_at"] = record["updated_at"] if record["state"] == "closed" else None
    return Response(200, pull_whole(call.state, call.place, record))


@route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/files", READ)
def changed(call: Call) -> Response:
    base, head = sides(call, one(call))
    return call.page(files(call.place, call.repository.git.merge_base(base, head) or base, head))


@route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/commits", READ)
def commits(call: Call) -> Response:
    base, head = sides(call, one(call))
    part, headers = call.cut(call.repository.git.between(base, head))
    return Response(200, [commit(call.place, sha) for sha in part], headers)


def sides(call: Call, record: Json) -> tuple[str, str]:
    return base_sha(call.repository, record), head_sha(call.state, call.repository, record)


@route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/merge", READ)
def is_merged(call: Call) -> Response:
    if one(call)["pull"]["merged_at"] is None:
        raise not_found()
    return Response(204)


@route("PUT", "/repos/{owner}/{repo}/pulls/{pull_number}/merge", "contents=write")
def merge(call: Call) -> Response:
    """A merge commit on the base branch; 405 when it conflicts, 409 when the head moved."""
    record, git = one(call), call.repository.git
    base, head = sides(call, record)
    if record["state"] != "open":
        raise Refusal(405, "Pull Request is not mergeable")
    if call.body.get("sha", head) != head:
        raise Refusal(409, "Head branch was modified. Review and try the merge again.")
    title = f"Merge pull request #{record['number']} from {record['pull']['head_ref']}"
    sha = git.merge(base, head, call.body.get("commit_title") or title)
    if sha is None:
        raise Refusal(405, "Merge conflict")
    git.update(f"refs/heads/{record['pull']['base_ref']}", sha, base)
    record["state"] = "closed"
    record["closed_at"] = record["updated_at"] = record["pull"]["merged_at"] = timestamp()
    refresh(call.state)
    done = {"sha": sha, "merged": True, "message": "Pull Request successfully merged"}
    return Response(200, done)
