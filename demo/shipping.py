"""Build, push, deploy, and ask the running model for a prediction."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

from demo.repository import Repository
from demo.terminal import say, show_command
from mlops_ci.records import Deployment, read_record

SCRIPTS = Path(__file__).parents[1] / "scripts"


def ship(repository: Repository, target: str | None) -> list[str]:
    """Returns the lines that say where to look. Raises SystemExit when a step fails."""
    target = target or ("docker" if docker_runs() else "process")
    if target == "process":
        say("There is no Docker here: the model runs as a process instead of in an image.")
    else:
        prepare_docker()
    repository.publish()
    _step(repository, "run", "--base", "HEAD^1")
    if target == "docker":
        _step(repository, "build")
        _step(repository, "push")
    _step(repository, "deploy", "--target", target)
    record = read_record(repository.record_of("deploy"), Deployment)
    if record.status != "live" or record.url is None:
        sys.exit(f"the model is not live: {record.status}")
    _predict(record.url)
    return [
        f"live          {record.url} ({record.reference})",
        f"put it back   (cd {repository.work} && mlops-ci rollback --target {target})",
    ]


def docker_runs() -> bool:
    command = ["bash", str(SCRIPTS / "docker_engine.sh")]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def prepare_docker() -> None:
    """The registry on loopback, the base image and the front's, where they cannot be pulled."""
    for script in ("base_image.sh", "haproxy_image.sh", "registry.sh"):
        subprocess.run(["bash", str(SCRIPTS / script)], check=True, stdout=subprocess.DEVNULL)


def _step(repository: Repository, *arguments: str) -> None:
    if code := repository.mlops_ci(*arguments):
        sys.exit(f"mlops-ci {arguments[0]} ended with exit code {code}")


def _predict(url: str) -> None:
    from sklearn.datasets import load_digits

    pixels, digit = load_digits(return_X_y=True)
    body = json.dumps({"instances": pixels[:5].tolist()})
    address = f"{url.rstrip('/')}/invocations"
    show_command(["curl", "-H", "content-type: application/json", "-d", "@five.json", address])
    request = urllib.request.Request(
        address, body.encode(), {"content-type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        predictions = json.load(answer)["predictions"]
    say(f"digits {digit[:5].tolist()} → 5 or more? {predictions}")
    if len(predictions) != 5:
        sys.exit("five rows must have five predictions")
