"""Who the caller is, and what is left of its limits."""

from __future__ import annotations

import time

from tests.github_server.messages import Refusal, Response, not_found
from tests.github_server.permissions import INSTALLATIONS
from tests.github_server.routes import Call, route
from tests.github_server.shapes.users import full_user

RESOURCES = ("core", "search", "graphql")


@route("GET", "/user")
def authenticated(call: Call) -> Response:
    if call.token is None:
        raise Refusal(401, "Requires authentication")
    if call.token.kind in INSTALLATIONS:
        raise Refusal(403, "Resource not accessible by integration")
    return Response(200, full_user(call.viewer, call.request.api, call.request.web))


@route("GET", "/users/{username}")
def one_user(call: Call) -> Response:
    found = call.state.users.get(call.values["username"])
    if found is None:
        raise not_found()
    return Response(200, full_user(found, call.request.api, call.request.web))


@route("GET", "/rate_limit")
def rate_limit(call: Call) -> Response:
    limit, used = (call.token.rate, call.token.used) if call.token else (60, 0)
    rate = {
        "limit": limit,
        "used": used,
        "remaining": max(limit - used, 0),
        "reset": int(time.time()) // 3600 * 3600 + 3600,
    }
    return Response(200, {"resources": dict.fromkeys(RESOURCES, rate), "rate": rate})
