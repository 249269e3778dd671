"""What users write in workflows: action.yml files, the options table, the commands, one truth."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import click
import pytest
import yaml

from mlops_ci import __version__
from mlops_ci.action.results import OUTPUTS
from mlops_ci.cli.program import program
from mlops_ci.options import STEPS, options_of
from tests.machine.scripts import ROOT

ACTIONS = {step: ROOT / "actions" / step / "action.yml" for step in STEPS}
ALL = {"": ROOT / "action.yml", **ACTIONS}
PUBLIC_OUTPUTS = {
    "verdict",
    "report-path",
    "comparison-path",
    "comment-url",
    "check-url",
    "image",
    "digest",
    "deployed-url",
}


def action(step: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(ALL[step].read_text("utf-8"))
    return found


def test_each_step_has_its_action_and_no_other_is_there() -> None:
    assert {path.parent.name for path in ROOT.glob("actions/*/action.yml")} == set(STEPS)
    assert {path.name for path in (ROOT / "actions").iterdir()} == set(STEPS)


def test_the_files_are_as_the_options_say() -> None:
    command = [sys.executable, "scripts/action_metadata.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("step", ALL)
def test_inputs_equal_the_flags_of_the_command_of_the_same_name(step: str) -> None:
    command = program.get_command(click.Context(program), step or "run")  # the root action is `run`
    assert command is not None
    flags = {
        name.removeprefix("--")
        for parameter in command.params
        for name in parameter.opts
        if name.startswith("--")
    }
    only_cli = {option.name for option in options_of(step or "run") if option.only == "cli"}
    assert set(action(step)["inputs"]) - {"token"} == flags - only_cli - {"help"}
    assert only_cli <= flags


@pytest.mark.parametrize("step", ALL)
def test_only_the_token_has_a_default(step: str) -> None:
    defaults = {
        name: given["default"]
        for name, given in action(step)["inputs"].items()
        if "default" in given
    }
    assert defaults == {"token": "${{ github.token }}"}
    assert not any(given["required"] for given in action(step)["inputs"].values())


@pytest.mark.parametrize("step", ALL)
def test_the_same_outputs_everywhere(step: str) -> None:
    assert set(action(step)["outputs"]) == PUBLIC_OUTPUTS == set(OUTPUTS)


@pytest.mark.parametrize("step", ALL)
def test_every_action_runs_our_image_and_closes_what_it_opened(step: str) -> None:
    runs = action(step)["runs"]
    assert runs.pop("image") in {
        f"docker://ghcr.io/mlops-ci/mlops-ci:{__version__}-{stage}" for stage in ("slim", "full")
    }
    assert runs.pop("args", []) == ([step] if step else [])
    assert runs == {
        "using": "docker",
        "post-entrypoint": "/usr/local/bin/mlops-ci-post",
        "post-if": "always()",
    }


@pytest.mark.parametrize("step", ALL)
def test_the_marketplace_takes_the_description(step: str) -> None:
    assert len(action(step)["description"]) <= 125


def test_the_page_about_actions_names_each_input_and_output() -> None:
    page = (ROOT / "docs" / "actions.md").read_text("utf-8")
    inputs: dict[str, set[str]] = {}
    for step in ALL:
        for name in action(step)["inputs"]:
            inputs.setdefault(name, set()).add(step)
    for name, steps in inputs.items():
        named = [f"`{step}`" if step else "root" for step in ALL if step in steps]
        where = "all" if steps == set(ALL) else ", ".join(named)
        said = next(action(step)["inputs"][name]["description"] for step in steps)
        assert f"| `{name}` | {where} | {said} |" in page
    for name, told in OUTPUTS.items():
        assert f"| `{name}` | {told} |" in page
