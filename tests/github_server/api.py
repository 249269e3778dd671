"""One REST request: limits, the contract, the route, the contract again."""

from __future__ import annotations

import time
from dataclasses import replace

from tests.github_server import contract, routes
from tests.github_server.installations import app_of
from tests.github_server.messages import Refusal, Request, Response
from tests.github_server.permissions import authenticate, presented
from tests.github_server.pull_refs import refresh
from tests.github_server.routes import Call, Route
from tests.github_server.state import State, Token

ANONYMOUS_RATE = 60
CREATING = {"POST"}


def answer_api(state: State, request: Request) -> Response:
    token: Token | None = None
    try:
        require_name(request)
        token = None if signs(request) else authenticate(state, request.headers)
        spend(state, token, request)
        response = routed(state, token, request)
    except Refusal as refusal:
        response = refusal.response()
    except contract.Violation as violation:
        state.violations.append(str(violation))
        response = Response(500, {"message": f"Against GitHub's OpenAPI: {violation}"})
    return replace(response, headers={**usual(state, token), **response.headers})


def routed(state: State, token: Token | None, request: Request) -> Response:
    found = routes.find(request.method, request.path)
    if found is None:
        raise contract.Violation(f"no route for {request.method} {request.path}")
    chosen, values = found
    operation = f"{chosen.method} {chosen.template}"
    call = Call(request, state, token, values)
    if signs(request):
        call.app = app_of(state, presented(request.headers.get("authorization", "")) or "")
        if call.app is None:
            raise Refusal(401, "A JSON web token could not be decoded")
    if chosen.documented:
        call.body = contract.check_request(operation, request) or {}
    if "/pulls" in chosen.template:
        refresh(state)
    response = answered(chosen, call)
    if chosen.documented:
        contract.check_response(operation, response)
    return response


def require_name(request: Request) -> None:
    if not request.headers.get("user-agent"):
        raise Refusal(403, "Request forbidden by administrative rules.")


def signs(request: Request) -> bool:
    return routes.OF_APPS.fullmatch(request.path) is not None


def answered(chosen: Route, call: Call) -> Response:
    try:
        return routes.answer(chosen, call)
    except Refusal as refusal:
        return refusal.response()


def spend(state: State, token: Token | None, request: Request) -> None:
    """The primary limit per hour, and the secondary ones on creating content."""
    if token is None or request.path == "/rate_limit":
        return
    if token.used >= token.rate:
        raise Refusal(403, f"API rate limit exceeded for {token.login}.")
    token.used += 1
    if request.method not in CREATING:
        return
    now = time.time()
    token.written = [moment for moment in token.written if now - moment < 3600]
    for most, seconds in state.content_limits:
        if sum(now - moment < seconds for moment in token.written) >= most:
            message = "You have exceeded a secondary rate limit. Please wait a few minutes."
            raise Refusal(403, message, headers={"Retry-After": "60"})
    token.written.append(now)


def usual(state: State, token: Token | None) -> dict[str, str]:
    limit = token.rate if token else ANONYMOUS_RATE
    used = token.used if token else 0
    return {
        "X-GitHub-Request-Id": f"{len(state.requests):08X}",
        "X-GitHub-Media-Type": "github.v3; format=json",
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(max(limit - used, 0)),
        "X-RateLimit-Used": str(used),
        "X-RateLimit-Reset": str(int(time.time()) // 3600 * 3600 + 3600),
        "X-RateLimit-Resource": "core",
    }
