"""The machine's own promises: what the fixtures hand out is what they say."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.machine.fixtures import Node
from tests.machine.scripts import ROOT, run_script

NOBODY = 65534


def test_base_image_runs_python_and_verifies_tls_like_its_host(
    docker_engine: Any, python_image: str
) -> None:
    code = "import ssl, sys; print(sys.version_info[:2], bool(ssl.create_default_context().get_ca_certs()))"
    said = docker_engine.containers.run(python_image, ["python", "-c", code], remove=True)
    assert said.decode().strip() == "(3, 11) True"


def test_haproxy_image_checks_a_configuration(docker_engine: Any, haproxy_image: str) -> None:
    said = docker_engine.containers.run(haproxy_image, ["haproxy", "-v"], remove=True)
    assert said.startswith(b"HAProxy version 2.6")


def test_registry_speaks_the_distribution_api(registry: str) -> None:
    answer = requests.get(f"http://{registry}/v2/", timeout=5)
    assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"


def test_programs_say_their_versions(
    act: Path, actionlint: Path, chromium: Path, node: Node
) -> None:
    def version(*command: str | Path) -> str:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    assert version(act, "--version")
    assert "v1.7.12" in version(actionlint, "-version")
    assert "hromium" in version(chromium, "--version") or "Chrome" in version(chromium, "--version")
    assert int(version(node.node, "--version").lstrip("v").split(".")[0]) >= 22
    assert version(node.node, node.npm, "--version")


def test_a_script_that_cannot_do_its_work_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "bash").symlink_to("/bin/bash")
    for name in ("dirname", "mkdir", "id", "flock", "env"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    done = subprocess.run(
        [ROOT / "scripts/go_program.sh", "act", "example.org/act", "v0.0.0"],
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4
    assert "Go is not installed" in done.stderr
    assert "what to do" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody without rights")
def test_without_rights_the_engine_is_asked_for_not_started() -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        shutil.copytree(ROOT / "scripts", folder / "scripts")
        (folder / "home").mkdir()
        for path in (folder, folder / "home", folder / "scripts"):
            path.chmod(0o777)
        done = subprocess.run(
            [folder / "scripts/docker_engine.sh"],
            env={"PATH": os.environ["PATH"], "HOME": str(folder / "home")},
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 4
    assert "only root can start one" in done.stderr
    assert "DOCKER_HOST" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("script", ["docker_engine.sh", "node.sh"])
def test_scripts_print_the_same_when_all_is_done_already(script: str, docker_command: str) -> None:
    assert docker_command
    assert run_script(script) == run_script(script)
