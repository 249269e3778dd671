"""A Docker engine: this machine's, DOCKER_HOST, or another one over SSH."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from mlops_ci.errors import ServiceError, UsageError
from mlops_ci.images.tunnel import tunnel
from mlops_ci.world import World

TIMEOUT = 300
MISSING = """install Docker and start it, or let the model run without it:
    deploy: {target: process, port: 8080}"""


@contextmanager
def connect(world: World, host: str | None = None, *, timeout: int = TIMEOUT) -> Iterator[Any]:
    """A docker-py client of an engine that answers; `timeout` is in seconds for one request.

    Raises UsageError without docker-py, ServiceError when no engine answers, AccessError when the
    host of an `ssh://` address does not let us in.
    """
    try:
        import docker
    except ImportError as error:
        raise UsageError(
            "the Python package `docker` is not installed", fix="pip install 'mlops-ci[deploy]'"
        ) from error
    address = host or world.environ.get("DOCKER_HOST") or ""
    with ExitStack() as stack:
        if address.startswith("ssh://"):
            environ = {"DOCKER_HOST": stack.enter_context(tunnel(address, world))}
        else:
            environ = {**world.environ, **({"DOCKER_HOST": host} if host else {})}
        try:
            client = docker.from_env(timeout=timeout, environment=environ)
            stack.callback(client.close)
            client.ping()
        except (docker.errors.DockerException, OSError, ValueError) as error:
            raise ServiceError(
                f"no Docker engine answers: {_cause(error)}",
                where=address or "the local engine",
                fix=MISSING,
            ) from error
        yield client


def _cause(error: BaseException) -> str:
    """docker-py wraps the system's own words twice."""
    text = str(error)
    for sign in ("No such file or directory", "Connection refused", "Permission denied"):
        if sign in text:
            return sign.lower()
    return text[:300]


def architecture(world: World) -> str:
    """Of the images that we build, in the OCI's words."""
    import platform

    machine = world.environ.get("MLOPS_CI_ARCHITECTURE") or platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
