"""The probe of a server that is slow to come up, or drops what it is asked while it is busy."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.serve.probe import EXAMPLE, wait_until_ready
from tests.waiting import PATIENCE

DIGEST = "sha256:" + "1" * 64


@contextmanager
def busy(not_ready: int, dropped: int) -> Iterator[int]:
    """The port of a server that is ready after so many looks, and answers after so many requests."""
    left = {"not_ready": not_ready, "dropped": dropped}

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def _is_over(self, what: str) -> bool:
            left[what] -= 1
            return left[what] < 0

        def _send(self, status: int, content: Any) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            if self.path == "/v2/health/ready":
                return self._send(200 if self._is_over("not_ready") else 503, {})
            return self._send(200, {"parameters": {"digest": DIGEST}})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            if self._is_over("dropped"):
                self._send(200, {"predictions": [1]})

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / EXAMPLE).write_text('{"inputs": [[1.0]]}')
    return tmp_path


@pytest.mark.parametrize(("not_ready", "dropped"), [(0, 0), (3, 0), (0, 2), (2, 1)])
def test_it_waits_for_an_answer_that_comes_whole(model: Path, not_ready: int, dropped: int) -> None:
    with busy(not_ready, dropped) as port:
        found = wait_until_ready("127.0.0.1", port, model, "churn", PATIENCE)
    assert found == {"ready": True, "digest": DIGEST, "golden": "ok", "error": None}


def test_when_the_time_is_up_the_last_answer_says_why(model: Path) -> None:
    with busy(0, 1000) as port:
        found = wait_until_ready("127.0.0.1", port, model, "churn", 0.3)
    assert (found["ready"], found["golden"]) == (True, None)
    assert "RemoteDisconnected" in found["error"]
    with busy(1000, 0) as port:
        found = wait_until_ready("127.0.0.1", port, model, "churn", 0.0)
    assert found == {"ready": False, "digest": None, "golden": None, "error": None}
