"""The actions of one step each come to what the root action and the command line come to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.action.conftest import Play
from tests.integration.action.jobs import BETTER, CLEAN, Ran, Runs
from tests.machine.scripts import ROOT

STEPS = ("train", "evaluate", "compare", "report")
MARKDOWN = "shown.md"
ASKED = {"markdown": MARKDOWN}


@pytest.fixture(scope="module")
def runs(play: Play) -> Runs:
    return play(BETTER)


@pytest.fixture(scope="module")
def token(runs: Runs) -> str:
    """What the pull request's template gives: no plots on a branch, so none in the comment."""
    return runs.allow("judge", contents="read", pull_requests="write", checks="write")


@pytest.fixture(scope="module")
def whole(runs: Runs, token: str) -> Ran:
    return runs.pull_request(inputs=ASKED, token=token)


@pytest.fixture(scope="module")
def strung(runs: Runs, token: str) -> dict[str, Ran]:
    """Four steps of one job: the workspace is what they share."""
    job = runs.pull_job(run_id=2, token=token)
    asked = {"compare": ASKED, "report": ASKED}
    return {step: runs.job(job, step, inputs=asked.get(step)) for step in STEPS}


@pytest.fixture(scope="module")
def laptop(runs: Runs) -> Path:
    """A checkout in which a person has typed `mlops-ci run`."""
    workspace = runs.checkout(runs.scenario.head)
    command = [sys.executable, "-m", "mlops_ci", "run", "--markdown", MARKDOWN]
    environ = {
        **CLEAN,
        "PYTHONPATH": str(ROOT),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }
    done = subprocess.run(command, cwd=workspace, env=environ, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return workspace


def comparison(workspace: Path) -> bytes:
    (found,) = workspace.glob(".mlops-ci/churn/*/compare.json")
    return found.read_bytes()


def shown(workspace: Path) -> str:
    """Without the footer, where all stands that varies from run to run."""
    text = (workspace / MARKDOWN).read_text()
    assert "accuracy" in text
    return text.rstrip("\n").rpartition("\n")[0]


def test_every_step_ends_well(strung: dict[str, Ran]) -> None:
    assert {step: ran.code for step, ran in strung.items()} == dict.fromkeys(STEPS, 0)


def test_the_comparison_is_the_same_byte_for_byte(
    whole: Ran, strung: dict[str, Ran], laptop: Path
) -> None:
    ours = comparison(whole.workspace)
    assert comparison(strung["report"].workspace) == ours
    assert comparison(laptop) == ours


@pytest.mark.parametrize("other", ["steps", "laptop"])
def test_the_markdown_is_the_same_but_for_the_footer(
    whole: Ran, strung: dict[str, Ran], laptop: Path, other: str
) -> None:
    workspace = strung["report"].workspace if other == "steps" else laptop
    assert shown(workspace) == shown(whole.workspace)


def test_the_comment_is_that_markdown(whole: Ran, strung: dict[str, Ran], runs: Runs) -> None:
    assert strung
    (comment,) = runs.comments
    assert shown(whole.workspace) in comment["body"]


def test_compare_tells_the_verdict_and_report_the_comment(
    strung: dict[str, Ran], runs: Runs
) -> None:
    compared, reported = strung["compare"], strung["report"]
    assert (compared.outputs["verdict"], compared.outputs["comment-url"]) == ("pass", "")
    assert compared.outputs["comparison-path"].endswith("/compare.json")
    assert reported.outputs["verdict"] == "pass"
    assert reported.outputs["comment-url"]
    assert set(runs.conclusions().values()) == {"success"}


def test_the_log_of_a_step_is_folded(strung: dict[str, Ran]) -> None:
    titles = [c.message.split("  ")[0] for c in strung["train"].commands if c.name == "group"]
    assert titles == ["churn · train"]
    assert "trained on 2000 rows" in strung["train"].log


def test_a_step_before_its_turn_says_what_is_missing(runs: Runs) -> None:
    ran = runs.pull_request("compare", run_id=3)
    assert ran.code == 3, ran.log
    assert ran.outputs["verdict"] == "error"
    (annotation,) = ran.annotations("error")
    assert "evaluate" in annotation.message
    assert str(ran.workspace) not in annotation.message


def test_a_step_that_ships_needs_an_image_in_the_configuration(runs: Runs) -> None:
    ran = runs.pull_request("build", run_id=4)
    assert ran.code == 2, ran.log
    (annotation,) = ran.annotations("error")
    assert annotation.properties["title"] == "mlops-ci build: churn"
    assert "image:" in annotation.message
