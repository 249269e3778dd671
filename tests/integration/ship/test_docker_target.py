"""From an evaluated model to a service on a Docker host, with everything that goes wrong between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.errors import DeployError, RecordError, UsageError
from mlops_ci.records import Deployment
from mlops_ci.steps.build import build
from mlops_ci.steps.deploy import DeployRequest, deploy
from mlops_ci.steps.push import push
from mlops_ci.steps.rollback import rollback
from mlops_ci.targets.labels import ROLE, SERVICE
from tests.integration.ship.conftest import Shop
from tests.integration.ship.load import load_on
from tests.waiting import PATIENCE, wait_for

BODY = json.dumps({"inputs": [[0.0, 1.0, 2.0]]}).encode()
HERE = DeployRequest()


def ship(shop: Shop) -> Deployment:
    build(shop.project, "churn")
    push(shop.project, "churn")
    return deploy(shop.project, "churn", HERE)


def ask(port: int) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/invocations", BODY, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer)["predictions"]


def containers(engine: Any, shop: Shop, role: str) -> list[Any]:
    deployed = shop.project.model("churn").deploy
    assert deployed is not None
    found: list[Any] = engine.containers.list(
        all=True,
        ignore_removed=True,
        filters={"label": [f"{SERVICE}={deployed.name}", f"{ROLE}={role}"]},
    )
    return found


def test_the_evaluated_model_answers_behind_the_port(shop: Shop, docker_engine: Any) -> None:
    shop = shop.evaluate(1)
    built = build(shop.project, "churn")
    pushed = push(shop.project, "churn")
    assert pushed.digest == built.digest
    live = deploy(shop.project, "churn", HERE)
    assert live.status == "live"
    assert live.reference == pushed.reference
    assert ask(shop.port) == [1]
    (version,) = containers(docker_engine, shop, "model")
    assert version.attrs["HostConfig"]["PortBindings"] in ({}, None)
    assert version.attrs["Config"]["User"] == "65532:65532"
    labels = version.image.labels
    assert labels["org.opencontainers.image.revision"] == shop.project.commit
    assert labels["io.github.mlops-ci.model-digest"] == built.model_digest
    again = deploy(shop.project, "churn", HERE)
    assert again.notes == ["it was live already"]
    assert [c.id for c in containers(docker_engine, shop, "model")] == [version.id]


def test_no_request_fails_while_versions_change(shop: Shop) -> None:
    ship(shop.evaluate(1))
    with load_on(shop.port, BODY) as load:
        wait_for(lambda: load.answers["[1]"] > 100, "a hundred answers")
        second = shop.evaluate(2)
        assert ship(second).status == "live"
        assert ask(shop.port) == [2]
        wait_for(lambda: load.answers["[2]"] > 10, "ten answers of the second version")
        assert rollback(second.project, "churn", HERE).reference
        assert ask(shop.port) == [1]
    assert load.failures == []
    with pytest.raises(DeployError, match="no previous version"):
        rollback(second.project, "churn", HERE)
    assert ask(shop.port) == [1]


def test_a_model_that_cannot_be_opened_never_gets_a_request(shop: Shop, docker_engine: Any) -> None:
    ship(shop.evaluate(1))
    broken = shop.evaluate(2)
    (broken.model_folder / "model.skops").write_bytes(b"not a model")
    broken.record()
    build(broken.project, "churn")
    push(broken.project, "churn")
    with load_on(shop.port, BODY, clients=2) as load, pytest.raises(DeployError) as caught:
        deploy(broken.project, "churn", HERE)
    assert caught.value.exit_code == 7
    assert "ended with exit code" in str(caught.value)
    assert "model.skops cannot be opened: BadZipFile" in str(caught.value)
    assert load.failures == []
    assert set(load.answers) == {"[1]"}
    assert len(containers(docker_engine, shop, "model")) == 1
    record = broken.project.records.read("churn", broken.project.commit, Deployment)
    assert record.status == "failed"


def test_a_first_version_that_is_unhealthy_leaves_nothing(shop: Shop, docker_engine: Any) -> None:
    broken = shop.evaluate(1)
    (broken.model_folder / "model.skops").write_bytes(b"not a model")
    broken.record()
    with pytest.raises(DeployError):
        ship(broken)
    assert containers(docker_engine, shop, "model") == []
    assert containers(docker_engine, shop, "front") == []


@pytest.mark.parametrize("moment", ["model", "late"])
def test_a_killed_deployment_is_finished_by_the_next(
    shop: Shop, docker_engine: Any, moment: str
) -> None:
    ship(shop.evaluate(1))
    second = shop.evaluate(2)
    build(second.project, "churn")
    push(second.project, "churn")
    command = [sys.executable, "-m", "mlops_ci", "deploy"]
    path = f"{Path(__file__).parents[3]}:{os.environ.get('PYTHONPATH', '')}"
    environ = {**second.project.world.environ, "PYTHONPATH": path}
    running = subprocess.Popen(command, cwd=second.project.root, env=environ)
    wait_for(lambda: len(containers(docker_engine, shop, "model")) == 2, "a second version")
    if moment == "late":
        wait_for(lambda: ask(shop.port) == [2], "the switch")
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    assert ask(shop.port) == ([1] if moment == "model" else [2])
    assert deploy(second.project, "churn", HERE).status == "live"
    assert ask(shop.port) == [2]
    assert len(containers(docker_engine, shop, "model")) == 2
    assert rollback(second.project, "churn", HERE).reference
    assert ask(shop.port) == [1]


def test_the_front_finds_the_live_version_after_a_restart(shop: Shop, docker_engine: Any) -> None:
    ship(shop.evaluate(1))
    ship(shop.evaluate(2))
    (front,) = containers(docker_engine, shop, "front")
    front.restart(timeout=1)

    def answer() -> Any:
        try:
            return ask(shop.port)
        except OSError:
            return None

    assert wait_for(answer, "the front's return") == [2]


def test_two_deployments_at_a_time(shop: Shop) -> None:
    from mlops_ci.images.engine import connect
    from mlops_ci.targets.front import IMAGE
    from mlops_ci.targets.labels import names_of
    from mlops_ci.targets.lease import lease
    from mlops_ci.targets.release import Service

    ready = shop.evaluate(1)
    build(ready.project, "churn")
    push(ready.project, "churn")
    deployed = ready.project.model("churn").deploy
    assert deployed is not None
    assert deployed.name is not None
    name = names_of(Service(deployed.name)).lease
    world = replace(ready.project.world, monotonic=lambda: time.monotonic() * 20)
    hurried = replace(ready.project, world=world)
    with (
        connect(ready.project.world) as client,
        lease(client, name, IMAGE, ready.project.world),
        pytest.raises(DeployError, match="another deployment"),
    ):
        deploy(hurried, "churn", HERE)
    assert deploy(ready.project, "churn", HERE).status == "live"


def test_a_taken_port_is_named(shop: Shop, docker_engine: Any) -> None:
    import socket

    ready = shop.evaluate(1)
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", shop.port))
        holder.listen()
        with pytest.raises(DeployError, match=f"port 127.0.0.1:{shop.port}"):
            ship(ready)
    assert containers(docker_engine, shop, "front") == []
    assert ship(ready).status == "live"


def test_a_moved_tag_is_not_deployed(shop: Shop, docker_engine: Any) -> None:
    first = shop.evaluate(1)
    build(first.project, "churn")
    push(first.project, "churn")
    from mlops_ci.images.name import parse_image
    from mlops_ci.images.registry import Repository

    image = first.project.model("churn").image
    assert image is not None
    registry = Repository(parse_image(image), None, first.project.world)
    below = registry.manifest(f"dependencies-{dependencies_key(first)}")
    assert below is not None
    registry.put_manifest(first.project.commit, below.content, below.media_type)
    with pytest.raises(DeployError, match="now points to"):
        deploy(first.project, "churn", HERE)
    assert containers(docker_engine, shop, "model") == []


def dependencies_key(shop: Shop) -> str:
    from mlops_ci.images.engine import architecture
    from mlops_ci.images.recipe import read_recipe

    return read_recipe(shop.model_folder, architecture(shop.project.world)).key


def test_what_was_not_evaluated_is_not_built(shop: Shop) -> None:
    ready = shop.evaluate(1)
    (ready.model_folder / "model.skops").write_bytes(b"other bytes")
    with pytest.raises(DeployError, match="changed after it was evaluated"):
        build(ready.project, "churn")
    ready.project.records.file("churn", ready.project.commit, "evaluate").unlink()
    with pytest.raises(RecordError, match="mlops-ci evaluate"):
        build(ready.project, "churn")


def test_a_hosted_runner_needs_a_host(shop: Shop) -> None:
    ready = shop.evaluate(1)
    build(ready.project, "churn")
    push(ready.project, "churn")
    environ = {**ready.project.world.environ, "RUNNER_ENVIRONMENT": "github-hosted"}
    environ.pop("DOCKER_HOST", None)
    hosted = replace(ready.project, world=replace(ready.project.world, environ=environ))
    with pytest.raises(UsageError, match=r"deploy: \{target: docker, host: ssh://") as caught:
        deploy(hosted, "churn", HERE)
    assert caught.value.exit_code == 2
