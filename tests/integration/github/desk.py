"""A job's desk: clients of a server on loopback, in a time that runs faster than ours."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mlops_ci.github.checks import Checks, Job
from mlops_ci.github.client import Client, jitter, open_client
from mlops_ci.github.comments import Posted, Sticky
from mlops_ci.github.event import Event
from mlops_ci.github.identity import Identity
from mlops_ci.github.parts import Origin, Ours, Part, parse
from mlops_ci.github.patience import Patience
from mlops_ci.github.posting import Posting
from mlops_ci.world import World
from tests.github_server.scenario import Scenario
from tests.github_server.server import GitHub
from tests.waiting import PATIENCE

SPEED = 20  # seconds of ours in one real second
COMMENTS = "/repos/acme/churn/issues/7/comments"
COMMENT = "/repos/acme/churn/issues/comments/.*"
CHECKS = "/repos/acme/churn/check-runs"
CHECK = "/repos/acme/churn/check-runs/.*"
Current = Callable[[], str]


@dataclass
class Desk:
    """`waited` collects every pause in seconds, as the job sees them; none takes longer than
    `longest` real ones."""

    github: GitHub
    scenario: Scenario
    token: str = "workflow-token"
    api: str = ""
    timeout: int = 15
    run: int = 1
    attempt: int = 1
    leg: str = "0a"
    longest: float = 0.03
    speed: int = SPEED
    waited: list[float] = field(default_factory=list)

    def world(self) -> World:
        return World(
            environ={"GITHUB_API_URL": self.api or self.github.url},
            sleep=self.sleep,
            monotonic=lambda: time.monotonic() * self.speed,
        )

    def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        time.sleep(min(seconds / self.speed, self.longest))

    def client(self) -> Client:
        world = self.world()
        return open_client(world, self.token, Patience(self.sleep, jitter), timeout=self.timeout)

    def ours(self, text: str = "### ours\n", *models: str, **more: Any) -> Ours:
        sha = more.pop("sha", self.scenario.head)
        origin = Origin(models=models, sha=sha, run=self.run, attempt=self.attempt)
        return Ours(origin, lambda _: text, sha, **more)

    def sticky(self, client: Client | None = None, current: Current | None = None) -> Sticky:
        client = client or self.client()
        return Sticky(
            client,
            Identity(client),
            "acme/churn",
            self.scenario.number,
            self.world().monotonic,
            current or (lambda: self.scenario.head),
        )

    def post(self, text: str = "### ours\n", *models: str, **more: Any) -> Posted:
        return self.sticky().post(self.ours(text, *models, **more))

    @property
    def job(self) -> Job:
        return Job(self.run, self.attempt, self.leg, f"{self.github.url}/acme/churn/actions/runs/1")

    def checks(self, client: Client | None = None, sha: str = "") -> Checks:
        client = client or self.client()
        sha = sha or self.scenario.head
        return Checks(client, Identity(client), "acme/churn", sha, self.job)

    def posting(self, **more: Any) -> Posting:
        client = self.client()
        identity = Identity(client)
        event = self.event(**more)
        checks = Checks(client, identity, "acme/churn", event.head, self.job)
        return Posting(event, client, checks, identity)

    def event(self, **more: Any) -> Event:
        told: dict[str, Any] = {
            "base_branch": "main",
            "base": self.scenario.base,
            "number": self.scenario.number,
            "action": "opened",
        }
        return Event("pull_request", "acme/churn", self.scenario.head, **{**told, **more})

    # What GitHub has.

    def bodies(self) -> list[str]:
        return [str(comment["body"]) for comment in self.comments()]

    def comments(self) -> list[dict[str, Any]]:
        with self.github.state.lock:
            return list(self.github.state.repository("acme/churn").comments.values())

    def parts(self) -> list[Part]:
        """Of the one comment that there must be."""
        (body,) = self.bodies()
        return parse(body)

    def check_runs(self) -> list[dict[str, Any]]:
        with self.github.state.lock:
            return list(self.github.state.repository("acme/churn").checks.values())

    def calls(self, *methods: str) -> list[str]:
        return [
            f"{call['method']} {call['path']}"
            for call in self.github.requests
            if not methods or call["method"] in methods
        ]


def together(*work: Callable[[], Any]) -> list[Any]:
    """Each in a thread of its own, all at once; what they return, or the error that one raised."""
    results: list[Any] = [None] * len(work)
    start = threading.Barrier(len(work))

    def one(at: int) -> None:
        start.wait(PATIENCE)
        try:
            results[at] = work[at]()
        except Exception as error:  # noqa: BLE001 - shown by whoever looks at the results
            results[at] = error

    threads = [threading.Thread(target=one, args=(at,)) for at in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return results
