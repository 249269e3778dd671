"""Pull requests that do not go well, rights that are missing, and training by the user's own steps."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from tests.e2e.runner import Machine
from tests.e2e.small import BETTER, FILES, WORSE, trained_by_the_job
from tests.e2e.story import (
    MERGE,
    OWN_TRAINING,
    PULL_REQUEST,
    ZEROS,
    a_day,
    demo_story,
    merge_commit,
    project_files,
)
from tests.github_server.scenario import Story

READ_ONLY = {"contents": "read", "pull-requests": "read", "checks": "read"}


def test_read_only_rights_move_the_report_and_not_the_verdict(
    machine: Machine, tmp_path: Path
) -> None:
    story = Story(main=(FILES,), change=(WORSE,))
    with a_day(machine, tmp_path, story) as day:
        ran = day.open_pull_request("read-only", PULL_REQUEST, READ_ONLY)
        assert day.comments() == []
        assert day.checks() == {}
    assert ran.code != 0
    assert ran.outputs()["verdict"] == "fail"
    assert "❌" in ran.summary()
    assert "churn" in ran.summary()
    assert ran.strangers() == []


def test_a_merge_queue_has_the_check_on_its_own_commit_and_no_comment(
    machine: Machine, tmp_path: Path
) -> None:
    with a_day(machine, tmp_path, Story(main=(FILES,), change=(BETTER,))) as day:
        ran = day.enter_queue("queue")
        head = merge_commit(day.github, day.scenario)
        checks, comments = day.checks(head), day.comments()
    assert ran.code == 0, ran.log
    assert ran.outputs()["verdict"] == "pass"
    assert checks["mlops-ci verdict"]["conclusion"] == "success"
    assert comments == []
    assert ran.strangers() == []


def test_a_worse_model_fails_the_job_and_says_why(machine: Machine, tmp_path: Path) -> None:
    """The store is empty, so base is trained in a worktree, with its packages."""
    with a_day(machine, tmp_path, demo_story(project_files(None), "fail")) as day:
        ran = day.open_pull_request("fail")
        comments, checks = day.comments(), day.checks()
    assert ran.code != 0
    outputs = ran.outputs()
    assert outputs["verdict"] == "fail"
    assert outputs.get("digest", "") == ""
    comparison = json.loads((ran.workspace / outputs["comparison-path"]).read_text())
    assert comparison["base"]["source"].startswith("trained here")
    assert any(gate["verdict"] == "fail" and gate["blocks"] for gate in comparison["gates"])
    assert len(comments) == 1
    assert "❌" in comments[0]["body"]
    assert checks["mlops-ci verdict"]["conclusion"] == "failure"
    assert ran.strangers() == []


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
    story = Story(main=(trained_by_the_job(),), change=(BETTER,))
    with a_day(machine, tmp_path, story) as day:
        first = day.push("first", ZEROS, day.scenario.base, with_training(MERGE, tmp_path))
        assert first.code == 0, first.log
        ran = day.open_pull_request("opened", OWN_TRAINING)
        assert ran.code == 0, ran.log
        assert ran.outputs()["verdict"] == "pass"
        comparison = json.loads((ran.workspace / ran.outputs()["comparison-path"]).read_text())
        assert comparison["rows"]["paired"] == 2000
        assert comparison["base"]["source"].startswith("the store")
        assert len(day.comments()) == 1
