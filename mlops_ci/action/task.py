"""One job's work: where it runs, what it was asked, whom it tells."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from mlops_ci.baseline import Access
from mlops_ci.baseline.commit import Asked
from mlops_ci.baseline.git_store import GitShelf, header_of
from mlops_ci.engines.owner import return_to_owner, with_owners_git
from mlops_ci.errors import MlopsCiError
from mlops_ci.github.checks import PREFIX, Checks
from mlops_ci.github.client import open_client
from mlops_ci.github.event import Event
from mlops_ci.github.identity import Identity
from mlops_ci.github.pictures import BRANCH, MESSAGE, PATIENCE, REF, Pictures
from mlops_ci.github.posting import Posting
from mlops_ci.github.runner import Runner
from mlops_ci.project import Project, open_project
from mlops_ci.report import Links
from mlops_ci.report.studio import Studio
from mlops_ci.world import World


@dataclass
class Task:
    """`step` is empty for the root action; `inputs` are by parameter name. `wrong`: an input that
    cannot be read, told where a report would be."""

    step: str
    inputs: dict[str, Any]
    runner: Runner
    world: World
    event: Event
    posting: Posting
    outputs: dict[str, str] = field(default_factory=dict)
    wrong: MlopsCiError | None = None
    studio: Studio | None = None

    @property
    def folder(self) -> Path:
        return self.runner.workspace / (self.inputs.get("folder") or ".")

    @property
    def links(self) -> Links:
        return Links(report=self.runner.run_url)

    @property
    def names(self) -> dict[str, str]:
        """What a reader calls head."""
        pull = self.event.number is not None
        return {"head_name": "this PR" if pull else "this commit"}

    @property
    def asked(self) -> Asked:
        event = self.event
        kind = "workflow_dispatch" if event.kind == "schedule" else event.kind
        ref = self.inputs.get("base")
        return Asked(kind, event.head, ref, event.base_branch, event.base)

    @property
    def access(self) -> Access | None:
        """The event's own repository with the job's token: not `origin`, which the checkout may
        have made lead elsewhere."""
        token, server = self.inputs.get("token"), self.world.environ.get("GITHUB_SERVER_URL")
        if not token or not server:
            return None
        return Access(f"{server.rstrip('/')}/{self.event.repository}.git", header_of(token))

    @cached_property
    def pictures(self) -> Pictures | None:
        """The branch of plots; None without a token."""
        access, client = self.access, self.posting.client
        if access is None or client is None:
            return None
        world = self.world
        branch = GitShelf(access, world, REF, f"the branch {BRANCH}", MESSAGE, PATIENCE)
        web, today = world.environ["GITHUB_SERVER_URL"], world.now().date()
        return Pictures(branch, self.event.repository, web, today, client.patience)

    def open_project(self) -> Project:
        """Raises what is wrong with the inputs, ConfigError, UsageError."""
        if self.wrong is not None:
            raise self.wrong
        project = with_owners_git(open_project(self.folder, self.world.within(self.folder)))
        return replace(project, git=replace(project.git, access=self.access))

    def scope(self, project: Project | None) -> str:
        """Several projects in one repository share the comment, each with parts of its own."""
        if project is not None:
            return project.prefix
        inside = Path(self.inputs.get("folder") or ".").as_posix().strip("/")
        return "" if inside == "." else f"{inside}/"

    def check_name(self, model: str, project: Project) -> str:
        return f"{PREFIX}{project.prefix}{model}"

    def path_of(self, path: Path) -> str:
        """Relative to the workspace, for the steps after us."""
        workspace = self.runner.workspace.resolve()
        resolved = path.resolve()
        return str(resolved.relative_to(workspace) if resolved.is_relative_to(workspace) else path)

    def say_error(self, error: MlopsCiError, model: str = "") -> None:
        """In the log; from here on paths in it are those of the workspace."""
        error.seen_from(self.runner.workspace)
        self.runner.say(f"error: {error.about(model) if model else error}")

    def give_back(self, project: Project, *files: Path) -> None:
        """What we wrote belongs to the workspace's owner."""
        for path in (project.records.path, *files):
            return_to_owner(path, project.git.root)


def make_posting(event: Event, inputs: dict[str, Any], runner: Runner, world: World) -> Posting:
    """Without a token there is nobody to talk to: that is a note, not an end."""
    try:
        client = open_client(world, inputs.get("token") or "")
    except MlopsCiError as error:
        return Posting(event, None, None, None, errors=[error])
    identity = Identity(client)
    job = runner.job(leg_of(inputs, world))
    checks = Checks(client, identity, event.repository, event.head, job)
    return Posting(event, client, checks, identity)


def leg_of(inputs: dict[str, Any], world: World) -> str:
    """Tells the jobs of one run apart, in the same way when the post step asks again."""
    told = (
        world.environ.get("GITHUB_JOB", ""),
        str(inputs.get("folder") or ""),
        *inputs.get("model", ()),
    )
    return hashlib.sha256("\0".join(told).encode()).hexdigest()[:12]
