"""A Docker host that is reached by SSH, with a key that only the environment holds."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.errors import AccessError, ServiceError
from mlops_ci.images.engine import connect
from mlops_ci.steps.build import build
from mlops_ci.steps.deploy import DeployRequest, deploy
from mlops_ci.steps.push import push
from mlops_ci.world import World
from tests.integration.ship.conftest import Shop
from tests.integration.ship.test_docker_target import ask
from tests.machine.ports import free_port
from tests.machine.scripts import run_script
from tests.waiting import wait_for

CONFIG = """Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile {folder}/pid
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
UsePAM no
"""


@dataclass(frozen=True)
class Host:
    address: str
    key: str
    known: str


@pytest.fixture(scope="module")
def host(docker_engine: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    import getpass

    assert docker_engine
    program = run_script("sshd.sh")[-1]
    folder = tmp_path_factory.mktemp("sshd")
    for name in ("host", "user"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True
        )
    port = free_port()
    (folder / "config").write_text(CONFIG.format(port=port, folder=folder))
    log = (folder / "log").open("wb")
    process = subprocess.Popen([program, "-D", "-e", "-f", str(folder / "config")], stderr=log)
    public = " ".join((folder / "host.pub").read_text().split()[:2])
    wait_for(lambda: process.poll() is not None or _listens(port), "sshd's start")
    assert process.poll() is None, (folder / "log").read_text()
    address = f"ssh://{getpass.getuser()}@127.0.0.1:{port}"
    yield Host(address, (folder / "user").read_text(), f"[127.0.0.1]:{port} {public}")
    process.terminate()
    process.wait()
    log.close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def knowing(world: World, host: Host, **changes: str) -> World:
    keys = {"MLOPS_CI_SSH_KEY": host.key, "MLOPS_CI_SSH_KNOWN_HOSTS": host.known, **changes}
    return replace(world, environ={**world.environ, **keys})


def test_deploy_by_ssh(shop: Shop, host: Host) -> None:
    ready = shop.evaluate(1)
    build(ready.project, "churn")
    push(ready.project, "churn")
    over = replace(ready.project, world=knowing(ready.project.world, host))
    live = deploy(over, "churn", DeployRequest(host=host.address))
    assert live.url == f"http://127.0.0.1:{shop.port}"
    assert ask(shop.port) == [1]


def test_who_is_not_let_in(host: Host, world: World, tmp_path: Path) -> None:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")], check=True
    )
    other = (tmp_path / "other").read_text()
    strange = (
        host.known.split()[0] + " " + " ".join((tmp_path / "other.pub").read_text().split()[:2])
    )
    for changes in ({"MLOPS_CI_SSH_KEY": other}, {"MLOPS_CI_SSH_KNOWN_HOSTS": strange}):
        with (
            pytest.raises(AccessError, match="MLOPS_CI_SSH_KEY: ") as caught,
            connect(knowing(world, host, **changes), host.address),
        ):
            pass
        assert "PRIVATE KEY" not in str(caught.value)


def test_a_host_that_is_not_there(host: Host, world: World) -> None:
    gone = f"ssh://deploy@127.0.0.1:{free_port()}"
    with (
        pytest.raises(ServiceError, match="cannot be reached"),
        connect(knowing(world, host), gone),
    ):
        pass
