"""Comments on issues and pull requests."""

from __future__ import annotations

from tests.github_server.messages import Json, Refusal, Response, invalid, not_found
from tests.github_server.permissions import INSTALLATIONS, at_least
from tests.github_server.routes import Call, route
from tests.github_server.seed import add_comment
from tests.github_server.shapes.pulls import comment
from tests.github_server.state import timestamp

MOST_CODE_POINTS = 65_536
WRITE = "issues=write; pull_requests=write"
READ = "issues=read; pull_requests=read"


def shape(call: Call, record: Json) -> Json:
    return comment(call.state, call.place, record)


def checked_body(call: Call) -> str:
    body = str(call.body["body"])
    if not body.strip():
        raise invalid("IssueComment", "data", "unprocessable", "Body cannot be blank")
    if len(body) > MOST_CODE_POINTS:
        message = f"Body is too long (maximum is {MOST_CODE_POINTS} characters)"
        raise invalid("IssueComment", "data", "unprocessable", message)
    return body


def one(call: Call) -> Json:
    found = call.repository.comments.get(call.number("comment_id"))
    if found is None:
        raise not_found()
    return found


def only_author_or_maintainer(call: Call, record: Json) -> None:
    """An installation with the permission may edit anybody's comment, as may who can push."""
    token = call.token
    if token is None or token.kind in INSTALLATIONS or record["author"] == token.login:
        return
    if not at_least(call.repository.role(token.login), "write"):
        raise Refusal(403, "Must have admin rights to Repository.")


def since(call: Call, records: list[Json]) -> list[Json]:
    after = call.request.query.get("since", "")
    return [record for record in records if record["updated_at"] >= after]


@route("GET", "/repos/{owner}/{repo}/issues/comments", READ)
def of_repository(call: Call) -> Response:
    records = since(call, list(call.repository.comments.values()))
    if call.request.query.get("direction") == "desc":
        records.reverse()
    part, headers = call.cut(records)
    return Response(200, [shape(call, record) for record in part], headers)


@route("GET", "/repos/{owner}/{repo}/issues/{issue_number}/comments", READ)
def of_issue(call: Call) -> Response:
    number = call.repository.issue(call.number("issue_number"))["number"]
    records = [item for item in call.repository.comments.values() if item["issue"] == number]
    part, headers = call.cut(since(call, records))
    return Response(200, [shape(call, record) for record in part], headers)


@route("POST", "/repos/{owner}/{repo}/issues/{issue_number}/comments", WRITE, "read")
def create(call: Call) -> Response:
    number = call.repository.issue(call.number("issue_number"))["number"]
    body = checked_body(call)
    record = add_comment(call.state, call.repository, number, body, call.viewer.login)
    made = shape(call, record)
    return Response(201, made, {"Location": made["url"]})


@route("GET", "/repos/{owner}/{repo}/issues/comments/{comment_id}", READ)
def get(call: Call) -> Response:
    return Response(200, shape(call, one(call)))


@route("PATCH", "/repos/{owner}/{repo}/issues/comments/{comment_id}", WRITE, "read")
def edit(call: Call) -> Response:
    record = one(call)
    only_author_or_maintainer(call, record)
    record["body"] = checked_body(call)
    record["updated_at"] = timestamp()
    return Response(200, shape(call, record))


@route("DELETE", "/repos/{owner}/{repo}/issues/comments/{comment_id}", WRITE, "read")
def delete(call: Call) -> Response:
    record = one(call)
    only_author_or_maintainer(call, record)
    del call.repository.comments[record["id"]]
    return Response(204)
