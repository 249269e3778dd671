"""Requests to GitHub's REST API, by PyGithub, with our own rules for asking again.

PyGithub's default resends a POST whose answer was lost: one time-out made eleven comments. Here a
read is repeated; a write is sent again only after reading back that it was not done.
All addresses are relative to the API's base: PyGithub refuses an answer's own addresses when they
name the host in another way (a proxy before GitHub Enterprise, `localhost`).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops_ci import __version__
from mlops_ci.errors import DOCS, AccessError, MlopsCiError, ServiceError
from mlops_ci.github.patience import ATTEMPTS, Patience, Trouble, judge_answer
from mlops_ci.github.text import clean_body
from mlops_ci.world import World

PUBLIC_API = "https://api.github.com"
GRAPHQL = "/graphql"  # a path of its own beside the REST API's
TIMEOUT = 15  # seconds for one request
PER_PAGE = 100
MOST_PAGES = 100
BURST = 30  # writes that go out at once: a job has fewer, a minute may have 80; then 1 a second
SAID_CHARACTERS = 300
CONFLICT = 409
NO_ANSWER = {"message", "documentation_url", "status", "url"}  # all there is in a refusal
OF_A_PERSON = ("personal access token", "authenticate via a GitHub App")
PERMISSIONS = """give the job these permissions:
    permissions:
      contents: read
      pull-requests: write
      checks: write"""

# Method, path, query, body → the decoded answer. Raises Trouble.
Send = Callable[[str, str, Mapping[str, Any], Any], Any]


@dataclass
class Client:
    """One per thread: PyGithub's connections are not to be shared."""

    send: Send
    patience: Patience
    pace: Callable[[], None] = field(default=lambda: None)

    def get(self, path: str, **query: Any) -> Any:
        """Raises Trouble for an answer that says no, ServiceError when there is none in time."""
        for attempt in range(ATTEMPTS):
            try:
                return self.send("GET", path, query, None)
            except Trouble as trouble:
                self.patience.after(trouble, attempt, f"GET {path}")
        raise AssertionError(path)  # the last attempt raises

    def list(self, path: str, key: str | None = None, **query: Any) -> list[dict[str, Any]]:
        """All pages. `key` is where the answer keeps its list."""
        found: list[dict[str, Any]] = []
        for page in range(1, MOST_PAGES + 1):
            answer = self.get(path, per_page=PER_PAGE, page=page, **query)
            part = answer.get(key) if key is not None and isinstance(answer, dict) else answer
            if not isinstance(part, list):
                raise ServiceError("GitHub answered something else than a list", where=path)
            found += [item for item in part if isinstance(item, dict)]
            if len(part) < PER_PAGE:
                break
        return found

    def write(
        self, verb: str, path: str, body: Any = None, done: Callable[[], Any] | None = None
    ) -> Any:
        """`done` looks whether an attempt without an answer was carried out after all, and gives
        what it made; without it the write is one that may be repeated. Raises as `get`."""
        for attempt in range(ATTEMPTS):
            try:
                return self.once(verb, path, body)
            except Trouble as trouble:
                found = self._look_back(trouble, attempt, f"{verb} {path}", done)
            if found is not None:
                return found
        raise AssertionError(path)

    def once(self, verb: str, path: str, body: Any = None) -> Any:
        """One write, at our pace. Raises Trouble; a conflict with another writer may go away."""
        self.pace()
        try:
            return self.send(verb, path, {}, clean_body(body))
        except Trouble as trouble:
            if trouble.status == CONFLICT:
                trouble.kind = "unclear"
            raise

    def _look_back(
        self, trouble: Trouble, attempt: int, where: str, done: Callable[[], Any] | None
    ) -> Any:
        """After the last attempt too: it may be the one that was carried out."""
        look = done if trouble.kind == "unclear" else None
        try:
            self.patience.after(trouble, attempt, where)
        except ServiceError:
            if look is None or (found := look()) is None:
                raise
            return found
        return look() if look is not None else None


def open_client(
    world: World, token: str, patience: Patience | None = None, *, timeout: int = TIMEOUT
) -> Client:
    """For the API that GITHUB_API_URL names; `timeout` is a request's, in seconds. Raises
    AccessError without a token."""
    if not token:
        raise AccessError(
            "there is no token: nothing can be posted",
            where="with: token",
            fix="leave `token` out of `with:` (its default is the job's own), or give one:\n"
            "    with:\n      token: ${{ github.token }}",
            link=f"{DOCS}/security.md",
        )
    patience = patience or Patience(world.sleep, jitter)
    base_url = world.environ.get("GITHUB_API_URL") or PUBLIC_API
    send = _sender(base_url, token, world, timeout)
    return Client(send, patience, Pace(world, patience))


