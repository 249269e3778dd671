"""Where the demo's model goes: a registry and a Docker host, or a process; in nobody's way."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from demo.terminal import say
from mlops_ci.targets import Service
from mlops_ci.targets.labels import SERVICE, names_of

SCRIPTS = Path(__file__).parents[1] / "scripts"
REGISTRY_PORTS = range(5000, 5005)
PORTS = range(8080, 8100)
STOP_SECONDS = 40.0

Kind = Literal["docker", "process"]


class MissingError(Exception):
    """What a script said about what is not there."""


@dataclass(frozen=True)
class Place:
    """`service` is the name that it runs under; `registry` host:port, None without images."""

    kind: Kind
    service: str
    port: int
    registry: str | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """What goes into the model's mlops-ci.yaml."""
        image = {"image": f"{self.registry}/acme/digits"} if self.registry else {}
        deploy = {"target": self.kind, "port": self.port, "name": self.service}
        return {**image, "deploy": deploy}

    def where_to_look(self) -> list[str]:
        if self.kind == "process":
            return [f"its log       {service_folder(self.service)}/*/server.log"]
        return [
            f"containers    docker ps --filter label={SERVICE}={self.service}",
            f"images        http://{self.registry}/v2/acme/digits/tags/list",
        ]


def take(service: str) -> int:
    """The lock of the name: one demo at a time. Waits for one that still runs, and for the last
    command of one that was killed: every command holds the lock too."""
    path = service_folder(service).with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("Another demo still runs: waiting for its end.")
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def find_place(wanted: Kind | None, service: str) -> Place:
    """Docker where it runs or can be started; says why where it does not.

    Raises SystemExit when Docker was asked for by name and is not there.
    """
    if wanted == "process":
        return Place("process", service, free_port())
    try:
        registry = prepare_docker()
    except MissingError as error:
        if wanted == "docker":
            raise SystemExit(str(error)) from None
        say("There is no Docker here: no image is built, and the model runs as a process.")
        for line in str(error).splitlines():
            say(f"  {line}")
        return Place("process", service, free_port())
    return Place("docker", service, free_port(), registry)


def prepare_docker() -> str:
    """The engine, the images that ours start from, a registry on loopback: its host:port.

    Raises MissingError.
    """
    for script in ("docker_engine.sh", "base_image.sh", "haproxy_image.sh"):
        _run(script)
    for port in REGISTRY_PORTS:
        try:
            return _run("registry.sh", str(port))
        except MissingError:
            if port == REGISTRY_PORTS[-1] or port_is_free(port):
                raise
    raise AssertionError


def _run(script: str, *arguments: str) -> str:
    """Its last line."""
    command = ["bash", str(SCRIPTS / script), *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise MissingError(done.stderr.strip() or f"{script} ended with {done.returncode}")
    return done.stdout.strip().rpartition("\n")[2]


def free_port() -> int:
    for port in PORTS:
        if port_is_free(port):
            return port
    raise SystemExit(f"ports {PORTS.start} to {PORTS.stop - 1} are all taken: free one of them")


def port_is_free(port: int) -> bool:
    with socket.socket() as found:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True


def service_folder(service: str) -> Path:
    from mlops_ci.targets.process import ProcessTarget
    from mlops_ci.world import World

    return ProcessTarget(Service(service), World()).folder


def end_service(service: str) -> None:
    """Whatever an earlier demo left running, of both kinds: it has a name of its own."""
    _end_processes(service_folder(service))
    _end_containers(service)


def _end_processes(folder: Path) -> None:
    from mlops_ci.targets.handover import converse, is_alive

    for control in folder.glob("*/control"):
        answer = converse(control, "stop")
        end = time.monotonic() + STOP_SECONDS
        while answer and is_alive(answer[0].pid):
            if time.monotonic() > end:
                os.kill(answer[0].pid, signal.SIGKILL)
            time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)


def _end_containers(service: str) -> None:
    import docker

    names = names_of(Service(service))
    try:
        client = docker.from_env(timeout=20)
    except docker.errors.DockerException:
        return
    with closing(client):
        owned = client.containers.list(
            all=True, ignore_removed=True, filters={"label": f"{SERVICE}={service}"}
        )
        leases = client.containers.list(
            all=True, ignore_removed=True, filters={"name": f"^/?{names.lease}$"}
        )
        for container in [*owned, *leases]:
            container.remove(force=True, v=True)
        for network in client.networks.list(names=[f"^{names.network}$"]):
            network.remove()
