"""The front container: it holds the service's port from the first version on."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from typing import Any

from mlops_ci.errors import DeployError, ServiceError
from mlops_ci.targets.haproxy import (
    ADMIN_PORT,
    PORT,
    SLOTS,
    Server,
    Standing,
    actual_standing,
    read_servers,
    read_standing,
    render,
    switch_command,
)
from mlops_ci.targets.labels import PORT_LABEL, ROLE, SERVICE, names_of
from mlops_ci.targets.release import Service
from mlops_ci.world import World

IMAGE = "haproxy:2.6-bookworm"
FOLDER, FILE = "/etc/mlops-ci", "/etc/mlops-ci/haproxy.cfg"
COMMAND = ["haproxy", "-W", "-db", "-f", FILE]
# The whole image has bash and no other program that opens a connection.
ASK = 'exec 3<>"/dev/tcp/127.0.0.1/$1" && printf "%s\\n" "$2" >&3 && cat <&3'
READY_SECONDS = 60.0


@dataclass(frozen=True)
class Front:
    container: Any
    world: World

    def ask(self, command: str) -> str:
        """One line to the runtime API, and its answer."""
        arguments = ["bash", "-c", ASK, "ask", str(ADMIN_PORT), command]
        code, output = self.container.exec_run(arguments)
        text = str(output.decode("utf-8", "replace"))
        if code != 0:
            raise DeployError(f"the front container does not answer: {text.strip()}")
        return text

    def servers(self) -> dict[str, Server]:
        return read_servers(self.ask("show stat"))

    def recorded(self) -> Standing:
        code, output = self.container.exec_run(["cat", FILE])
        return read_standing(output.decode()) if code == 0 else Standing()

    def standing(self) -> Standing:
        """Repairs the record when a run was killed between the switch and writing it down."""
        recorded = self.recorded()
        actual = actual_standing(self.servers(), recorded)
        if actual != recorded:
            self.record(actual)
        if actual.live:
            self.ask(switch_command(actual.live))
        return actual

    def switch(self, to: str, standing: Standing) -> None:
        """All requests that begin from now on go to `to`; the record follows."""
        said = self.ask(switch_command(to)).strip()
        if said:
            raise DeployError(f"the front container refused to switch: {said}")
        self.record(standing)

    def record(self, standing: Standing) -> None:
        """So that a restart of the front, or of its machine, finds the same."""
        write_file(self.container, f"{FILE}.new", render(standing))
        self.container.exec_run(["mv", f"{FILE}.new", FILE], user="root")

    def wait_for(self, slot: str, address: str, seconds: float) -> None:
        """Until HAProxy's own check of the slot, at this address, has succeeded."""
        end = self.world.monotonic() + seconds
        while self.world.monotonic() < end:
            server = self.servers().get(slot)
            if server and server.checked and server.address == address:
                return
            self.world.sleep(0.1)
        raise DeployError(
            f"the version is healthy inside, but the front did not reach it in {seconds:.0f} s"
        )


def write_file(container: Any, path: str, text: str) -> None:
    folder, _, name = path.rpartition("/")
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        top = tarfile.TarInfo(folder.lstrip("/"))
        top.type, top.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(top)
        info = tarfile.TarInfo(f"{folder.lstrip('/')}/{name}")
        info.size, info.mode = len(text.encode()), 0o644
        tar.addfile(info, io.BytesIO(text.encode()))
    container.put_archive("/", out.getvalue())


def open_front(client: Any, service: Service, world: World) -> Front:
    """The running front of the service at its port; made when there is none.

    Raises DeployError when something else holds the port.
    """
    known = client.containers.list(
        all=True,
        ignore_removed=True,
        filters={"label": [f"{SERVICE}={service.name}", f"{ROLE}=front"]},
    )
    for half in [c for c in known if c.status == "created"]:  # a run was killed making it
        half.remove(force=True)
    known = [c for c in known if c.status != "created"]
    place = f"{service.bind}:{service.port}"
    right = [c for c in known if c.labels.get(PORT_LABEL) == place]
    standing = None
    if not right and known:
        old = Front(_running(known[0]), world)
        _wait_until_ready(old)
        standing = old.standing()
    front = Front(_running(right[0]) if right else _make(client, service, standing), world)
    _wait_until_ready(front)
    for stale in known:
        if stale.id != front.container.id:
            stale.remove(force=True)
    return front


def _running(container: Any) -> Any:
    container.reload()
    if container.status != "running":
        container.start()
        container.reload()
    return container


def _make(client: Any, service: Service, standing: Standing | None) -> Any:
    import docker

    names = names_of(service)
    place = f"{service.bind}:{service.port}"
    container = client.containers.create(
        IMAGE,
        COMMAND,
        name=f"{names.front}-{service.port}",
        ports={f"{PORT}/tcp": (service.bind, service.port)},
        network=names.network,
        labels={SERVICE: service.name, ROLE: "front", PORT_LABEL: place},
        restart_policy={"Name": "unless-stopped"},
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        log_config=docker.types.LogConfig(type="json-file", config={"max-size": "10m"}),
    )
    try:
        write_file(container, FILE, render(standing or Standing()))
        container.start()
    except docker.errors.APIError as error:
        container.remove(force=True)
        raise DeployError(
            f"port {place} cannot be opened on the Docker host: {error.explanation}",
            where="deploy.port",
            fix="stop what holds the port (`docker ps`, `ss -ltnp`), or choose another one",
        ) from error
    container.reload()
    return container


def _wait_until_ready(front: Front) -> None:
    end = front.world.monotonic() + READY_SECONDS
    while True:
        try:
            if set(front.servers()) == set(SLOTS):
                return
        except DeployError:
            pass
        front.container.reload()
        if front.world.monotonic() > end or front.container.status not in {"running", "created"}:
            log = front.container.logs(tail=20).decode("utf-8", "replace")
            raise DeployError(f"the front container does not start:\n{log}")
        front.world.sleep(0.1)


def ensure_front_image(client: Any) -> str:
    """Raises ServiceError when HAProxy's image is neither there nor to be had."""
    import docker

    try:
        client.images.get(IMAGE)
    except docker.errors.ImageNotFound:
        try:
            client.images.pull(*IMAGE.split(":"))
        except docker.errors.APIError as error:
            raise ServiceError(
                f"the front's image {IMAGE} cannot be pulled: {error.explanation}",
                fix=f"on a machine that can:\n    docker pull {IMAGE}\n"
                f"    docker save {IMAGE} | ssh HOST docker load",
            ) from error
    return IMAGE
