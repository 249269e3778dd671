"""The HTTP server: faults, then Git, then the test's own doors, then the REST API."""

from __future__ import annotations

import socket
import threading
import time
import traceback
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.github_server import doors, git_http, graphql, lfs, pages, uploads
from tests.github_server.api import answer_api
from tests.github_server.faults import Fault, Faults
from tests.github_server.messages import Json, Request, Response
from tests.github_server.permissions import presented
from tests.github_server.seed import fill
from tests.github_server.state import State, timestamp

GHES = "/api/v3"
BACK_TO_THE_CLIENT = {"drop-before", "timeout-before"}
LOGGED_BODY = 200_000


class Dropped(Exception):  # noqa: N818
    """The connection ends here, without an answer."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Listener
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        self.handle_request()

    do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = do_GET  # noqa: N815

    def handle_request(self) -> None:
        try:
            request = self.read()
            self.send(self.server.github.answer(request))
        except (Dropped, ConnectionError):
            self.drop()

    def read(self) -> Request:
        headers = {name.lower(): value for name, value in self.headers.items()}
        if headers.get("expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        parts = urlsplit(self.path)
        web = f"http://{headers.get('host', self.server.github.address)}"
        enterprise = parts.path.startswith(f"{GHES}/")
        return Request(
            method=self.command,
            path=parts.path.removeprefix(GHES) if enterprise else parts.path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers=headers,
            body=self.read_body(headers),
            web=web,
            api=web + GHES if enterprise else web,
        )

    def read_body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(headers.get("content-length", 0)))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def send(self, response: Response) -> None:
        body = response.encoded()
        headers = {"Content-Type": "application/json; charset=utf-8", **response.headers}
        self.send_response(response.status)
        for name, value in headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def drop(self) -> None:
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """The request log is `GitHub.requests`."""


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    github: GitHub


class GitHub:
    """A GitHub on 127.0.0.1. `state` may be read and changed directly, under `state.lock`."""

    def __init__(self, root: Path, seed: Json | None = None, port: int = 0) -> None:
        self.state = State(root)
        self.faults = Faults()
        fill(self.state, seed or {})
        self.listener = Listener(("127.0.0.1", port), Handler)
        self.listener.github = self
        self.thread = threading.Thread(target=self.serve_forever, name="github", daemon=True)
        self.stopping = threading.Event()

    @property
    def port(self) -> int:
        return int(self.listener.server_address[1])

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The web server (`GITHUB_SERVER_URL`), and the API of github.com's shape."""
        return f"http://{self.address}"

    @property
    def enterprise_api(self) -> str:
        return self.url + GHES

    @property
    def requests(self) -> list[Json]:
        """Every request so far: method, path, query, body, login, status, fault, at."""
        return self.state.requests

    @property
    def violations(self) -> list[str]:
        return self.state.violations

    def clone_url(self, full_name: str, token: str | None = None) -> str:
        login = f"x-access-token:{token}@" if token else ""
        return f"http://{login}{self.address}/{full_name}.git"

    def fault(self, kind: str, method: str = ".*", path: str = ".*", **more: Any) -> Fault:
        """Switch one on; see `faults.Fault` for the rest of its fields."""
        return self.faults.add(Fault(kind, method, path, **more))

    def start(self) -> GitHub:
        self.thread.start()
        return self

    def serve_forever(self) -> None:
        self.listener.serve_forever(poll_interval=0.05)

    def stop(self) -> None:
        self.stopping.set()
        if self.thread.is_alive():
            self.listener.shutdown()
            self.thread.join()
        self.listener.server_close()

    def answer(self, request: Request) -> Response:
        if request.path.startswith("/_test/"):
            return doors.answer(self, request)
        fault = self.faults.meet(request.method, request.path)
        started = timestamp()
        if fault is not None and (early := self.before(fault)) is not None:
            self.log(request, early, fault, started)
            return early
        response = (
            git_http.serve(self.state, request)
            or lfs.serve(self.state, request)
            or pages.serve(self.state, request)
            or uploads.serve(self.state, request)
            or graphql.serve(self.state, request)
            or self.answer_rest(request)
        )
        self.log(request, response, fault, started)
        return self.after(fault, response) if fault is not None else response

    def answer_rest(self, request: Request) -> Response:
        with self.state.lock:
            try:
                return answer_api(self.state, request)
            except Exception:  # noqa: BLE001 - a bug of ours must fail the test, not the thread
                self.state.violations.append(
                    f"{request.method} {request.path}: {traceback.format_exc()}"
                )
                return Response(500, {"message": "Server Error", "status": "500"})

    def before(self, fault: Fault) -> Response | None:
        """The answer of a fault that keeps the request from being done."""
        if fault.barrier is not None:
            self.meet(fault, fault.barrier)
            return None
        if fault.kind in BACK_TO_THE_CLIENT:
            if fault.kind == "timeout-before":
                self.stopping.wait(fault.seconds)
            raise Dropped
        return broken(fault)

    def meet(self, fault: Fault, barrier: threading.Barrier) -> None:
        try:
            barrier.wait(fault.seconds)
        except threading.BrokenBarrierError:
            self.state.violations.append(
                f"{fault.count} requests {fault.method} {fault.path} were to come together, "
                f"and {fault.met} came within {fault.seconds} s"
            )

    def after(self, fault: Fault, response: Response) -> Response:
        if fault.kind in {"timeout-after", "slow"}:
            self.stopping.wait(fault.seconds)
        if fault.kind in {"drop-after", "timeout-after"}:
            raise Dropped
        if fault.kind == "status-after":
            return gateway(fault.status or 502)
        if fault.kind == "truncated":
            body = response.encoded()
            return Response(response.status, None, response.headers, body[: len(body) // 2])
        return response

    def login(self, request: Request) -> str | None:
        value = presented(request.headers.get("authorization", ""))
        token = self.state.tokens.get(value or "")
        return token.login if token else None

    def log(self, request: Request, response: Response, fault: Fault | None, at: str) -> None:
        self.state.requests.append(
            {
                "method": request.method,
                "path": request.path,
                "login": self.login(request),
                "query": dict(request.query),
                "body": readable(request),
                "status": response.status,
                "fault": fault.kind if fault else None,
                "at": at,
            }
        )


def readable(request: Request) -> Any:
    if not request.headers.get("content-type", "").startswith("application/json"):
        return None
    try:
        return request.json() if len(request.body) <= LOGGED_BODY else None
    except ValueError:
        return None


def gateway(status: int) -> Response:
    page = f"<html>\n<head><title>{status} Bad Gateway</title></head>\n<body></body>\n</html>\n"
    return Response(status, None, {"Content-Type": "text/html"}, page.encode())


def broken(fault: Fault) -> Response | None:
    if fault.kind == "status-before":
        return gateway(fault.status or 502)
    if fault.kind == "html":
        page = b"<!DOCTYPE html>\n<html><body><h1>Unicorn!</h1></body></html>\n"
        return Response(fault.status or 500, None, {"Content-Type": "text/html"}, page)
    if fault.kind in {"accepted", "conflict"}:
        status, message = (202, "Auto-merged main into the ref on deployment.")
        if fault.kind == "conflict":
            status, message = (409, "Conflict merging main into the ref.")
        return Response(status, {"message": message})
    return limited(fault)


def limited(fault: Fault) -> Response | None:
    secondary = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}
    if fault.kind == "rate-limited":
        return Response(fault.status or 429, secondary)
    if fault.kind == "retry-after":
        return Response(fault.status or 429, secondary, {"Retry-After": f"{fault.seconds:.0f}"})
    if fault.kind == "rate-exhausted":
        reset = str(int(time.time() + fault.seconds))
        headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
        return Response(403, {"message": "API rate limit exceeded"}, headers)
    return None
