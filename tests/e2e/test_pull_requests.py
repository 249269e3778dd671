"""Pull requests that do not go well, rights that are missing, and training by the user's own steps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.runner import Machine
from tests.e2e.story import (
    MERGE,
    MODEL,
    OWN_TRAINING,
    PULL_REQUEST,
    ZEROS,
    Day,
    Shipping,
    a_day,
    free_port,
    project_files,
)

BOT = "github-actions[bot]"
READ_ONLY = {"contents": "read", "pull-requests": "read", "checks": "read"}


def comments(day: Day) -> list[dict[str, Any]]:
    held = day.github.state.repository(day.scenario.full_name).comments.values()
    return [found for found in held if found["author"] == BOT]


def conclusions(day: Day) -> dict[str, str]:
    checks = day.github.state.repository(day.scenario.full_name).checks.values()
    return {check["name"]: check["conclusion"] for check in checks}


@pytest.fixture(scope="module")
def worse(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    """A pull request with a broken model; the store is empty, so base is trained in a worktree."""
    shipping = Shipping("127.0.0.1:1", "never-shipped", free_port())
    folder = tmp_path_factory.mktemp("worse")
    with a_day(machine, folder, project_files(shipping), "fail") as day:
        yield day


def test_read_only_rights_move_the_report_and_not_the_verdict(worse: Day) -> None:
    ran = worse.open_pull_request("read-only", PULL_REQUEST, READ_ONLY)
    assert ran.code != 0
    assert ran.outputs()["verdict"] == "fail"
    assert comments(worse) == []
    assert conclusions(worse) == {}
    assert MODEL in ran.summary()


def test_a_worse_model_fails_the_job_and_says_why(worse: Day) -> None:
    ran = worse.open_pull_request("fail")
    assert ran.code != 0
    outputs = ran.outputs()
    assert outputs["verdict"] == "fail"
    assert outputs.get("digest", "") == ""
    comparison = json.loads((ran.workspace / outputs["comparison-path"]).read_text())
    assert any(gate["verdict"] == "fail" and gate["blocks"] for gate in comparison["gates"])
    assert len(comments(worse)) == 1
    assert "fail" in comments(worse)[0]["body"].lower()
    assert conclusions(worse)["mlops-ci verdict"] == "failure"


def test_a_second_run_changes_the_same_comment(worse: Day) -> None:
    before = [found["id"] for found in comments(worse)]
    worse.open_pull_request("again")
    assert [found["id"] for found in comments(worse)] == before
    assert len(before) == 1


def with_training(merge: Path, folder: Path) -> Path:
    """merge.yml as the other template's head tells its users to change it."""
    steps = yaml.safe_load(OWN_TRAINING.read_text())["jobs"]["model"]["steps"]
    theirs = [step for step in steps if "setup-uv" in step.get("uses", "") or "run" in step]
    assert len(theirs) == 2
    workflow = yaml.safe_load(merge.read_text())
    job = workflow["jobs"]["ship"]
    job["steps"] = [*job["steps"][:-1], *theirs, job["steps"][-1]]
    workflow["on"] = workflow.pop(True)
    path = folder / "merge.yml"
    path.write_text(yaml.safe_dump(workflow, sort_keys=False))
    return path


def test_the_users_own_training_is_judged_against_what_main_left(
    machine: Machine, tmp_path: Path
) -> None:
    files = project_files(Shipping("127.0.0.1:1", "never-shipped", free_port()), trains=False)
    config = yaml.safe_load(files["mlops-ci.yaml"])
    for key in ("image", "deploy"):
        del config["models"][MODEL][key]
    files["mlops-ci.yaml"] = yaml.safe_dump(config, sort_keys=False)
    with a_day(machine, tmp_path, files, "pass") as day:
        base = day.scenario.base
        first = day.push("first", ZEROS, base, with_training(MERGE, tmp_path))
        assert first.code == 0, first.log
        ran = day.open_pull_request("opened", OWN_TRAINING)
        assert ran.code == 0, ran.log
        assert ran.outputs()["verdict"] == "pass"
        comparison = json.loads((ran.workspace / ran.outputs()["comparison-path"]).read_text())
        assert comparison["rows"]["paired"] == 1797
        assert len(comments(day)) == 1
