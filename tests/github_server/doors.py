"""Routes of the tests themselves, under `/_test/`: faults, state, the request log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.github_server.messages import Request, Response

if TYPE_CHECKING:
    from tests.github_server.server import GitHub


def answer(github: GitHub, request: Request) -> Response:
    door = f"{request.method} {request.path.removeprefix('/_test/')}"
    match door:
        case "GET state":
            return Response(200, {**github.state.dump(), "faults": github.faults.dump()})
        case "GET requests":
            return Response(200, list(github.requests))
        case "DELETE requests":
            github.requests.clear()
            return Response(204)
        case "GET violations":
            return Response(200, list(github.violations))
        case "DELETE violations":
            github.violations.clear()
            return Response(204)
        case "GET faults":
            return Response(200, github.faults.dump())
        case "POST faults":
            return add_fault(github, request)
        case "DELETE faults":
            github.faults.clear()
            return Response(204)
    return Response(404, {"message": f"no test route {door}"})


def add_fault(github: GitHub, request: Request) -> Response:
    try:
        github.faults.add_json(request.json())
    except (TypeError, ValueError) as error:
        return Response(422, {"message": str(error)})
    return Response(201, github.faults.dump())
