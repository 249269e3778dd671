"""What users copy, and what we run ourselves: linted, schema-checked, with the least rights."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlops_ci import __version__
from mlops_ci.images.credentials import PASSWORD, USERNAME
from mlops_ci.images.tunnel import KEY, KNOWN_HOSTS
from tests.machine.scripts import ROOT

TEMPLATES = sorted((ROOT / "workflows-templates").glob("*.yml"))
OURS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = [*ROOT.glob("action.yml"), *sorted(ROOT.glob("actions/*/action.yml"))]
BIN = Path(sys.executable).parent
USES = re.compile(r"^\s*-? ?uses: (\S+)(.*)$", re.MULTILINE)

every_workflow = pytest.mark.parametrize("path", [*TEMPLATES, *OURS], ids=lambda path: path.name)
every_template = pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)


def load(path: Path) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load(path.read_text())
    return loaded


def jobs(path: Path) -> list[dict[str, Any]]:
    return list(load(path)["jobs"].values())


def finds_nothing(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_templates_of_the_story_are_there() -> None:
    names = {path.stem for path in TEMPLATES}
    assert names >= {"pull-request", "pull-request-own-training", "merge"}


def test_zizmor_finds_nothing() -> None:
    finds_nothing(BIN / "zizmor", "--offline", "--quiet", *TEMPLATES, *OURS, *ACTIONS)


def test_actionlint_finds_nothing(actionlint: Path) -> None:
    finds_nothing(actionlint, "-shellcheck=", *TEMPLATES, *OURS)


def test_workflows_and_actions_satisfy_their_schemas() -> None:
    check = BIN / "check-jsonschema"
    finds_nothing(check, "--builtin-schema", "vendor.github-workflows", *TEMPLATES, *OURS)
    if ACTIONS:
        finds_nothing(check, "--builtin-schema", "vendor.github-actions", *ACTIONS)


@every_workflow
def test_actions_of_others_are_pinned_by_commit_with_their_version_beside(path: Path) -> None:
    for name, rest in USES.findall(path.read_text()):
        if name.startswith("./"):
            continue
        if name.startswith("mlops-ci/"):
            assert name == f"mlops-ci/mlops-ci@v{__version__.split('.')[0]}"
            continue
        assert re.fullmatch(r"[\w-]+/[\w/-]+@[0-9a-f]{40}", name)
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", rest)


def test_one_action_has_one_pin() -> None:
    pins: dict[str, set[str]] = {}
    for path in [*TEMPLATES, *OURS]:
        for name, _ in USES.findall(path.read_text()):
            action, _, commit = name.partition("@")
            pins.setdefault(action, set()).add(commit)
    assert {action: commits for action, commits in pins.items() if len(commits) > 1} == {}


@every_template
def test_checkout_takes_the_head_with_its_history_and_leaves_no_token(path: Path) -> None:
    for job in jobs(path):
        checkout = next(step for step in job["steps"] if "actions/checkout" in step.get("uses", ""))
        assert checkout["with"]["fetch-depth"] == 0
        assert checkout["with"]["persist-credentials"] is False
        if "pull_request" in load(path)[True]:
            wanted = "${{ github.event.pull_request.head.sha || github.sha }}"
            assert checkout["with"]["ref"] == wanted


@every_workflow
def test_rights_are_given_to_jobs_one_by_one(path: Path) -> None:
    assert load(path)["permissions"] == {}
    for job in jobs(path):
        assert job["permissions"]
        assert job["timeout-minutes"]


@pytest.mark.parametrize("name", ["pull-request", "pull-request-own-training"])
def test_a_pull_request_may_comment_and_check_and_nothing_else(name: str) -> None:
    path = ROOT / "workflows-templates" / f"{name}.yml"
    triggers = load(path)[True]
    assert set(triggers) == {"pull_request", "merge_group"}
    assert triggers["pull_request"] is None, "a filter would leave a required check unreported"
    wanted = {"contents": "read", "pull-requests": "write", "checks": "write"}
    assert [job["permissions"] for job in jobs(path)] == [wanted]
    assert "secrets." not in re.sub(r"(?m)^\s*#.*$", "", path.read_text())


def test_a_merge_is_never_cut_in_half() -> None:
    merge = load(ROOT / "workflows-templates" / "merge.yml")
    assert merge["concurrency"]["cancel-in-progress"] is False
    assert "pull-requests" not in jobs(ROOT / "workflows-templates" / "merge.yml")[0]["permissions"]


def test_a_merge_passes_the_keys_that_shipping_reads_and_docs_name_them() -> None:
    steps = jobs(ROOT / "workflows-templates" / "merge.yml")[0]["steps"]
    env = steps[-1]["env"]
    assert set(env) == {USERNAME, PASSWORD, KEY, KNOWN_HOSTS}
    docs = (ROOT / "docs" / "shipping.md").read_text()
    for value in env.values():
        found = re.fullmatch(r"\$\{\{ (?:secrets|vars)\.(\w+) \}\}", value)
        assert found, value
        assert f"`{found[1]}`" in docs
