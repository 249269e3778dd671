"""The release, rehearsed: a copy of this checkout, a bare origin, the registry on loopback."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from mlops_ci import __version__
from tests.machine.scripts import ROOT

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
ME = ("-c", "user.name=me", "-c", "user.email=me@example.org")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *ME, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@dataclass(frozen=True)
class Rehearsal:
    folder: Path
    origin: Path

    def release(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        keep = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
        return subprocess.run(
            [sys.executable, "scripts/release.py", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            env=keep,
        )

    def write(self, path: str, text: str) -> None:
        (self.folder / path).write_text(text)
        git(self.folder, "commit", "-qam", f"Write {path}")

    def tags(self) -> set[str]:
        return set(git(self.origin, "tag").split())


@pytest.fixture
def rehearsal(tmp_path: Path) -> Rehearsal:
    """This checkout as it is now, committed, with a dated section in its changelog."""
    folder, origin = tmp_path / "checkout", tmp_path / "origin.git"
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    for name in listed:
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / "CHANGELOG.md").write_text(f"## {__version__} (2026-11-21)\n\nA rehearsal.\n")
    git(tmp_path, "init", "-q", "--bare", str(origin))
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "All of it")
    git(folder, "remote", "add", "origin", str(origin))
    git(folder, "push", "-q", "origin", "main")
    return Rehearsal(folder, origin)


def images_of(folder: Path) -> dict[str, str]:
    paths = [folder / "action.yml", *folder.glob("actions/*/action.yml")]
    return {
        str(path.relative_to(folder)): yaml.safe_load(path.read_text())["runs"]["image"]
        for path in paths
    }


def test_a_release_pins_what_the_registry_holds_in_every_action(
    rehearsal: Rehearsal, registry: str, docker_engine: Any, python_image: str
) -> None:
    assert python_image
    repository = f"{registry}/mlops-ci/rehearsal"
    pushed = rehearsal.release("images", "--repository", repository)
    assert pushed.returncode == 0, pushed.stderr
    digests = dict(line.split("=") for line in pushed.stdout.splitlines())
    for stage in ("slim", "full"):
        url = f"http://{registry}/v2/mlops-ci/rehearsal/manifests/{__version__}-{stage}"
        held = requests.head(url, headers={"Accept": MANIFEST}, timeout=10)
        assert held.headers["Docker-Content-Digest"] == digests[stage]

    tagged = rehearsal.release("tag", "--slim", digests["slim"], "--full", digests["full"])
    assert tagged.returncode == 0, tagged.stderr
    major = f"v{__version__.split('.')[0]}"
    assert rehearsal.tags() == {f"v{__version__}", major}

    user = rehearsal.folder.parent / "user"
    git(rehearsal.folder.parent, "clone", "-q", "--branch", major, str(rehearsal.origin), str(user))
    images = images_of(user)
    assert set(images) == set(images_of(ROOT))
    for image in images.values():
        stage = "slim" if "-slim" in image else "full"
        assert image == f"docker://ghcr.io/mlops-ci/mlops-ci:{__version__}-{stage}@{digests[stage]}"
    said = docker_engine.containers.run(
        f"{repository}@{digests['slim']}", ["--help"], entrypoint=["mlops-ci"], remove=True
    )
    assert b"Usage: mlops-ci" in said
    assert images_of(ROOT) == {name: re.sub("@.*", "", image) for name, image in images.items()}, (
        "main keeps plain tags"
    )


DIGESTS = ("--slim", f"sha256:{'a' * 64}", "--full", f"sha256:{'b' * 64}")


def test_the_major_tag_moves_and_a_version_does_not(rehearsal: Rehearsal) -> None:
    assert rehearsal.release("tag", *DIGESTS).returncode == 0
    again = rehearsal.release("tag", *DIGESTS)
    assert again.returncode == 1
    assert "is released: raise __version__" in again.stderr

    git(rehearsal.folder, "checkout", "-q", "main")
    for name in ["mlops_ci/__init__.py", *images_of(rehearsal.folder)]:
        path = rehearsal.folder / name
        path.write_text(path.read_text().replace(__version__, "0.99.0"))
    rehearsal.write("CHANGELOG.md", "## 0.99.0 (2026-12-01)\n")
    later = rehearsal.release("tag", *DIGESTS)
    assert later.returncode == 0, later.stderr
    assert rehearsal.tags() == {f"v{__version__}", "v0.99.0", "v0"}
    first = git(rehearsal.origin, "rev-parse", f"v{__version__}^{{commit}}")
    moved = git(rehearsal.origin, "rev-parse", "v0^{commit}")
    assert moved == git(rehearsal.origin, "rev-parse", "v0.99.0^{commit}") != first


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("CHANGELOG.md", f"## {__version__} (unreleased)\n", "with its date"),
        ("action.yml", "runs: {using: docker, image: Dockerfile}\n", "names 0 images"),
        (
            "action.yml",
            "  image: docker://ghcr.io/mlops-ci/mlops-ci:0.0.1-slim\n",
            f"this is {__version__}",
        ),
    ],
)
def test_nothing_is_tagged_when_something_is_wrong(
    rehearsal: Rehearsal, path: str, text: str, reason: str
) -> None:
    rehearsal.write(path, text)
    refused = rehearsal.release("tag", *DIGESTS)
    assert refused.returncode == 1
    assert reason in refused.stderr
    assert rehearsal.tags() == set()
    assert git(rehearsal.folder, "status", "--porcelain") == ""


def test_a_digest_is_read_strictly(rehearsal: Rehearsal) -> None:
    refused = rehearsal.release("tag", "--slim", "sha256:abc", "--full", "")
    assert refused.returncode == 2
    assert "64 hexadecimal digits" in refused.stderr