def jitter() -> float:
    """In 0 … 1; unlike the clock, different in jobs that start at the same moment."""
    return secrets.randbelow(1000) / 1000


@dataclass
class Pace:
    """A second between writes once a burst has gone out."""

    world: World
    patience: Patience
    sent: int = 0
    last: float = 0.0

    def __call__(self) -> None:
        now = self.world.monotonic()
        if self.sent >= BURST and now - self.last < 1.0:
            self.world.sleep(1.0 - (now - self.last))
        self.sent += 1
        self.last = self.world.monotonic()


def _sender(base_url: str, token: str, world: World, timeout: int) -> Send:
    from github import Auth, Github, GithubException
    from requests import RequestException

    requester = Github(
        auth=Auth.Token(token),
        base_url=base_url.rstrip("/"),
        timeout=timeout,
        retry=None,
        seconds_between_requests=None,
        seconds_between_writes=None,
        user_agent=f"mlops-ci/{__version__}",
    ).requester

    def send(verb: str, path: str, query: Mapping[str, Any], body: Any) -> Any:
        try:
            url, parameters = (requester.graphql_url if path == GRAPHQL else path), dict(query)
            answer = requester.requestJsonAndCheck(verb, url, parameters=parameters, input=body)[1]
        except GithubException as error:
            headers = {name.lower(): value for name, value in (error.headers or {}).items()}
            now = world.now().timestamp()
            raise judge_answer(error.status, headers, _words(error.data), now) from error
        except RequestException as error:
            raise Trouble(
                "unclear", f"{type(error).__name__}: {error}"[:SAID_CHARACTERS]
            ) from error
        except ValueError as error:  # the answer broke off
            raise Trouble("unclear", f"an answer that is not JSON: {error}") from error
        except (AssertionError, AttributeError, RuntimeError, TypeError) as error:
            raise Trouble("refused", f"an answer that makes no sense: {error}") from error
        return check_answer(verb, answer)

    return send


def check_answer(verb: str, answer: Any) -> Any:
    """A status below 400 is not enough. Raises Trouble for nothing at all, a proxy's page, and a
    message instead of what was asked for (202, a repository that has moved)."""
    if answer is None and verb != "DELETE":
        raise Trouble("unclear", "an empty answer")
    if isinstance(answer, dict) and isinstance(answer.get("data"), str) and len(answer) <= 2:
        raise Trouble("unclear", "a page that is not JSON")
    if isinstance(answer, dict) and "message" in answer and set(answer) <= NO_ANSWER:
        raise Trouble("refused", _words(answer))
    return answer


def _words(data: Any) -> str:
    """GitHub's own message; of a page of HTML only that it was one."""
    if isinstance(data, dict) and isinstance(data.get("message"), str):
        said = data["message"]
        errors = data.get("errors")
        return f"{said}: {errors}"[:SAID_CHARACTERS] if errors else said[:SAID_CHARACTERS]
    if isinstance(data, dict) and "data" in data:
        return "a page that is not JSON"
    return str(data or "")[:SAID_CHARACTERS]


def explained(trouble: Trouble, what: str, where: str) -> MlopsCiError:
    """As one of our errors. `what` is a sentence's beginning: `the comment was not posted`."""
    said = f"{trouble.status} {trouble.said}" if trouble.status else trouble.said
    if trouble.kind == "denied" and trouble.status == 401:
        fix = "the token is not valid (any more): look at `with: token`"
        return AccessError(f"{what}: {said}", where=where, fix=fix, link=f"{DOCS}/security.md")
    if trouble.kind == "denied" and any(word in trouble.said for word in OF_A_PERSON):
        return AccessError(
            f"{what}: {said}",
            where=where,
            fix="checks are written by the job's own token or by an App's, never by a person's: "
            "leave `token` out\nof `with:`, or do without the check",
            link=f"{DOCS}/security.md",
        )
    if trouble.kind in {"denied", "missing"}:
        return AccessError(
            f"{what}: {said}", where=where, fix=PERMISSIONS, link=f"{DOCS}/security.md"
        )
    return ServiceError(f"{what}: {said}", where=where, fix="try again: run the job again")
