"""Messages to a place on loopback: who is told what, and what a refusal says."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.alerts import CHANNELS, Message, ModelMessage, alert, variable_of
from mlops_ci.world import World

MESSAGE = Message(
    state="fail",
    headline="churn must not merge: recall 0.612 → 0.548 <!channel> *bold*",
    repository="acme/churn",
    commit="a" * 40,
    pull_request=7,
    comment_url="https://github.example/acme/churn/pull/7#issuecomment-1",
    models=[
        ModelMessage(model="churn", verdict="fail", headline="churn: worse, recall [x](y)"),
        ModelMessage(model="ltv", verdict="pass", headline="ltv: no worse"),
    ],
)


@dataclass
class Place:
    """Answers with `statuses`, one after the other, then 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def place() -> Iterator[Place]:
    made = Place()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            made.got.append(({k.lower(): v for k, v in self.headers.items()}, content))
            self.send_response(made.statuses.pop(0) if made.statuses else 200)
            self.send_header("Retry-After", "2")
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}/T0KEN"
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def world(environ: dict[str, str], slept: list[float] | None = None) -> World:
    slept = slept if slept is not None else []
    return World(environ=environ, folder=Path(), say=lambda _: None, sleep=slept.append)


@pytest.mark.parametrize("channel", CHANNELS)
def test_each_place_gets_its_own_form(place: Place, channel: str) -> None:
    assert alert(MESSAGE, ["fail"], world({variable_of(channel): place.url})) == []
    ((headers, content),) = place.got
    assert headers["content-type"] == "application/json"
    text = content.decode()
    assert "must not merge" in text
    assert "issuecomment-1" in text
    assert "<!channel>" not in text or channel != "slack"
    assert json.loads(content)


def test_a_state_that_was_not_asked_for_tells_nobody(place: Place) -> None:
    assert alert(MESSAGE, ["pass", "deployed"], world({variable_of("slack"): place.url})) == []
    assert place.got == []


def test_the_signature_can_be_checked(place: Place) -> None:
    environ = {variable_of("webhook"): place.url, "MLOPS_CI_WEBHOOK_SECRET": "s3cret"}
    alert(MESSAGE, ["fail"], world(environ))
    ((headers, content),) = place.got
    wanted = hmac.new(b"s3cret", content, hashlib.sha256).hexdigest()
    assert headers["x-mlops-ci-signature-256"] == f"sha256={wanted}"
    told = json.loads(content)
    assert (told["schema"], told["pull_request"]) == ("mlops-ci/alert/1", 7)


@pytest.mark.parametrize(("statuses", "tries"), [([503, 429], 3), ([404], 1), ([302], 1)])
def test_sent_again_only_when_it_was_not_taken(
    place: Place, statuses: list[int], tries: int
) -> None:
    slept: list[float] = []
    place.statuses = list(statuses)
    failed = alert(MESSAGE, ["fail"], world({variable_of("slack"): place.url}, slept))
    assert len(place.got) == tries
    assert len(slept) == tries - 1
    assert bool(failed) == (tries == 1)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/T0KEN", "T0KEN", "http://example.org/T0KEN"])
def test_no_error_holds_the_address(url: str) -> None:
    (error,) = alert(MESSAGE, ["fail"], world({variable_of("teams"): url}))
    assert "T0KEN" not in str(error)
    assert "MLOPS_CI_TEAMS_URL" in str(error)


def test_slack_and_teams_show_names_as_text(place: Place) -> None:
    alert(MESSAGE, ["fail"], world({variable_of(name): place.url for name in ("slack", "teams")}))
    slack, teams = (json.loads(content) for _, content in place.got)
    assert "&lt;!channel&gt;" in slack["blocks"][0]["text"]["text"]
    assert len(slack["blocks"][0]["text"]["text"]) <= 3000
    card = teams["attachments"][0]["content"]
    assert card["body"][2]["text"] == r"churn: worse, recall \[x\]\(y\)"
    assert card["actions"][0]["url"] == MESSAGE.comment_url
