"""What each event asks for, beside a pull request that was opened."""

from __future__ import annotations

import pytest

from tests.github_server.runner import Job
from tests.integration.action.conftest import Play
from tests.integration.action.jobs import BETTER, PLAIN, PROJECT, Ran, Runs, Seen

STORE = "refs/mlops-ci/store"


def pushed(runs: Runs, before: str, after: str, ref: str, run_id: int) -> Ran:
    payload = runs.scenario.events(runs.github).push(before, after, ref)
    return runs.job(Job("push", payload, runs.checkout(after), run_id=run_id))


@pytest.fixture(scope="module")
def runs(play: Play) -> Runs:
    """The pull request changes the parameters; main has two commits that train alike."""
    return play(BETTER, main=(PROJECT, {"train.py": PROJECT["train.py"] + "# a remark\n"}))


@pytest.fixture(scope="module")
def elsewhere(runs: Runs) -> tuple[Seen, bool]:
    """A push to another branch, and whether the store was there after it."""
    scenario = runs.scenario
    ran = pushed(runs, scenario.base, scenario.head, f"refs/heads/{scenario.branch}", 1)
    return runs.seen(ran), stored(runs)


@pytest.fixture(scope="module")
def merged(elsewhere: tuple[Seen, bool], runs: Runs) -> Seen:
    """A push to the default branch, of a model that has no image."""
    assert elsewhere
    before = runs.scenario.checkout.git("rev-parse", f"{runs.scenario.base}^")
    return runs.seen(pushed(runs, before, runs.scenario.base, "refs/heads/main", 2))


@pytest.fixture(scope="module")
def plain(play: Play) -> Runs:
    return play(BETTER, main=(PLAIN, {"train.py": PLAIN["train.py"] + "# a remark\n"}))


def stored(runs: Runs) -> bool:
    git = runs.github.state.repository(runs.scenario.full_name).git
    return git.ref(STORE) is not None


def test_a_push_to_another_branch_is_judged_and_writes_no_store(
    elsewhere: tuple[Seen, bool],
) -> None:
    seen, has_store = elsewhere
    assert (seen.ran.code, seen.ran.outputs["verdict"]) == (0, "pass"), seen.ran.log
    assert set(seen.conclusions.values()) == {"success"}
    assert (seen.comments, has_store) == ([], False)
    assert seen.ran.outputs["comment-url"] == ""


def test_a_push_to_the_default_branch_writes_the_store(merged: Seen, runs: Runs) -> None:
    assert (merged.ran.code, merged.ran.outputs["verdict"]) == (0, "pass"), merged.ran.log
    assert "churn · store" in merged.ran.log
    assert stored(runs)
    assert (merged.ran.outputs["image"], merged.ran.outputs["deployed-url"]) == ("", "")


def test_a_pull_request_finds_its_base_in_the_store(merged: Seen, runs: Runs) -> None:
    assert merged.ran.code == 0
    ran = runs.pull_request(run_id=3)
    assert (ran.code, ran.outputs["verdict"]) == (0, "pass")
    assert "in a worktree" not in ran.log
    assert ran.log.count("trained on 2000 rows") == 1


def test_a_merge_group_gets_checks_on_its_own_commit(plain: Runs) -> None:
    payload = plain.scenario.events(plain.github).merge_group(plain.scenario.number)
    head = payload["merge_group"]["head_sha"]
    comments = len(plain.comments)
    ran = plain.job(Job("merge_group", payload, plain.checkout(head), run_id=4))
    assert (ran.code, ran.outputs["verdict"]) == (0, "pass"), ran.log
    assert plain.conclusions(head)["mlops-ci verdict"] == "success"
    assert len(plain.comments) == comments
    assert f"at `{payload['merge_group']['base_sha'][:7]}`" in ran.summary


def test_a_dispatch_judges_the_branch_that_it_was_started_on(plain: Runs) -> None:
    payload = plain.scenario.events(plain.github).workflow_dispatch({}, ".github/workflows/x.yml")
    workspace = plain.checkout(plain.scenario.base)
    ran = plain.job(Job("workflow_dispatch", payload, workspace, run_id=5))
    assert (ran.code, ran.outputs["verdict"]) == (0, "pass"), ran.log
    assert plain.conclusions(plain.scenario.base)["mlops-ci verdict"] == "success"


def test_a_closed_pull_request_asks_for_nothing(plain: Runs) -> None:
    job = plain.pull_job()
    job.payload["action"] = "closed"
    asked = len(plain.github.requests)
    ran = plain.job(job)
    assert (ran.code, ran.outputs["verdict"]) == (0, "untouched"), ran.log
    assert len(plain.github.requests) == asked
    assert not (ran.workspace / ".mlops-ci").exists()


def test_a_merge_that_ended_badly_is_made_up_for_by_the_next(play: Play) -> None:
    runs = play(BETTER, main=(PLAIN, {"README.md": "# churn, explained\n"}))
    before = runs.scenario.checkout.git("rev-parse", f"{runs.scenario.base}^")
    first = pushed(runs, before, runs.scenario.base, "refs/heads/main", 1)
    assert (first.code, first.outputs["verdict"]) == (0, "pass"), first.log
    assert stored(runs)
    again = pushed(runs, before, runs.scenario.base, "refs/heads/main", 2)
    assert (again.code, again.outputs["verdict"]) == (0, "untouched"), again.log
