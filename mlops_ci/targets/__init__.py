"""Where an image runs: one module per kind of place, behind one Protocol, found in one table."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from mlops_ci.errors import UsageError
from mlops_ci.targets.release import Outcome, Release, Service, Target
from mlops_ci.world import World

__all__ = ["TARGETS", "Outcome", "Release", "Service", "Target", "open_target"]

Open = Callable[[Service, str | None, World], Target]


def open_docker(service: Service, registry: str | None, world: World) -> Target:
    from mlops_ci.images.credentials import find_login
    from mlops_ci.images.engine import connect
    from mlops_ci.targets.docker import DockerTarget, check_host

    check_host(service.host, world)
    login = find_login(registry, world) if registry else None
    resources = ExitStack()
    client = resources.enter_context(connect(world, service.host))
    return DockerTarget(client, service, world, login, resources)


def open_process(service: Service, registry: str | None, world: World) -> Target:  # noqa: ARG001
    from mlops_ci.targets.machine import check_machine
    from mlops_ci.targets.process import ProcessTarget

    check_machine(world)
    return ProcessTarget(service, world)


TARGETS: dict[str, Open] = {"docker": open_docker, "process": open_process}


def open_target(kind: str, service: Service, registry: str | None, world: World) -> Target:
    """`registry` is the host that images are pulled from."""
    if kind not in TARGETS:
        raise UsageError(f"there is no target {kind!r}", fix=f"choose one of: {', '.join(TARGETS)}")
    return TARGETS[kind](service, registry, world)
