"""A pull request's day: judged, judged again, pushed to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_ci.action.results import OUTPUTS
from tests.integration.action.conftest import Play
from tests.integration.action.jobs import (
    BETTER,
    PLAIN,
    PROJECT,
    UNCLEAR,
    WORSE,
    Ran,
    Runs,
    Seen,
    strangers,
)

BROKEN = {"train.py": "print('::error::forged')\nraise SystemExit('no such column: age')\n"}


@pytest.fixture(scope="module")
def better(play: Play) -> Runs:
    return play(BETTER)


@pytest.fixture(scope="module")
def seen(better: Runs) -> Seen:
    return better.seen(better.pull_request())


@pytest.fixture(scope="module")
def passed(seen: Seen) -> Ran:
    return seen.ran


def test_the_exit_code_and_the_checks_say_pass(seen: Seen) -> None:
    assert seen.ran.code == 0, seen.ran.log
    assert seen.conclusions == {"mlops-ci verdict": "success", "mlops-ci: churn": "success"}


def test_one_comment_has_the_verdict(seen: Seen, better: Runs) -> None:
    (comment,) = seen.comments
    assert comment["author"] == "github-actions[bot]"
    assert "### ✅" in comment["body"]
    assert "accuracy" in comment["body"]
    assert f"{better.github.url}/acme/churn/actions/runs/1" in comment["body"]


def test_the_summary_is_the_comments_report(seen: Seen) -> None:
    (comment,) = seen.comments
    report = comment["body"].split("-->\n", 2)[2].rsplit("\n<!-- /mlops-ci:part", 1)[0]
    assert report.rstrip() == seen.ran.summary.rstrip()


def test_all_outputs_are_there(seen: Seen, better: Runs) -> None:
    found = seen.ran.outputs
    assert list(found) == list(OUTPUTS)
    assert found["verdict"] == "pass"
    assert found["comment-url"].endswith(f"/pull/7#issuecomment-{seen.comments[0]['id']}")
    first = min(better.github.state.repository("acme/churn").checks)
    assert found["check-url"].endswith(f"/acme/churn/runs/{first}")
    assert (found["image"], found["digest"], found["deployed-url"]) == ("", "", "")


def test_the_paths_of_outputs_lead_to_files_in_the_workspace(passed: Ran) -> None:
    for name in ("report-path", "comparison-path"):
        path = passed.outputs[name]
        assert not Path(path).is_absolute()
        assert (passed.workspace / path).is_file()
    comparison = json.loads((passed.workspace / passed.outputs["comparison-path"]).read_text())
    assert comparison["verdict"] == "pass"


def test_the_log_folds_every_step_and_stops_commands_inside(passed: Ran) -> None:
    titles = [command.message for command in passed.commands if command.name == "group"]
    steps = [title.split("  ")[0] for title in titles]
    assert steps == ["churn · " + step for step in ("train", "evaluate", "train", "compare")]
    assert "trained on 2000 rows" in passed.log
    assert "::add-mask::workflow-token" in passed.log
    assert passed.log.count("workflow-token") == 1
    assert not passed.annotations("error")


def test_what_was_written_belongs_to_the_workspaces_owner(passed: Ran) -> None:
    assert (passed.workspace / ".mlops-ci").is_dir()
    assert strangers(passed.workspace) == []


def test_the_post_step_finds_nothing_to_do(passed: Ran, better: Runs) -> None:
    asked = len(better.github.requests)
    job = better.pull_job(workspace=passed.workspace)
    post = better.job(job, "post", states=passed.state)
    assert (post.code, post.log) == (0, "::add-mask::workflow-token\n")
    assert len(better.github.requests) == asked


@pytest.fixture(scope="module")
def later(passed: Ran, better: Runs) -> tuple[Seen, Seen, Seen]:
    """Judged; judged again; judged after a push."""
    first = better.seen(passed)
    again = better.seen(better.pull_request(run_id=2))
    better.push(WORSE)
    before = better.scenario.head
    pushed = better.pull_request(run_id=3, action="synchronize", before=before)
    return first, again, better.seen(pushed)


def test_a_second_run_keeps_the_comment_and_its_commit(later: tuple[Seen, Seen, Seen]) -> None:
    first, again, _ = later
    assert again.ran.code == 0
    (comment,) = again.comments
    assert "actions/runs/2" in comment["body"]
    assert "actions/runs/1" not in comment["body"]
    assert again.ran.outputs["comment-url"] == first.ran.outputs["comment-url"]
    assert again.conclusions == first.conclusions
    assert again.ran.outputs["check-url"] != first.ran.outputs["check-url"]


def test_a_new_push_moves_the_comment_to_its_commit(
    later: tuple[Seen, Seen, Seen], better: Runs
) -> None:
    first, _, pushed = later
    assert (pushed.ran.code, pushed.ran.outputs["verdict"]) == (1, "fail")
    (comment,) = pushed.comments
    assert comment["id"] == first.comments[0]["id"]
    assert "### ❌" in comment["body"]
    assert pushed.commit in comment["body"]
    assert first.commit not in comment["body"]
    assert set(pushed.conclusions.values()) == {"failure"}
    assert set(better.conclusions(first.commit).values()) == {"success"}


def test_a_worse_model_fails(play: Play) -> None:
    runs = play(WORSE)
    ran = runs.pull_request()
    assert (ran.code, ran.outputs["verdict"]) == (1, "fail")
    wanted = {"mlops-ci verdict": "failure", "mlops-ci: churn": "failure"}
    assert runs.conclusions() == wanted
    remark, changed = runs.checks()["mlops-ci: churn"]["annotations"]
    assert (remark["path"], remark["annotation_level"]) == ("mlops-ci.yaml", "failure")
    assert (changed["path"], changed["start_line"]) == ("params.yaml", 1)
    assert (changed["annotation_level"], changed["message"]) == ("notice", "0.8 → 0.75")
    line = PROJECT["mlops-ci.yaml"].splitlines()[remark["start_line"] - 1]
    assert "accuracy" in line
    assert "### ❌" in ran.summary


def test_a_difference_too_small_for_its_rows_is_inconclusive(play: Play) -> None:
    runs = play(UNCLEAR)
    ran = runs.pull_request()
    assert (ran.code, ran.outputs["verdict"]) == (0, "inconclusive")
    assert set(runs.conclusions().values()) == {"neutral"}


def test_a_first_run_holds_floors_alone(play: Play) -> None:
    """Nothing was there before the pull request brought model and configuration."""
    runs = play(PROJECT, main=({"README.md": "# churn\n"},))
    ran = runs.pull_request()
    assert ran.code == 0, ran.log
    assert set(runs.conclusions().values()) == {"success"}
    assert runs.comments


@pytest.fixture(scope="module")
def untrained(play: Play) -> tuple[Runs, Ran]:
    runs = play(BROKEN, main=(PLAIN,))
    return runs, runs.pull_request()


def test_a_training_that_fails_is_an_error(untrained: tuple[Runs, Ran]) -> None:
    runs, ran = untrained
    assert (ran.code, ran.outputs["verdict"], ran.outputs["comparison-path"]) == (6, "error", "")
    wanted = {"mlops-ci verdict": "failure", "mlops-ci: churn": "failure"}
    assert runs.conclusions() == wanted


def test_its_comment_shows_the_last_lines_and_a_path_of_the_workspace(
    untrained: tuple[Runs, Ran],
) -> None:
    runs, _ = untrained
    (comment,) = runs.comments
    body = comment["body"]
    assert "no such column: age" in body
    assert f"**Where:** `.mlops-ci/churn/{runs.scenario.head}/train.log`" in body
    assert str(runs.folder) not in body
    assert "\n\n\n" not in body


def test_its_annotation_and_its_log_name_the_model_once(untrained: tuple[Runs, Ran]) -> None:
    _, ran = untrained
    (annotation,) = ran.annotations("error")
    assert annotation.properties["title"] == "mlops-ci: churn"
    assert annotation.message.startswith("training failed with exit code 1")
    assert "churn: churn" not in ran.log
    assert str(ran.workspace) not in ran.log
