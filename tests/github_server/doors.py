"""Routes of the tests themselves, under `/_test/`: faults, state, the request log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.github_server.messages import Request, Response

if TYPE_CHECKING:
    from tests.github_server.server import GitHub


def answer(github: GitHub, request: Request) -> Response:
    subject = request.path.removeprefix("/_test/")
    shown = {
        "state": lambda: {**github.state.dump(), "faults": github.faults.dump()},
        "requests": lambda: list(github.requests),
        "violations": lambda: list(github.violations),
        "faults": github.faults.dump,
    }
    emptied = {
        "requests": github.requests.clear,
        "violations": github.violations.clear,
        "faults": github.faults.clear,
    }
    if request.method == "GET" and subject in shown:
        return Response(200, shown[subject]())
    if request.method == "DELETE" and subject in emptied:
        emptied[subject]()
        return Response(204)
    if request.method == "POST" and subject == "faults":
        return add_fault(github, request)
    return Response(404, {"message": f"no test route {request.method} {subject}"})


def add_fault(github: GitHub, request: Request) -> Response:
    try:
        github.faults.add_json(request.json())
    except (TypeError, ValueError) as error:
        return Response(422, {"message": str(error)})
    return Response(201, github.faults.dump())
