"""What becomes of the plots in the comment, by `plots:` and by what the job may do."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile

import pytest
import requests

from mlops_ci.github.attachments import TOKEN
from tests.integration.action.conftest import Play
from tests.integration.action.jobs import CLEAN, CONFIG, PROJECT, TRAIN, Ran, Runs
from tests.machine.scripts import ROOT

# Scores, so that there are curves; the answers stay what they were.
SCORED = TRAIN.replace('"region"])', '"region", "score"])').replace(
    '"north" if i % 3 else "south"])',
    '"north" if i % 3 else "south", 0.2 + 0.6 * answer + 0.001 * (i % 97)])',
)
HERE = {"contents": "read", "pull_requests": "write", "checks": "write"}


def project(plots: str) -> dict[str, str]:
    return {**PROJECT, "train.py": SCORED, "mlops-ci.yaml": f"plots: {plots}\n{CONFIG}"}


def change(right: float = 0.85) -> dict[str, str]:
    return {"params.yaml": f"right: {right}\n"}


def report_in(body: str) -> tuple[str, str]:
    """What stands between our marks: all but the last line, and the last line."""
    text = body.split("-->\n", 2)[2].rsplit("\n<!-- /mlops-ci:part", 1)[0]
    told, _, footer = text.rstrip().rpartition("\n")
    return told, footer


def on_a_laptop(runs: Runs, head: str) -> str:
    workspace = runs.checkout(head)
    git = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    subprocess.run(
        [sys.executable, "-m", "mlops_ci", "run", "--markdown", "shown.md"],
        cwd=workspace,
        env={**CLEAN, **git, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    return (workspace / "shown.md").read_text().rstrip().rpartition("\n")[0]


@pytest.fixture(scope="module")
def kept(play: Play) -> tuple[Runs, Ran]:
    runs = play(change(), main=(project("artifact"),))
    return runs, runs.pull_request(token=runs.allow("judge", **HERE))


def test_the_artifact_holds_page_and_pictures(kept: tuple[Runs, Ran]) -> None:
    runs, ran = kept
    assert ran.code == 0, ran.log
    (found,) = runs.github.state.repository("acme/churn").artifacts.values()
    with zipfile.ZipFile(io.BytesIO(found["zip"])) as archive:
        names = set(archive.namelist())
        assert archive.read("churn/roc-light.png").startswith(b"\x89PNG")
    assert {"report.html", "churn/plots.json", "churn/roc-dark.png"} <= names


def test_the_comment_links_the_artifact_and_draws_the_curves(kept: tuple[Runs, Ran]) -> None:
    runs, _ = kept
    (number,) = runs.github.state.repository("acme/churn").artifacts
    (comment,) = runs.comments
    told, footer = report_in(comment["body"])
    assert f"[plots](<{runs.github.url}/acme/churn/actions/runs/1/artifacts/{number}>)" in footer
    assert "```mermaid" in told
    assert told == on_a_laptop(runs, runs.scenario.head), (
        "the same `plots:`, the same report but for its last line"
    )


def test_what_a_job_may_not_do_is_said_and_drawn_as_text(play: Play) -> None:
    runs = play(change(), main=(project("auto"),))
    ran = runs.pull_request(token=runs.allow("judge", **HERE))
    told, footer = report_in(runs.comments[0]["body"])
    assert "```mermaid" in told
    assert "plots as text: this job may not write the branch mlops-ci-plots" in footer
    assert "contents: write" in ran.log
    assert not ran.annotations("warning"), "nobody asked for the branch"
    asked = runs.push({"mlops-ci.yaml": project("mermaid")["mlops-ci.yaml"]})
    laptop = on_a_laptop(runs, asked)
    assert told == laptop.replace(asked[:7], runs.scenario.head[:7])


def test_a_persons_token_attaches_the_pictures(play: Play) -> None:
    runs = play(change(), main=(project("attachments"),))
    token = runs.allow("judge", **HERE)
    ran = runs.pull_request(token=token, environ={TOKEN: "pat-maintainer"})
    told, footer = report_in(runs.comments[0]["body"])
    addresses = re.findall(r'src="([^"]+/user-attachments/assets/[^"]+)"', told)
    assert len(addresses) >= 3, ran.log
    assert requests.get(addresses[0], timeout=10).content.startswith(b"\x89PNG")
    assert "plots as" not in footer
    assert "::add-mask::pat-maintainer" in ran.log

    again = runs.pull_request(token=token, run_id=2)
    told, footer = report_in(runs.comments[0]["body"])
    assert "```mermaid" in told
    assert f"plots as text: there is no {TOKEN} that may attach them" in footer
    (warning,) = again.annotations("warning")
    assert f"secrets.{TOKEN}" in warning.message
