"""The services around a project: do they answer, and whom do they take us for?

Judging needs none of them: one that is missing here is worth a look, and no fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mlops_ci.errors import MlopsCiError
from mlops_ci.plan.health import Health
from mlops_ci.project import Project
from mlops_ci.world import World

if TYPE_CHECKING:
    from mlops_ci.github.client import Client

PATIENCE_SECONDS = 10
# git@host:owner/name.git, https://host/owner/name, ssh://git@host:22/owner/name
ORIGIN = re.compile(r"[@/](?P<host>[^@/:]+)(?::\d+)?[:/](?P<name>[\w.-]+/[\w.-]+?)(?:\.git)?/?$")
PERSON = (
    "it may comment, but GitHub lets no person's token write checks: leave `token` out of `with:`, "
    "and the job's own is used"
)
RIGHTS = ("admin", "maintain", "push", "triage", "pull")
UNKNOWN = "what it may write, GitHub does not tell before it is tried"


def look_outside(project: Project, names: tuple[str, ...]) -> Iterator[Health]:
    """A line for each engine and registry that the models need, and one for the token."""
    world = project.world
    models = [project.model(name) for name in names]
    images = sorted({model.image for model in models if model.image is not None})
    deploys = [model.deploy for model in models if model.deploy is not None]
    hosts = {deploy.host or "" for deploy in deploys if deploy.target == "docker"}
    for host in sorted(hosts | ({""} if images else set())):
        yield docker_health(world, host or None)
    for image in images:
        yield registry_health(world, image)
    token = world.environ.get("GITHUB_TOKEN")
    if token or world.environ.get("GITHUB_ACTIONS") == "true":
        yield token_health(world, token or "", repository_of(project))


def docker_health(world: World, host: str | None) -> Health:
    what = f"docker at {host}" if host else "docker"

    def ask() -> Health:
        from mlops_ci.images.engine import connect

        with connect(world, host, timeout=PATIENCE_SECONDS) as client:
            found = client.version()
        said = f"engine {found.get('Version')}, {found.get('Os')}/{found.get('Arch')}"
        return Health(what=what, state="good", said=said)

    return _told(what, ask)


def registry_health(world: World, image: str) -> Health:
    what = f"registry of {image}"

    def ask() -> Health:
        from mlops_ci.images.name import parse_image
        from mlops_ci.images.registry import open_repository

        with open_repository(parse_image(image), world) as repository:
            there = repository.is_there()
        said = "answers, and lets us read" if there else "answers; nothing was pushed there yet"
        return Health(what=what, state="good", said=said)

    return _told(what, ask)


def token_health(world: World, token: str, repository: str | None) -> Health:
    """GITHUB_TOKEN: whose it is, and what GitHub says that its owner may do."""

    def ask() -> Health:
        from mlops_ci.github.client import jitter, open_client
        from mlops_ci.github.patience import Patience

        client = open_client(world, token, Patience(world.sleep, jitter, PATIENCE_SECONDS))
        login = _login(client)
        said = f"{login}'s" if login else "a workflow's or an App's"
        if repository is not None:
            found = client.get(f"/repos/{repository}").get("permissions") or {}
            may = ", ".join(name for name in RIGHTS if found.get(name))
            said += f", on {repository}: {may or 'no right that is told'}"
        if login is None:
            return Health(what="token", state="good", said=f"{said}; {UNKNOWN}")
        return Health(what="token", state="look", said=said, todo=PERSON)

    return _told("token", ask)


def repository_of(project: Project) -> str | None:
    """`owner/name` on GitHub; None when neither the runner nor `origin` tells."""
    environ = project.world.environ
    server = environ.get("GITHUB_SERVER_URL") or "https://github.com"
    return environ.get("GITHUB_REPOSITORY") or named_by(project.git.origin_url() or "", server)


def named_by(origin: str, server: str) -> str | None:
    """`owner/name`, of an address at the host of `server`."""
    found = ORIGIN.search(origin)
    if found is None or found["host"] != urlsplit(server).hostname:
        return None
    return found["name"]


def _login(client: Client) -> str | None:
    """None for a token of a workflow or of an App: it belongs to nobody who could be asked for."""
    from mlops_ci.github.patience import Trouble

    try:
        return str(client.get("/user")["login"])
    except Trouble as trouble:
        if trouble.status == 403:
            return None
        raise


def _told(what: str, ask: Callable[[], Health]) -> Health:
    from mlops_ci.github.client import explained
    from mlops_ci.github.patience import Trouble

    try:
        return ask()
    except Trouble as trouble:
        error: MlopsCiError = explained(trouble, "GitHub refuses", what)
    except MlopsCiError as found:
        error = found
    except ImportError as missing:
        said = f"the Python package {missing.name!r} is not installed"
        return Health(what=what, state="look", said=said, todo="pip install 'mlops-ci[all]'")
    return Health(what=what, state="look", said=error.what, todo=error.fix)
