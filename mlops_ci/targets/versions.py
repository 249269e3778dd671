"""The containers that run versions of one model, one per slot."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from mlops_ci.errors import DeployError
from mlops_ci.targets.haproxy import SLOTS
from mlops_ci.targets.labels import (
    COMMIT,
    DIGEST,
    MODEL_DIGEST,
    REFERENCE,
    ROLE,
    SERVICE,
    SLOT,
    names_of,
)
from mlops_ci.targets.release import Release, Service
from mlops_ci.world import World

# It waits inside: starting a Python four times a second would slow down the one that is to start.
PROBE = ["/opt/venv/bin/python", "-m", "mlops_ci.serve.probe", "5"]
LOG_LINES = 30
STOP_SECONDS = 30
MAX_PROCESSES = 512


@dataclass(frozen=True)
class Version:
    container: Any

    @property
    def slot(self) -> str:
        return str(self.container.labels[SLOT])

    @property
    def digest(self) -> str:
        return str(self.container.labels[DIGEST])

    @property
    def model_digest(self) -> str:
        return str(self.container.labels[MODEL_DIGEST])

    @property
    def reference(self) -> str:
        return str(self.container.labels[REFERENCE])

    @property
    def commit(self) -> str:
        return str(self.container.labels[COMMIT])

    def address(self, service: Service) -> str:
        networks = self.container.attrs["NetworkSettings"]["Networks"]
        return str(networks[names_of(service).network]["IPAddress"])

    def log(self) -> str:
        return str(self.container.logs(tail=LOG_LINES).decode("utf-8", "replace")).strip()

    def remove(self, *, with_image: bool = True) -> None:
        """Let it finish what it is at; its image goes too, or hosts fill up with old models."""
        import docker

        try:
            self.container.stop(timeout=STOP_SECONDS)
            self.container.remove(force=True)
            if with_image:
                self.container.client.images.remove(self.container.attrs["Image"])
        except docker.errors.APIError:
            return  # it is gone, or another container still needs the image


def find_versions(client: Any, service: Service) -> dict[str, Version]:
    """By slot; of two in one slot (they cannot both be reached) the younger."""
    found = client.containers.list(
        all=True,
        ignore_removed=True,
        filters={"label": [f"{SERVICE}={service.name}", f"{ROLE}=model"]},
    )
    ordered = sorted(found, key=lambda container: str(container.attrs["Created"]))
    return {container.labels[SLOT]: Version(container) for container in ordered}


def start_version(client: Any, service: Service, release: Release, taken: set[str]) -> Version:
    """In a free slot, on the private network, with no port of its own and few rights."""
    import docker

    slot = next(slot for slot in SLOTS if slot not in taken)
    names = names_of(service)
    api = client.api
    alias = api.create_endpoint_config(aliases=[f"slot-{slot}"])
    made = api.create_container(
        release.reference,
        name=f"{names.version}-{release.digest.removeprefix('sha256:')[:12]}-{slot}",
        labels={
            SERVICE: service.name,
            ROLE: "model",
            SLOT: slot,
            DIGEST: release.digest,
            MODEL_DIGEST: release.model_digest,
            REFERENCE: release.reference,
            COMMIT: release.commit,
        },
        networking_config=api.create_networking_config({names.network: alias}),
        host_config=api.create_host_config(
            network_mode=names.network,
            read_only=True,
            tmpfs={"/tmp": "size=256m"},  # noqa: S108 - inside the container
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            pids_limit=MAX_PROCESSES,
            init=True,
            log_config=docker.types.LogConfig(type="json-file", config={"max-size": "10m"}),
        ),
    )
    api.start(made["Id"])
    return Version(client.containers.get(made["Id"]))


def wait_until_healthy(version: Version, service: Service, world: World) -> list[str]:
    """Ask it from inside its own network; returns notes.

    Raises DeployError when it ends, runs out of time, is another model than the one that was
    evaluated, or fails on its own example.
    """
    end = world.monotonic() + service.health_timeout
    found: dict[str, Any] = {}
    while world.monotonic() < end:
        version.container.reload()
        if version.container.status != "running":
            code = version.container.attrs["State"].get("ExitCode")
            raise _unhealthy(version, f"it ended with exit code {code}")
        found = _probe(version)
        if _answered(found):
            break
        world.sleep(0.25)
    if not _answered(found):
        raise _unhealthy(
            version,
            f"it was not ready after {service.health_timeout:.0f} s: {found.get('error')}",
        )
    if found.get("digest") != version.model_digest:
        raise _unhealthy(
            version,
            f"it serves the model {found.get('digest')}, evaluated was {version.model_digest}",
        )
    if found.get("golden") not in ("ok", "none"):
        raise _unhealthy(version, f"its own example failed: {found.get('golden')}")
    if found.get("golden") == "none":
        return ["the model has no input example: no prediction was tried before the switch"]
    return []


def _probe(version: Version) -> dict[str, Any]:
    import docker

    try:
        _, output = version.container.exec_run(PROBE)
    except docker.errors.APIError as error:  # it ended meanwhile
        return {"error": str(error.explanation)}
    lines = output.decode("utf-8", "replace").strip().splitlines()
    try:
        said = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {"error": lines[-1]}
    return said if isinstance(said, dict) else {}


def _answered(found: dict[str, Any]) -> bool:
    return bool(found.get("ready")) and found.get("error") is None


def _unhealthy(version: Version, why: str) -> DeployError:
    return DeployError(
        f"the new version is not healthy: {why}\n{version.log()}".rstrip(),
        where=version.reference,
        fix="what was live stays live; try the image: docker run --rm -p 8080:8080 "
        f"{version.reference}",
    )


def keep_running(version: Version) -> None:
    """Restart it with the machine; not before it was healthy once."""
    version.container.update(restart_policy={"Name": "unless-stopped"})
