"""Issues and their labels."""

from __future__ import annotations

from tests.github_server.messages import Json, Response, not_found
from tests.github_server.permissions import INSTALLATIONS, at_least
from tests.github_server.routes import Call, route
from tests.github_server.seed import add_issue, add_label
from tests.github_server.shapes.pulls import issue, label, labels_of
from tests.github_server.state import timestamp

READ = "issues=read; pull_requests=read"
WRITE = "issues=write; pull_requests=write"


def shape(call: Call, record: Json) -> Json:
    return issue(call.state, call.place, record)


def name_of(found: Json | str) -> str:
    return found if isinstance(found, str) else str(found["name"])


def matches(record: Json, query: Json) -> bool:
    state = query.get("state", "open")
    labels = [name for name in query.get("labels", "").split(",") if name]
    creator = query.get("creator")
    return (
        state in {"all", record["state"]}
        and set(labels) <= set(record["labels"])
        and creator in {None, record["author"]}
    )


@route("GET", "/repos/{owner}/{repo}/issues", READ)
def listed(call: Call) -> Response:
    """Pull requests are among them, as on GitHub; newest first."""
    query = dict(call.request.query)
    found = [record for record in call.repository.issues.values() if matches(record, query)]
    newest = sorted(found, key=lambda record: -record["number"])
    if query.get("direction") == "asc":
        newest.reverse()
    part, headers = call.cut(newest)
    return Response(200, [shape(call, record) for record in part], headers)


def may_triage(call: Call) -> bool:
    """Labels of somebody without triage rights are dropped in silence."""
    token = call.token
    if token is None or token.kind in INSTALLATIONS:
        return True
    return at_least(call.repository.role(token.login), "triage")


@route("POST", "/repos/{owner}/{repo}/issues", "issues=write", "read")
def create(call: Call) -> Response:
    names = [name_of(found) for found in call.body.get("labels", [])] if may_triage(call) else []
    asked = {
        "title": str(call.body["title"]),
        "body": call.body.get("body"),
        "author": call.viewer.login,
        "labels": names,
    }
    made = shape(call, add_issue(call.state, call.repository, asked))
    return Response(201, made, {"Location": made["url"]})


@route("GET", "/repos/{owner}/{repo}/issues/{issue_number}", READ)
def get(call: Call) -> Response:
    return Response(200, shape(call, call.repository.issue(call.number("issue_number"))))


@route("PATCH", "/repos/{owner}/{repo}/issues/{issue_number}", WRITE, "triage")
def edit(call: Call) -> Response:
    record = call.repository.issue(call.number("issue_number"))
    for name in ("title", "body", "state", "state_reason"):
        if name in call.body:
            record[name] = call.body[name]
    if "labels" in call.body:
        record["labels"] = [name_of(found) for found in call.body["labels"]]
        for name in record["labels"]:
            add_label(call.state, call.repository, name)
    record["updated_at"] = timestamp()
    record["closed_at"] = record["updated_at"] if record["state"] == "closed" else None
    return Response(200, shape(call, record))


@route("GET", "/repos/{owner}/{repo}/issues/{issue_number}/labels", READ)
def labels(call: Call) -> Response:
    record = call.repository.issue(call.number("issue_number"))
    return call.page(labels_of(call.place, record))


@route("POST", "/repos/{owner}/{repo}/issues/{issue_number}/labels", WRITE, "triage")
def add_labels(call: Call) -> Response:
    record = call.repository.issue(call.number("issue_number"))
    found = call.body if isinstance(call.body, list) else call.body.get("labels", [])
    for name in map(name_of, found):
        add_label(call.state, call.repository, name)
        if name not in record["labels"]:
            record["labels"].append(name)
    return Response(200, labels_of(call.place, record))


@route("DELETE", "/repos/{owner}/{repo}/issues/{issue_number}/labels/{name}", WRITE, "triage")
def remove_label(call: Call) -> Response:
    record = call.repository.issue(call.number("issue_number"))
    if call.values["name"] not in record["labels"]:
        raise not_found()
    record["labels"].remove(call.values["name"])
    return Response(200, labels_of(call.place, record))


@route("GET", "/repos/{owner}/{repo}/labels", READ)
def of_repository(call: Call) -> Response:
    return call.page([label(call.place, item) for item in call.repository.labels.values()])


@route("POST", "/repos/{owner}/{repo}/labels", WRITE)
def create_label(call: Call) -> Response:
    body = call.body
    made = add_label(
        call.state,
        call.repository,
        body["name"],
        body.get("color", "ededed"),
        body.get("description"),
    )
    return Response(201, label(call.place, made))
