"""A Docker engine: this machine's, DOCKER_HOST, or another one over SSH."""

from __future__ import annotations

from typing import Any

from mlops_ci.errors import ServiceError, UsageError
from mlops_ci.world import World

TIMEOUT = 300
MISSING = """install Docker and start it, or let the model run without it:
    deploy: {target: process, port: 8080}"""


def connect(world: World, host: str | None = None) -> Any:
    """A docker-py client of an engine that answers.

    Raises UsageError without docker-py, ServiceError when no engine answers.
    """
    try:
        import docker
    except ImportError as error:
        raise UsageError(
            "the Python package `docker` is not installed", fix="pip install 'mlops-ci[deploy]'"
        ) from error
    address = host or world.environ.get("DOCKER_HOST") or "the local engine"
    try:
        if host is None:
            client = docker.from_env(timeout=TIMEOUT, environment=dict(world.environ))
        else:
            over_ssh = host.startswith("ssh://")
            client = docker.DockerClient(base_url=host, timeout=TIMEOUT, use_ssh_client=over_ssh)
        client.ping()
    except (docker.errors.DockerException, OSError, ValueError) as error:
        raise ServiceError(
            f"no Docker engine answers: {error}", where=address, fix=MISSING
        ) from error
    return client


def architecture(world: World) -> str:
    """Of the images that we build, in the OCI's words."""
    import platform

    machine = world.environ.get("MLOPS_CI_ARCHITECTURE") or platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
