"""The table of REST routes. Each module here adds those of one kind of thing."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote, urlencode

from tests.github_server.messages import Json, Refusal, Request, Response
from tests.github_server.permissions import require
from tests.github_server.shapes.commits import Place
from tests.github_server.state import App, Repository, State, Token, User

# These may hold slashes.
GREEDY = {"path", "ref", "basehead", "branch", "name", "tag"}
# Apps answer to their JWT here, and only here.
OF_APPS = re.compile(r"/app(/.*)?|/repos/[^/]+/[^/]+/installation")


@dataclass
class Call:
    """One request on its way through a handler."""

    request: Request
    state: State
    token: Token | None
    values: dict[str, str]
    found: Repository | None = None
    body: Json = field(default_factory=dict)
    app: App | None = None

    @property
    def repository(self) -> Repository:
        if self.found is None:
            raise LookupError("this route has no repository")
        return self.found

    @property
    def viewer(self) -> User:
        if self.token is None:
            raise Refusal(401, "Requires authentication")
        return self.state.user(self.token.login)

    def number(self, name: str) -> int:
        return int(self.values[name])

    @property
    def place(self) -> Place:
        return Place(self.repository, self.request.api, self.request.web)

    def url(self, *parts: object) -> str:
        return "/".join([f"{self.request.api}/repos/{self.repository.full_name}", *map(str, parts)])

    def page(self, items: list[Any]) -> Response:
        """One page of them, with GitHub's Link header."""
        part, headers = self.cut(items)
        return Response(200, part, headers)

    def cut(self, items: list[Any]) -> tuple[list[Any], dict[str, str]]:
        size = min(max(int(self.request.query.get("per_page", 30)), 1), 100)
        page = max(int(self.request.query.get("page", 1)), 1)
        last = max(-(-len(items) // size), 1)
        back = {"prev": page - 1} if page > 1 else {}
        forth = {"next": page + 1, "last": last} if page < last else {}
        links = {**back, **forth, **({"first": 1} if page > 1 else {})}
        text = ", ".join(f'<{self.page_url(to)}>; rel="{name}"' for name, to in links.items())
        headers = {"Link": text} if text else {}
        return items[(page - 1) * size : page * size], headers

    def page_url(self, page: int) -> str:
        query = {**self.request.query, "page": str(page)}
        return f"{self.request.api}{self.request.path}?{urlencode(query)}"


Handler = Callable[[Call], Response]


@dataclass(frozen=True)
class Route:
    """`needs` as in X-Accepted-GitHub-Permissions; `people` is the role that a person needs.

    GitHub answers some paths that its description leaves out: `documented` is false there.
    """

    method: str
    template: str
    handler: Handler
    needs: str
    people: str
    documented: bool = True

    @property
    def pattern(self) -> re.Pattern[str]:
        return compiled(self.template)


ROUTES: list[Route] = []


@cache
def compiled(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    text = "".join(
        re.escape(part) if index % 2 == 0 else f"(?P<{part}>{'.+' if part in GREEDY else '[^/]+'})"
        for index, part in enumerate(parts)
    )
    return re.compile(text.replace("/(?P<path>.+)", "(?:/(?P<path>.*))?"))


def route(
    method: str,
    template: str,
    needs: str = "metadata=read",
    people: str = "",
    *,
    documented: bool = True,
) -> Callable[[Handler], Handler]:
    role = people or ("write" if "write" in needs else "read")

    def add(handler: Handler) -> Handler:
        ROUTES.append(Route(method, template, handler, needs, role, documented))
        return handler

    return add


@cache
def load() -> None:
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    # The more parts, the more exact: `commits/{ref}/check-runs` before `commits/{ref}`.
    ROUTES.sort(key=lambda item: (-item.template.count("/"), item.template.count("{")))


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    load()
    for item in ROUTES:
        if item.method == method and (match := item.pattern.fullmatch(path)):
            return item, {name: unquote(value or "") for name, value in match.groupdict().items()}
    return None


def answer(chosen: Route, call: Call) -> Response:
    """Look the repository up, check the caller's permission, do it."""
    if "owner" in call.values and "repo" in call.values:
        call.found = call.state.repository(f"{call.values['owner']}/{call.values['repo']}")
        if call.app is None:
            require(call.token, call.found, chosen.needs, chosen.people)
            narrow(chosen, call)
    return chosen.handler(call)


def narrow(chosen: Route, call: Call) -> None:
    """`pull_requests` is enough for what belongs to a pull request, not for other issues.

    The header still names both, as it does for the whole endpoint.
    """
    about = issue_of(call)
    if about is None or "pull" in about or "issues=" not in chosen.needs:
        return
    try:
        require(call.token, call.repository, chosen.needs.split(";")[0], chosen.people)
    except Refusal as refusal:
        if refusal.headers:
            refusal.headers["X-Accepted-GitHub-Permissions"] = chosen.needs
        raise


def issue_of(call: Call) -> Json | None:
    number = call.values.get("issue_number", "")
    comment = call.values.get("comment_id", "")
    if comment.isdigit() and int(comment) in call.repository.comments:
        number = str(call.repository.comments[int(comment)]["issue"])
    return call.repository.issues.get(int(number)) if number.isdigit() else None
