"""Releases this checkout: its images, then the tags that users name.

`images` builds both stages, pushes them and prints their digests; `tag` writes those digests into
every action.yml, commits that beside main, and moves the tags `v<version>` and `v<major>` to it.
main itself keeps plain tags in action.yml, so that its tests run the images they have just built.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STAGES = ("slim", "full")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
IMAGE = re.compile(
    r"(image: +[\"']?docker://)([^\s:@]+):([\w.+-]+)-(slim|full)(@sha256:[0-9a-f]{64})?"
)


class ReleaseError(Exception):
    """Says what is wrong and what to do; nothing has been published by the step that raises it."""


def run(*command: str | Path, env: Mapping[str, str] | None = None, cwd: Path = ROOT) -> str:
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **(env or {})}, stdout=subprocess.PIPE, check=False
    )
    if done.returncode != 0:
        raise ReleaseError(f"{Path(command[0]).name} ended with {done.returncode}")
    return done.stdout.decode().strip()


def version_of(folder: Path) -> str:
    text = (folder / "mlops_ci/__init__.py").read_text()
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    if found is None:
        raise ReleaseError("mlops_ci/__init__.py names no __version__")
    return found[1]


def check_ready(folder: Path) -> str:
    """The version, when there is something to say about it and it was not released before."""
    version = version_of(folder)
    changes = (folder / "CHANGELOG.md").read_text()
    if not re.search(rf"^## {re.escape(version)}(?!.*unreleased)", changes, re.MULTILINE):
        raise ReleaseError(f"CHANGELOG.md has no section `## {version}` with its date: write it")
    if run("git", "tag", "--list", f"v{version}", cwd=folder):
        raise ReleaseError(f"v{version} is released: raise __version__ in mlops_ci/__init__.py")
    if run("git", "status", "--porcelain", "--untracked-files=no", cwd=folder):
        raise ReleaseError("the checkout has changes: release what is committed")
    return version


def push_images(folder: Path, repository: str) -> dict[str, str]:
    """Stage → digest of the manifest that the registry now holds."""
    version = check_ready(folder)
    names = run(folder / "scripts/action_images.sh", env={"MLOPS_CI_IMAGE": repository}, cwd=folder)
    docker = os.environ.get("DOCKER") or run(
        "bash", "-c", 'eval "$(scripts/docker_engine.sh)" && echo "$DOCKER"', cwd=folder
    )
    digests = {}
    for stage, name in zip(STAGES, names.splitlines()[-2:], strict=True):
        if name != f"{repository}:{version}-{stage}":
            raise ReleaseError(f"built {name} where {repository}:{version}-{stage} was expected")
        pushed = DIGEST.findall(run(docker, "push", name))
        if not pushed:
            raise ReleaseError(f"the registry gave no digest for {name}")
        digests[stage] = pushed[-1]
    return digests


def pin(text: str, version: str, digests: Mapping[str, str]) -> tuple[str, int]:
    """An action.yml with the digest behind its image's tag, and how many images it names."""

    def with_digest(found: re.Match[str]) -> str:
        head, name, named, stage, _ = found.groups()
        if named != version:
            raise ReleaseError(f"an action asks for {name}:{named}-{stage}, this is {version}")
        return f"{head}{name}:{named}-{stage}@{digests[stage]}"

    return IMAGE.subn(with_digest, text)


def pin_actions(folder: Path, version: str, digests: Mapping[str, str]) -> list[str]:
    """Paths of the action.yml files, each of which must name exactly one image."""
    paths = [*folder.glob("action.yml"), *sorted(folder.glob("actions/*/action.yml"))]
    if not paths:
        raise ReleaseError("there is no action.yml")
    pinned = {}
    for path in paths:
        pinned[path], count = pin(path.read_text(), version, digests)
        if count != 1:
            raise ReleaseError(f"{path.relative_to(folder)} names {count} images of ours, not one")
    for path, text in pinned.items():
        path.write_text(text)
    return [str(path.relative_to(folder)) for path in paths]


def push_options(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The checkout keeps no credentials: the job's token goes along with this one push."""
    token = environ.get("GITHUB_TOKEN")
    if not token:
        return ()
    basic = b64encode(f"x-access-token:{token}".encode()).decode()
    return ("-c", f"http.extraheader=AUTHORIZATION: basic {basic}")


def tag(folder: Path, digests: Mapping[str, str]) -> list[str]:
    """The tags that were pushed, all or none: `v<version>` new, `v<major>` moved."""
    version = check_ready(folder)
    changed = pin_actions(folder, version, digests)
    exact, major = f"v{version}", f"v{version.split('.')[0]}"
    who = ("-c", "user.name=mlops-ci", "-c", "user.email=release@users.noreply.github.com")
    message = f"Release {version}: pin the actions' images"
    run("git", "checkout", "-q", "--detach", cwd=folder)
    run("git", *who, "commit", "-q", "-m", message, "--", *changed, cwd=folder)
    run("git", *who, "tag", "-a", exact, "-m", f"mlops-ci {version}", cwd=folder)
    run("git", "tag", "-f", major, cwd=folder)
    refs = [f"refs/tags/{exact}", f"+refs/tags/{major}"]
    run("git", *push_options(os.environ), "push", "-q", "--atomic", "origin", *refs, cwd=folder)
    return [exact, major]


def tell(results: Mapping[str, str]) -> None:
    lines = "".join(f"{name}={value}\n" for name, value in results.items())
    sys.stdout.write(lines)
    if output := os.environ.get("GITHUB_OUTPUT"):
        with Path(output).open("a") as file:
            file.write(lines)


def digest(text: str) -> str:
    if not DIGEST.fullmatch(text):
        raise argparse.ArgumentTypeError("a digest is sha256: and 64 hexadecimal digits")
    return text


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="is there a new version to release?")
    images = commands.add_parser("images", help="build and push both stages")
    images.add_argument("--repository", default="ghcr.io/mlops-ci/mlops-ci")
    tags = commands.add_parser("tag", help="pin the digests in the actions, push the tags")
    for stage in STAGES:
        tags.add_argument(f"--{stage}", required=True, type=digest, metavar="sha256:…")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    chosen = parse(arguments)
    try:
        if chosen.command == "check":
            tell({"version": check_ready(ROOT)})
        elif chosen.command == "images":
            tell(push_images(ROOT, chosen.repository))
        else:
            digests = {stage: getattr(chosen, stage) for stage in STAGES}
            tell({"tags": " ".join(tag(ROOT, digests))})
    except ReleaseError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
