"""Runs a workflow file as GitHub would: act, our images, a GitHub on loopback."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mlops_ci.action.door import GIVEN_BACK
from tests.github_server.messages import Json
from tests.github_server.server import GitHub

STAND_INS = Path(__file__).parent / "stand_ins"
HOME = "/github/home"
TOKEN = "job-token-3f9c1e"  # of this shape nothing else in a workspace is
OWNER = 1001  # a hosted runner's user; stand_ins/checkout makes it the workspace's
LIMIT_SECONDS = 1800  # of a machine that others use too; alone no job takes a minute
USES = re.compile(r"uses: ((?:actions|astral-sh)/([\w-]+)@[0-9a-f]{40})")
OURS = re.compile(r"uses: (mlops-ci/mlops-ci)(?:/actions/\w+)?(@v\d+)")


@dataclass(frozen=True)
class Machine:
    """`actions` holds action.yml and actions/ and nothing else: act copies all of it for each job."""

    act: Path
    runner_image: str
    actions: Path


@dataclass(frozen=True)
class Event:
    """`sha` is the commit that the job starts from; `ref` what GITHUB_REF holds; `secrets` are the
    repository's own, beside the job's token.

    act tells GITHUB_SHA by where the workspace's HEAD is, so it changes at the checkout step; on
    GitHub it stays.
    """

    name: str
    payload: Json
    sha: str
    ref: str
    actor: str = "dev"
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Ran:
    """`lines` are act's own JSON lines; `workspace` is as the job left it.

    act hides no secret in them (`--insecure-secrets`): what is hidden, we hid.
    """

    code: int
    lines: list[dict[str, Any]] = field(repr=False)
    workspace: Path

    @property
    def log(self) -> str:
        return "\n".join(str(line.get("msg", "")).rstrip() for line in self.lines)

    def outputs(self) -> dict[str, str]:
        found = (line for line in self.lines if line.get("command") == "set-output")
        return {str(line["name"]): str(line["arg"]) for line in found}

    def summary(self) -> str:
        return "".join(
            str(line["content"]) for line in self.lines if line.get("command") == "summary"
        )

    def strangers(self) -> list[str]:
        """What in the workspace does not belong to the user whom the checkout gave it to, and the
        line in which the post step says that it had to give something back."""
        paths = sorted(self.workspace.rglob("*"))
        found = [
            str(path.relative_to(self.workspace))
            for path in paths
            if (path.lstat().st_uid, path.lstat().st_gid) != (OWNER, OWNER)
        ]
        return found + [line for line in self.log.splitlines() if GIVEN_BACK in line]

    def records(self, model: str, commit: str) -> Path:
        return self.workspace / ".mlops-ci" / model / commit


def permissions_of(template: Path) -> dict[str, str]:
    """What the template's job asks for: its token gets that and nothing else."""
    jobs = yaml.safe_load(template.read_text())["jobs"]
    assert len(jobs) == 1
    found: dict[str, str] = next(iter(jobs.values()))["permissions"]
    return found


def run_workflow(
    machine: Machine, github: GitHub, template: Path, event: Event, folder: Path
) -> Ran:
    """`folder` becomes the runner's disk: the workspace and the event file lie there. Jobs whose
    folders lie side by side share a cache."""
    workspace = folder / "workspace"
    workspace.mkdir(parents=True)
    full_name = event.payload["repository"]["full_name"]
    _prepare(workspace, github.clone_url(full_name, TOKEN), event.sha)
    payload = folder / "event.json"
    payload.write_text(json.dumps(event.payload))
    command = [
        *(machine.act, event.name, "--workflows", template, "--eventpath", payload),
        *("--pull=false", "--json", "--bind", "--rm", "--actor", event.actor),
        *("--platform", f"ubuntu-latest={machine.runner_image}"),
        *(
            "--container-options",
            f"--volume {_home(folder.parent)}:{HOME}",
            "--env",
            f"HOME={HOME}",
        ),
        "--insecure-secrets",
        *_secrets({"GITHUB_TOKEN": TOKEN, **event.secrets}),
        *_local_repositories(template, machine.actions),
        *_environment(github, event, full_name),
    ]
    done = subprocess.run(
        [str(word) for word in command],
        cwd=workspace,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )
    said = done.stdout + done.stderr
    (folder / "act.jsonl").write_text(said)  # for whoever looks for what went wrong
    lines = list(_json_lines(said))
    return Ran(done.returncode, lines, workspace)


def _home(day: Path) -> Path:
    """A container action's home, which the runner mounts. It stays for the day: the templates keep
    its `.cache` with actions/cache, so that later jobs find what the first one has installed."""
    home = day / "home"
    if not home.exists():
        home.mkdir()
        os.chown(home, OWNER, OWNER)
    return home


def _prepare(workspace: Path, origin: str, sha: str) -> None:
    """act reads github.sha and the repository's name from the checkout that it is started in."""
    for arguments in (
        ("init", "-q", "-b", "main"),
        ("remote", "add", "origin", origin),
        ("fetch", "-q", "origin", sha),
        ("-c", "advice.detachedHead=false", "checkout", "-q", sha),
    ):
        subprocess.run(["git", *arguments], cwd=workspace, check=True)


def _local_repositories(template: Path, actions: Path) -> Iterator[str]:
    text = template.read_text()
    for used, name in sorted(set(USES.findall(text))):
        yield from ("--local-repository", f"{used}={STAND_INS / name}")
    for name, version in sorted(set(OURS.findall(text))):
        yield from ("--local-repository", f"{name}{version}={actions}")


def _secrets(values: Mapping[str, str]) -> Iterator[str]:
    for name, value in values.items():
        yield from ("--secret", f"{name}={value}")


def _environment(github: GitHub, event: Event, full_name: str) -> Iterator[str]:
    values = {
        "GITHUB_SERVER_URL": github.url,
        "GITHUB_API_URL": github.url,
        "GITHUB_REPOSITORY": full_name,
        "GITHUB_REPOSITORY_OWNER": full_name.partition("/")[0],
        "GITHUB_REF": event.ref,
        "GITHUB_RUN_ID": "4711",
    }
    for name, value in values.items():
        yield from ("--env", f"{name}={value}")


def _json_lines(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            found = {"msg": line}
        yield found if isinstance(found, dict) else {"msg": line}
