"""Jobs as a runner would start them: a checkout of the head, an event file, a token, the door."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_ci.errors import InternalError
from tests.github_server.messages import Json
from tests.github_server.runner import Job, environment
from tests.github_server.scenario import Scenario
from tests.github_server.seed import add_token
from tests.github_server.server import GitHub
from tests.machine.scripts import ROOT
from tests.waiting import PATIENCE

OWNER = 1001  # a hosted runner's user
CLEAN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("GIT_", "GITHUB_", "INPUT_", "MLFLOW_", "MLOPS_CI_", "STATE_"))
}
GATES = "accuracy: [{max-drop: 0.02}, {min: 0.6}]"
CONFIG = f"""\
tracking-uri: none
models:
  churn:
    train: python3 train.py
    predictions: out/predictions.csv
    task: binary
    slices: [region]
    gates:
      {GATES}
"""
# `right` is the share of rows that the model answers right: the same rows each time. Only the
# standard library, for any Python 3 that the machine has.
TRAIN = """\
import csv, os
right = float(open("params.yaml").read().split(":")[1])
os.makedirs("out", exist_ok=True)
with open("out/predictions.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["id", "label", "prediction", "region"])
    for i in range(2000):
        label = i % 2
        answer = label if (i * 7919 % 2000) < right * 2000 else 1 - label
        writer.writerow([i, label, answer, "north" if i % 3 else "south"])
print("trained on 2000 rows")
"""
PROJECT = {
    "mlops-ci.yaml": CONFIG,
    "train.py": TRAIN,
    "params.yaml": "right: 0.8\n",
    ".gitignore": "/out/\n",
    "README.md": "# churn\n",
}
# One number and no rows: half the time, for what is not about numbers.
PLAIN = {
    **PROJECT,
    "mlops-ci.yaml": """\
tracking-uri: none
models:
  churn:
    train: python3 train.py
    metrics: out/metrics.json
    gates:
      accuracy: {max-drop: 0.02, accept: point}
""",
    "train.py": """\
import json, os
os.makedirs("out", exist_ok=True)
right = float(open("params.yaml").read().split(":")[1])
json.dump({"accuracy": right}, open("out/metrics.json", "w"))
print("trained")
""",
}
BETTER, WORSE, UNCLEAR = ({"params.yaml": f"right: {x}\n"} for x in (0.85, 0.75, 0.785))
OUTPUT = re.compile(r"^([\w-]+)<<(mlops_ci_[0-9a-f]{32})\n(.*?)\n?\2$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"::([\w-]+)(?: ([^\n]*?))?::(.*)")


@dataclass(frozen=True)
class Annotated:
    """A command of the log as the runner would have understood it."""

    name: str
    message: str
    properties: dict[str, str]


@dataclass(frozen=True)
class Ran:
    """How a job ended, and what it left in the runner's files. `files` is their folder."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str
    workspace: Path
    state: dict[str, str]
    files: Path

    @property
    def commands(self) -> list[Annotated]:
        return list(understood(self.log))

    def annotations(self, level: str) -> list[Annotated]:
        return [command for command in self.commands if command.name == level]

    def record(self, name: str, model: str = "churn") -> Path:
        """Of the commit that is checked out."""
        commit = git(self.workspace, "rev-parse", "HEAD")
        return self.workspace / ".mlops-ci" / model / commit / name


@dataclass(frozen=True)
class Seen:
    """A job, and what stood on GitHub when it had ended. `commit` is the head."""

    ran: Ran
    comments: list[Json]
    conclusions: dict[str, str]
    commit: str


@dataclass
class Runs:
    """Every job gets a workspace and files of its own below `folder`."""

    github: GitHub
    scenario: Scenario
    folder: Path
    made: list[Path] = field(default_factory=list)

    def checkout(self, head: str, *, depth: int | None = None) -> Path:
        """What actions/checkout leaves: the head, all history (or `depth` commits), no
        credentials, and a workspace that belongs to the runner's user where we are root."""
        place = self.folder / f"job-{len(self.made)}" / "workspace"
        place.mkdir(parents=True)
        self.made.append(place)
        git(place, "init", "-q", "-b", "main")
        git(place, "remote", "add", "origin", self.github.clone_url(self.scenario.full_name))
        if depth is None:
            branches = "+refs/heads/*:refs/remotes/origin/*"
            git(place, "fetch", "-q", str(self.scenario.bare), branches)
        told = ("--depth", str(depth)) if depth is not None else ()
        git(place, "fetch", "-q", *told, self.scenario.source.as_uri(), head)
        git(place, "-c", "advice.detachedHead=false", "checkout", "-q", head)
        give_to_owner(place)
        return place

    def prepare(
        self, job: Job, inputs: Mapping[str, str] | None = None
    ) -> tuple[dict[str, str], Path]:
        """The environment of a step, and the folder of the runner's files for it."""
        files = job.workspace.parent / f"files-{len(list(job.workspace.parent.iterdir()))}"
        environ = environment(self.github, job, files)
        given = {"token": job.token, **(inputs or {})}
        asked = {f"INPUT_{name.upper()}": value for name, value in given.items()}
        safe = files / "gitconfig"  # as the image has it: the workspace is not root's
        safe.write_text("[safe]\n\tdirectory = *\n")
        give_to_owner(files)
        settings = {
            "GIT_CONFIG_SYSTEM": str(safe),
            "MPLCONFIGDIR": str(self.folder.parent / "matplotlib"),  # its list of fonts is slow
            "PYTHONPATH": str(ROOT),
        }
        return {**CLEAN, **environ, **asked, **settings}, files

    def job(
        self,
        job: Job,
        *arguments: str,
        inputs: Mapping[str, str] | None = None,
        states: Mapping[str, str] | None = None,
    ) -> Ran:
        environ, files = self.prepare(job, inputs)
        told = {f"STATE_{name}": value for name, value in (states or {}).items()}
        done = subprocess.run(
            action(*arguments),
            cwd=job.workspace,
            env={**environ, **told},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=PATIENCE,
        )
        return self.ended(done.returncode, done.stdout, job, files)

    def ended(self, code: int, out: bytes, job: Job, files: Path) -> Ran:
        log = out.decode("utf-8", "replace")
        assert code != InternalError.exit_code, log
        assert code != 1 or "Traceback" not in log, log
        return Ran(
            code,
            log,
            values(files / "GITHUB_OUTPUT"),
            (files / "GITHUB_STEP_SUMMARY").read_text("utf-8"),
            job.workspace,
            values(files / "GITHUB_STATE"),
            files,
        )

    def pull_job(self, *, depth: int | None = None, **more: Any) -> Job:
        """A job for the pull request as it is now."""
        scenario = self.scenario
        event = {name: more.pop(name) for name in ("action", "before") if name in more}
        payload: Json = scenario.events(self.github).pull_request(scenario.number, **event)
        head = payload["pull_request"]["head"]["sha"]
        workspace = more.pop("workspace", None) or self.checkout(head, depth=depth)
        return Job("pull_request", payload, workspace, **more)

    def pull_request(
        self, *arguments: str, inputs: Mapping[str, str] | None = None, **more: Any
    ) -> Ran:
        return self.job(self.pull_job(**more), *arguments, inputs=inputs)

    def push(self, files: Mapping[str, str | bytes | None], branch: str | None = None) -> str:
        """One more commit on a branch (the pull request's); its sha."""
        checkout = self.scenario.checkout
        checkout.switch(branch or self.scenario.branch)
        sha = checkout.commit(files)
        origin = checkout.git("remote", "get-url", "origin")
        checkout.git("remote", "set-url", "origin", str(self.scenario.source))
        checkout.push(branch or self.scenario.branch)
        checkout.git("remote", "set-url", "origin", origin)
        return sha

    def seen(self, ran: Ran) -> Seen:
        commit = git(ran.workspace, "rev-parse", "HEAD")
        return Seen(ran, self.comments, self.conclusions(commit), commit)

    def allow(self, token: str, **permissions: str) -> str:
        """A job's token with these rights alone."""
        told = {"kind": "workflow", "repository": self.scenario.full_name}
        add_token(self.github.state, token, {**told, "permissions": permissions})
        return token

    @property
    def comments(self) -> list[Json]:
        held = self.github.state.repository(self.scenario.full_name).comments.values()
        return [dict(comment) for comment in held]

    def checks(self, sha: str | None = None) -> dict[str, Json]:
        """The newest of each name."""
        held = self.github.state.repository(self.scenario.full_name).checks.values()
        return {c["name"]: dict(c) for c in held if sha is None or c["head_sha"] == sha}

    def conclusions(self, sha: str | None = None) -> dict[str, str]:
        return {name: check["conclusion"] for name, check in self.checks(sha).items()}


def action(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mlops_ci.action", *arguments]


def git(folder: Path, *arguments: str) -> str:
    safe = ("-c", f"safe.directory={folder}")
    done = subprocess.run(
        ["git", *safe, *arguments], cwd=folder, check=True, env=CLEAN, capture_output=True
    )
    return done.stdout.decode().strip()


def give_to_owner(folder: Path) -> None:
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, OWNER, OWNER, follow_symlinks=False)


def strangers(folder: Path) -> list[str]:
    """What in a workspace does not belong to its owner."""
    owner = folder.stat().st_uid
    found = sorted(path for path in folder.rglob("*") if path.lstat().st_uid != owner)
    return [str(path.relative_to(folder)) for path in found]


def values(path: Path) -> dict[str, str]:
    return {name: value for name, _, value in OUTPUT.findall(path.read_text("utf-8"))}


def understood(log: str) -> Iterator[Annotated]:
    """Reads a log as the runner does: between `stop-commands` and its word nothing is a command."""
    word: str | None = None
    for line in log.splitlines():
        found = COMMAND.match(line.lstrip())
        if found is None or (word is not None and found[1] != word):
            continue
        name, told, message = found.groups()
        if word is not None:
            word = None
            continue
        if name == "stop-commands":
            word = message
            continue
        pairs = (pair.split("=", 1) for pair in (told or "").split(",") if "=" in pair)
        yield Annotated(name, decoded(message), {key: decoded(text) for key, text in pairs})


def decoded(text: str) -> str:
    for code, character in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n")):
        text = text.replace(code, character)
    return text.replace("%25", "%")
