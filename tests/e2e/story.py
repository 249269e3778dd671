"""A team's day: main is shipped, a pull request is judged, its merge is shipped."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from demo.story import PULL_REQUESTS, PullRequest
from tests.e2e.runner import TOKEN, Event, Machine, Ran, permissions_of, run_workflow
from tests.github_server.scenario import Scenario, Story, build
from tests.github_server.server import GitHub
from tests.machine.registry import GuardedRegistry
from tests.machine.scripts import ROOT

PROJECT = ROOT / "demo" / "project"
TEMPLATES = ROOT / "workflows-templates"
ZEROS = "0" * 40
PULL_REQUEST = TEMPLATES / "pull-request.yml"
OWN_TRAINING = TEMPLATES / "pull-request-own-training.yml"
MERGE = TEMPLATES / "merge.yml"
MODEL = "digits"
BOT = "github-actions[bot]"


@dataclass(frozen=True)
class Shipping:
    """Where the story's images go and run."""

    registry: GuardedRegistry
    name: str
    port: int

    @property
    def image(self) -> str:
        return f"{self.registry.host}/acme/{self.name}"

    @property
    def secrets(self) -> dict[str, str]:
        """What the team has set, under the names that merge.yml passes on."""
        return {
            "REGISTRY_USERNAME": self.registry.username,
            "REGISTRY_PASSWORD": self.registry.password,
        }


def project_files(shipping: Shipping | None) -> dict[str, str]:
    """The demo's project; its image goes to the test's registry and port, or nowhere."""
    files = {path.name: path.read_text() for path in PROJECT.iterdir() if path.is_file()}
    files[".gitignore"] = files.pop("gitignore")
    config = yaml.safe_load(files["mlops-ci.yaml"])
    model = config["models"][MODEL]
    del model["image"], model["deploy"]
    if shipping is not None:
        model["image"] = shipping.image
        model["deploy"] = {"target": "docker", "port": shipping.port, "name": shipping.name}
    files["mlops-ci.yaml"] = yaml.safe_dump(config, sort_keys=False)
    return files


def changed(files: Mapping[str, str], pull: PullRequest) -> dict[str, str]:
    parameters = {**yaml.safe_load(files["params.yaml"]), **pull.parameters}
    return {"params.yaml": yaml.safe_dump(parameters, sort_keys=False)}


def pull_request(verdict: str) -> PullRequest:
    return next(pull for pull in PULL_REQUESTS if pull.verdict == verdict)


def merge_commit(github: GitHub, scenario: Scenario) -> str:
    """GITHUB_SHA of a pull request's run: the trial merge, which nobody's check may be on."""
    git = github.state.repository(scenario.full_name).git
    sha = git.ref(f"refs/pull/{scenario.number}/merge")
    assert sha is not None
    return sha


@dataclass(frozen=True)
class Day:
    """One repository on one GitHub, and a folder in which each job gets a disk of its own."""

    machine: Machine
    scenario: Scenario
    github: GitHub
    folder: Path
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def grant(self, permissions: Mapping[str, str]) -> None:
        """Give the job's token these rights and no others."""
        from tests.github_server.seed import add_token

        described = {"kind": "workflow", "repository": self.scenario.full_name}
        add_token(self.github.state, TOKEN, {**described, "permissions": dict(permissions)})

    def open_pull_request(
        self,
        name: str,
        template: Path = PULL_REQUEST,
        permissions: Mapping[str, str] | None = None,
    ) -> Ran:
        self.grant(permissions_of(template) if permissions is None else permissions)
        number = self.scenario.number
        payload = self.scenario.events(self.github).pull_request(number)
        merge = merge_commit(self.github, self.scenario)
        event = Event("pull_request", payload, merge, f"refs/pull/{number}/merge")
        return run_workflow(self.machine, self.github, template, event, self.folder / name)

    def enter_queue(self, name: str) -> Ran:
        """The merge queue's run, by the pull request's own template."""
        self.grant(permissions_of(PULL_REQUEST))
        payload = self.scenario.events(self.github).merge_group(self.scenario.number)
        group = payload["merge_group"]
        event = Event("merge_group", payload, group["head_sha"], group["head_ref"])
        return run_workflow(self.machine, self.github, PULL_REQUEST, event, self.folder / name)

    def push(self, name: str, before: str, after: str, template: Path = MERGE) -> Ran:
        self.grant(permissions_of(template))
        payload = self.scenario.events(self.github).push(before, after)
        event = Event("push", payload, after, "refs/heads/main", secrets=self.secrets)
        return run_workflow(self.machine, self.github, template, event, self.folder / name)

    def comments(self) -> list[dict[str, Any]]:
        """Those that the workflow's token wrote."""
        held = self.github.state.repository(self.scenario.full_name).comments.values()
        return [dict(found) for found in held if found["author"] == BOT]

    def checks(self, sha: str | None = None) -> dict[str, dict[str, Any]]:
        """The last one of each name."""
        held = self.github.state.repository(self.scenario.full_name).checks.values()
        return {
            check["name"]: dict(check) for check in held if sha is None or check["head_sha"] == sha
        }

    def as_it_is(self, name: str) -> Path:
        """A copy of the repository that GitHub has now, with all its refs."""
        return Path(shutil.copytree(self.scenario.bare, self.folder / name))

    def merge(self) -> tuple[str, str]:
        """What the button does. Main's commit before, and after."""
        checkout, branch = self.scenario.checkout, self.scenario.branch
        before = checkout.git("rev-parse", "main")
        checkout.switch("main")
        checkout.git(
            *("-c", "user.name=maintainer", "-c", "user.email=maintainer@example.org"),
            *("merge", "-q", "--no-ff", "-m", "Merge pull request #7", branch),
        )
        checkout.push("main")
        return before, checkout.git("rev-parse", "main")


@contextlib.contextmanager
def a_day(
    machine: Machine, folder: Path, story: Story, secrets: Mapping[str, str] | None = None
) -> Iterator[Day]:
    scenario = build(folder / "github", story)
    github = scenario.start()
    try:
        yield Day(machine, scenario, github, folder, secrets or {})
    finally:
        github.stop()
    assert not github.violations, "\n".join(github.violations)


def demo_story(files: Mapping[str, str], verdict: str) -> Story:
    """`verdict`: which of the demo's pull requests is open."""
    pull = pull_request(verdict)
    return Story(main=(files,), change=(changed(files, pull),), branch=pull.branch)


@dataclass(frozen=True)
class Told:
    """The three jobs of the day. `at_work` is the repository as it was when the pull request was
    judged; `comments` and `checks` are what stood on GitHub then.
    """

    day: Day
    shipping: Shipping
    first: Ran
    opened: Ran
    merged: Ran
    before: str
    after: str
    at_work: Path
    comments: list[dict[str, Any]]
    checks: dict[str, dict[str, Any]]

    @property
    def head(self) -> str:
        return self.day.scenario.head


def tell(day: Day, shipping: Shipping) -> Told:
    first = day.push("first", ZEROS, day.scenario.base)
    opened = day.open_pull_request("opened")
    at_work = day.as_it_is("at-work.git")
    comments, checks = day.comments(), day.checks(day.scenario.head)
    before, after = day.merge()
    merged = day.push("merged", before, after)
    return Told(day, shipping, first, opened, merged, before, after, at_work, comments, checks)
