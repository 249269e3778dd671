"""What an App asks about itself, and how it gets a token for an installation."""

from __future__ import annotations

from tests.github_server.installations import issue_token
from tests.github_server.messages import Json, Refusal, Response, not_found
from tests.github_server.routes import Call, route
from tests.github_server.shapes.repositories import minimal
from tests.github_server.shapes.users import STARTED, app, simple_user
from tests.github_server.state import App


def signed(call: Call) -> App:
    """The App behind the JWT; tokens of other kinds are refused."""
    if call.app is None:
        raise Refusal(401, "A JSON web token could not be decoded")
    return call.app


def app_shape(call: Call, found: App) -> Json:
    owner = call.state.user(found.owner)
    permissions = found.installations[0]["permissions"] if found.installations else {}
    shape = app(found, permissions, owner, call.request.api, call.request.web)
    return {**shape, "installations_count": len(found.installations)}


def installation_shape(call: Call, found: App, record: Json) -> Json:
    account = call.state.user(record["account"])
    url = f"{call.request.api}/app/installations/{record['id']}"
    return {
        "id": record["id"],
        "account": simple_user(account, call.request.api, call.request.web),
        "access_tokens_url": f"{url}/access_tokens",
        "repositories_url": f"{call.request.api}/installation/repositories",
        "html_url": f"{call.request.web}/settings/installations/{record['id']}",
        "app_id": found.id,
        "app_slug": found.slug,
        "target_id": account.id,
        "target_type": account.type,
        "repository_selection": "selected",
        "permissions": {"metadata": "read", **record["permissions"]},
        "events": [],
        "single_file_name": None,
        "created_at": STARTED,
        "updated_at": STARTED,
        "suspended_at": None,
        "suspended_by": None,
    }


@route("GET", "/app")
def get_app(call: Call) -> Response:
    return Response(200, app_shape(call, signed(call)))


@route("GET", "/app/installations")
def list_installations(call: Call) -> Response:
    found = signed(call)
    return call.page([installation_shape(call, found, item) for item in found.installations])


@route("GET", "/repos/{owner}/{repo}/installation")
def of_repository(call: Call) -> Response:
    found = signed(call)
    for record in found.installations:
        if call.repository.full_name in record["repositories"]:
            return Response(200, installation_shape(call, found, record))
    raise not_found()


@route("GET", "/app/installations/{installation_id}")
def get_installation(call: Call) -> Response:
    found = signed(call)
    return Response(200, installation_shape(call, found, one(call, found)))


def one(call: Call, found: App) -> Json:
    for record in found.installations:
        if record["id"] == call.number("installation_id"):
            return record
    raise not_found()


@route("POST", "/app/installations/{installation_id}/access_tokens")
def create_token(call: Call) -> Response:
    found = signed(call)
    return Response(201, issue_token(call.state, found, one(call, found), call.body))


@route("GET", "/installation/repositories")
def repositories(call: Call) -> Response:
    if call.token is None or call.token.kind == "pat":
        raise Refusal(403, "You must authenticate with an installation access token.")
    shapes = [
        {
            **minimal(call.state, call.state.repository(name), call.request.api, call.request.web),
        }
        for name in call.token.repositories
    ]
    part, headers = call.cut(shapes)
    return Response(200, {"total_count": len(shapes), "repositories": part}, headers)
