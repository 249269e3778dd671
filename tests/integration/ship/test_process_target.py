"""The target without Docker: versions hand the socket on, and no request is lost."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mlops_ci.errors import DeployError, UsageError
from mlops_ci.steps.deploy import DeployRequest, deploy
from mlops_ci.steps.rollback import rollback
from mlops_ci.targets.handover import converse
from mlops_ci.targets.process import SOCKET, ProcessTarget
from mlops_ci.targets.release import Service
from mlops_ci.world import World
from tests.integration.ship.conftest import Shop, make_project
from tests.integration.ship.load import load_on
from tests.integration.ship.test_docker_target import BODY, ask
from tests.machine.ports import free_port
from tests.waiting import wait_for

HERE = DeployRequest()


@pytest.fixture
def shop(tmp_path: Path, world: World, trained: Callable[[int], Path]) -> Iterator[Shop]:
    port = free_port()
    state = tempfile.mkdtemp(prefix="s")  # short: a socket's path has at most 107 bytes
    world = replace(world, environ={**world.environ, "XDG_STATE_HOME": state})
    deploy_table = f"{{target: process, port: {port}, bind: 127.0.0.1, health-timeout: 300}}"
    project = make_project(tmp_path / "project", world, "ghcr.io/acme/churn", deploy_table)
    yield Shop(project, trained, port)
    for path in folder_of(project.world).glob(f"*/{SOCKET}"):
        answer = converse(path, "status")
        if answer is not None:
            os.kill(answer[0].pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(answer[0].pid, 0)
    shutil.rmtree(state)


def folder_of(world: World) -> Path:
    return ProcessTarget(Service("churn"), world).folder


def test_no_request_fails_while_processes_change(shop: Shop) -> None:
    first = shop.evaluate(1)
    live = deploy(first.project, "churn", HERE)
    assert live.url == f"http://127.0.0.1:{shop.port}"
    assert ask(shop.port) == [1]
    assert deploy(first.project, "churn", HERE).notes == ["it was live already"]
    with load_on(shop.port, BODY) as load:
        wait_for(lambda: load.answers["[1]"] > 100, "a hundred answers")
        second = shop.evaluate(2)
        assert deploy(second.project, "churn", HERE).status == "live"
        assert ask(shop.port) == [2]
        wait_for(lambda: load.answers["[2]"] > 10, "ten answers of the second version")
        rollback(second.project, "churn", HERE)
        assert ask(shop.port) == [1]
    assert load.failures == []
    with pytest.raises(DeployError, match="no previous version"):
        rollback(second.project, "churn", HERE)


def test_a_model_that_cannot_be_opened_never_gets_a_request(shop: Shop) -> None:
    deploy(shop.evaluate(1).project, "churn", HERE)
    broken = shop.evaluate(2)
    (broken.model_folder / "model.skops").write_bytes(b"not a model")
    broken.record()
    with pytest.raises(DeployError, match=r"model\.skops cannot be opened"):
        deploy(broken.project, "churn", HERE)
    assert ask(shop.port) == [1]
    assert len(list(folder_of(shop.project.world).glob("*/"))) == 1


def test_a_dead_version_is_replaced(shop: Shop) -> None:
    first = shop.evaluate(1)
    deploy(first.project, "churn", HERE)
    (path,) = folder_of(shop.project.world).glob(f"*/{SOCKET}")
    answer = converse(path, "status")
    assert answer is not None
    os.kill(answer[0].pid, signal.SIGKILL)
    os.waitpid(answer[0].pid, 0)
    assert deploy(first.project, "churn", HERE).notes == []
    assert ask(shop.port) == [1]


def test_the_model_process_does_not_know_our_keys(shop: Shop) -> None:
    ready = shop.evaluate(1)
    environ = {**ready.project.world.environ, "GITHUB_TOKEN": "ghs_secret", "INPUT_TOKEN": "x"}
    keyed = replace(ready.project, world=replace(ready.project.world, environ=environ))
    deploy(keyed, "churn", HERE)
    (path,) = folder_of(shop.project.world).glob(f"*/{SOCKET}")
    answer = converse(path, "status")
    assert answer is not None
    known = Path(f"/proc/{answer[0].pid}/environ").read_bytes()
    assert b"MLOPS_CI_MODEL_DIGEST=sha256:" in known
    assert b"ghs_secret" not in known
    assert b"INPUT_" not in known


def test_a_taken_port_is_named(shop: Shop) -> None:
    ready = shop.evaluate(1)
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", shop.port))
        holder.listen()
        with pytest.raises(DeployError, match="something else listens there"):
            deploy(ready.project, "churn", HERE)
    assert deploy(ready.project, "churn", HERE).status == "live"


def test_another_port_moves_the_service(shop: Shop) -> None:
    ready = shop.evaluate(1)
    deploy(ready.project, "churn", HERE)
    other = free_port()
    deploy(ready.project, "churn", DeployRequest(port=other))
    assert ask(other) == [1]


def test_a_host_is_not_for_processes(shop: Shop) -> None:
    ready = shop.evaluate(1)
    with pytest.raises(UsageError, match="this machine only"):
        deploy(ready.project, "churn", DeployRequest(host="ssh://deploy@example.org"))
