"""`python -m mlops_ci.serve.probe [SECONDS]`: how is the server in this container?

Prints one JSON object {ready, digest, golden, error} and ends with 0 when all is well; waits for
that as long as it may. `golden` is
`ok`, `none` (the model folder has no example), or what went wrong. Standard library only.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

EXAMPLE = "serving_input_example.json"
ANSWER_SECONDS = 30  # a first prediction on a busy machine
PAUSE_SECONDS = 0.1


def wait_until_ready(
    host: str, port: int, folder: Path, name: str, seconds: float
) -> dict[str, Any]:
    """The first answer that came whole, else the last one after so many seconds. A request that a
    busy machine did not answer in time is made again: it says nothing about the model."""
    end = time.monotonic() + seconds
    while True:
        found = probe(host, port, folder, name)
        if (found["ready"] and found["error"] is None) or time.monotonic() >= end:
            return found
        time.sleep(PAUSE_SECONDS)


def probe(host: str, port: int, folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {"ready": False, "digest": None, "golden": None, "error": None}
    try:
        status, _ = _ask(host, port, "GET", "/v2/health/ready")
        found["ready"] = status == http.client.OK
        if found["ready"]:
            _, body = _ask(host, port, "GET", f"/v2/models/{name}")
            found["digest"] = json.loads(body)["parameters"]["digest"]
            found["golden"] = _golden(host, port, folder / EXAMPLE)
    except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
        found["error"] = f"{type(error).__name__}: {error}"
    return found


def _golden(host: str, port: int, example: Path) -> str:
    if not example.is_file():
        return "none"
    status, body = _ask(host, port, "POST", "/invocations", example.read_bytes())
    if status != http.client.OK:
        return f"status {status}: {body[:500].decode('utf-8', 'replace')}"
    predictions = json.loads(body).get("predictions")
    return "ok" if predictions not in (None, []) else "the answer holds no predictions"


def _ask(host: str, port: int, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)
    try:
        headers = {"Content-Type": "application/json"} if body else {}
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def own_address() -> str:
    """The address that others reach this container at; a server bound to loopback is not up."""
    try:
        return socket.gethostbyname(socket.gethostname())
    except OSError:
        return "127.0.0.1"


def main() -> int:
    folder = Path(os.environ.get("MLOPS_CI_MODEL_FOLDER", "/opt/mlops-ci/model"))
    port = int(os.environ.get("PORT", "8080"))
    name = os.environ.get("MLOPS_CI_MODEL_NAME", "model")
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 0.0
    found = wait_until_ready(own_address(), port, folder, name, seconds)
    print(json.dumps(found))  # noqa: T201
    return 0 if found["ready"] and found["golden"] in ("ok", "none") else 1


if __name__ == "__main__":
    sys.exit(main())
