"""Reactions to comments and issues."""

from __future__ import annotations

from tests.github_server.messages import Json, Response, not_found
from tests.github_server.routes import Call, route
from tests.github_server.shapes import node_id
from tests.github_server.shapes.users import simple_user
from tests.github_server.state import timestamp

READ = "issues=read; pull_requests=read"
WRITE = "issues=write; pull_requests=write"
COMMENT = "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions"
ISSUE = "/repos/{owner}/{repo}/issues/{issue_number}/reactions"


def target(call: Call) -> tuple[str, int]:
    if "comment_id" in call.values:
        number = call.number("comment_id")
        if number not in call.repository.comments:
            raise not_found()
        return "comment", number
    return "issue", int(call.repository.issue(call.number("issue_number"))["number"])


def given(call: Call) -> list[Json]:
    wanted = target(call)
    everything = call.repository.reactions.values()
    return [item for item in everything if (item["kind"], item["target"]) == wanted]


def shape(call: Call, record: Json) -> Json:
    user = call.state.user(record["author"])
    return {
        "id": record["id"],
        "node_id": node_id("Reaction", record["id"]),
        "user": simple_user(user, call.request.api, call.request.web),
        "content": record["content"],
        "created_at": record["created_at"],
    }


@route("GET", COMMENT, READ)
@route("GET", ISSUE, READ)
def listed(call: Call) -> Response:
    wanted = call.request.query.get("content")
    return call.page(
        [shape(call, item) for item in given(call) if wanted in {None, item["content"]}]
    )


@route("POST", COMMENT, WRITE, "read")
@route("POST", ISSUE, WRITE, "read")
def create(call: Call) -> Response:
    """Reacting twice in the same way answers 200 and adds nothing."""
    login, content = call.viewer.login, call.body["content"]
    for item in given(call):
        if (item["author"], item["content"]) == (login, content):
            return Response(200, shape(call, item))
    kind, number = target(call)
    record = {
        "id": call.state.new_id(),
        "kind": kind,
        "target": number,
        "author": login,
        "content": content,
        "created_at": timestamp(),
    }
    call.repository.reactions[record["id"]] = record
    return Response(201, shape(call, record))


@route("DELETE", f"{COMMENT}/{{reaction_id}}", WRITE, "read")
@route("DELETE", f"{ISSUE}/{{reaction_id}}", WRITE, "read")
def delete(call: Call) -> Response:
    number = call.number("reaction_id")
    if number not in {item["id"] for item in given(call)}:
        raise not_found()
    del call.repository.reactions[number]
    return Response(204)
