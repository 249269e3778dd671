"""The action's image on a bridge network of its own: its loopback is not the Docker host's.

The registry is one that both the engine and the container reach, by the same name, with TLS.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from mlops_ci.targets.labels import SERVICE
from mlops_ci.world import World
from tests.integration.ship.conftest import Shop, make_project
from tests.integration.ship.test_docker_target import ask
from tests.machine.fixtures import ActionImages
from tests.machine.ports import free_port
from tests.waiting import PATIENCE, wait_for

CONFIG = """version: 0.1
storage: {{filesystem: {{rootdirectory: {folder}/data}}}}
http:
  addr: {address}
  tls: {{certificate: {folder}/server.pem, key: {folder}/server.key}}
"""
ENTRY = ["/opt/mlops-ci/bin/python", "-I", "-m", "mlops_ci"]


@dataclass(frozen=True)
class Bridge:
    """`address` of the registry; `authority` is the file of the one who signed it."""

    network: str
    address: str
    authority: Path


@pytest.fixture
def bridge(docker_engine: Any, registry: str, tmp_path: Path) -> Iterator[Bridge]:
    assert registry  # its program is installed
    network = docker_engine.networks.create(f"mlops-ci-bridge-{uuid.uuid4().hex[:8]}")
    network.reload()
    gateway = network.attrs["IPAM"]["Config"][0]["Gateway"]
    address = f"{gateway}:{free_port(gateway)}"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=registry"),
            *("-addext", f"subjectAltName=IP:{gateway}"),
            *("-keyout", f"{tmp_path}/server.key", "-out", f"{tmp_path}/server.pem"),
        ],
        check=True,
        capture_output=True,
    )
    trust = Path("/etc/docker/certs.d") / address
    trust.mkdir(parents=True)
    shutil.copy(tmp_path / "server.pem", trust / "ca.crt")
    (tmp_path / "registry.yml").write_text(CONFIG.format(folder=tmp_path, address=address))
    program = shutil.which("docker-registry")
    assert program
    log = (tmp_path / "registry.log").open("wb")
    process = subprocess.Popen(
        [program, "serve", str(tmp_path / "registry.yml")], stdout=log, stderr=log
    )
    wait_for(
        lambda: _answers(f"https://{address}/v2/", tmp_path / "server.pem"), "the registry's start"
    )
    yield Bridge(network.name, address, tmp_path / "server.pem")
    process.terminate()
    process.wait()
    log.close()
    shutil.rmtree(trust)
    for image in docker_engine.images.list(f"{address}/acme/churn"):
        docker_engine.images.remove(image.id, force=True)
    network.remove()


def _answers(url: str, authority: Path) -> bool:
    try:
        requests.get(url, timeout=PATIENCE, verify=str(authority))
    except requests.ConnectionError:
        return False
    return True


def test_build_push_deploy_and_rollback_from_a_bridge(
    bridge: Bridge,
    action_images: ActionImages,
    docker_engine: Any,
    world: World,
    trained: Callable[[int], Path],
    haproxy_image: str,
    tmp_path: Path,
) -> None:
    assert haproxy_image
    port, name = free_port(), f"bridge-{uuid.uuid4().hex[:8]}"
    place = f"{{target: docker, port: {port}, bind: 127.0.0.1, name: {name}}}"
    image = f"{bridge.address}/acme/churn"
    shop = Shop(make_project(tmp_path / "project", world, image, place), trained, port)

    def run(step: str) -> dict[str, Any]:
        output = docker_engine.containers.run(
            action_images.full,
            [*ENTRY[1:], step, "--json"],
            entrypoint=ENTRY[0],
            network=bridge.network,
            working_dir="/github/workspace",
            environment={
                "HOME": "/github/home",
                "XDG_CACHE_HOME": "/cache",
                "REQUESTS_CA_BUNDLE": "/authority.pem",
            },
            volumes=[
                "/var/run/docker.sock:/var/run/docker.sock",
                f"{shop.project.root}:/github/workspace",
                f"{tmp_path}/home:/github/home",
                # The dependencies image that is built here is one for the other tests too.
                f"{world.environ['XDG_CACHE_HOME']}:/cache",
                f"{bridge.authority}:/authority.pem:ro",
            ],
            remove=True,
        )
        found: list[dict[str, Any]] = json.loads(output)
        return found[0]

    try:
        for answer in (1, 2):
            shop = shop.evaluate(answer)
            built = run("build")
            assert run("push")["digest"] == built["digest"]
            live = run("deploy")
            assert live["status"] == "live"
            assert ask(port) == [answer]
        assert run("rollback")["reference"] == live["previous"]
        assert ask(port) == [1]
    finally:
        for container in docker_engine.containers.list(
            all=True, ignore_removed=True, filters={"label": f"{SERVICE}={name}"}
        ):
            container.remove(force=True, v=True)
        for network in docker_engine.networks.list(names=[f"^mlops-ci-{name}$"]):
            network.remove()
