"""One deployment of a service at a time, on whichever machine it was started.

The lease is a container that reads our standard input: when we end, however we end, the engine
closes it, the container ends and is removed. Its name is the lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mlops_ci.errors import DeployError
from mlops_ci.world import World

LIMIT = 3600
PATIENCE = 15.0  # a killed deployment's lease goes when a busy engine gets round to it
ABANDONED = 60.0  # for a lease that was made and not started


@contextmanager
def lease(client: Any, name: str, image: str, world: World) -> Iterator[None]:
    """Raises DeployError when another deployment of the service goes on."""
    api = client.api
    holder = _acquire(client, name, image, world)
    try:
        pipe = api.attach_socket(holder, params={"stdin": 1, "stream": 1})
        try:
            api.start(holder)
            yield
        finally:
            _close(pipe)
    finally:
        _remove(client, holder)


def _acquire(client: Any, name: str, image: str, world: World) -> str:
    import docker

    end = world.monotonic() + PATIENCE
    while True:
        try:
            made = client.api.create_container(
                image,
                ["timeout", str(LIMIT), "cat"],
                name=name,
                stdin_open=True,
                entrypoint=[],
                labels={"io.github.mlops-ci.role": "lease"},
                host_config=client.api.create_host_config(auto_remove=True, network_mode="none"),
            )
            return str(made["Id"])
        except docker.errors.APIError as error:
            if error.status_code != 409:
                raise
            _remove_dead(client, name)
            if world.monotonic() > end:
                raise DeployError(
                    "another deployment of this service is going on: nothing is deployed",
                    where=f"container {name}",
                    fix="wait until it ends, and run the step again",
                ) from error
            world.sleep(0.5)


def _remove_dead(client: Any, name: str) -> None:
    """A holder that was killed between creating the container and starting it."""
    import docker

    try:
        container = client.containers.get(name)
        age = _age(client, container)
        if container.status in {"exited", "dead"} or (
            container.status == "created" and age > ABANDONED
        ):
            container.remove(force=True)
    except docker.errors.APIError:
        return


def _age(client: Any, container: Any) -> float:
    """Seconds, by the engine's own clock."""
    from datetime import datetime

    now = datetime.fromisoformat(client.info()["SystemTime"])
    return (now - datetime.fromisoformat(container.attrs["Created"])).total_seconds()


def _close(pipe: Any) -> None:
    """docker-py hands out a stream over a local or TLS socket, or an SSH channel; what lies below
    it would stay open."""
    below = getattr(pipe, "_sock", None)
    pipe.close()
    if below is not None:
        below.close()


def _remove(client: Any, holder: str) -> None:
    import docker

    try:
        client.api.remove_container(holder, force=True)
    except docker.errors.APIError:
        return  # it removes itself
