"""Whatever the token may do, verdict and exit code stay."""

from __future__ import annotations

import pytest

from tests.integration.action.conftest import Play
from tests.integration.action.jobs import BETTER, PLAIN, WORSE, Ran, Runs


@pytest.fixture(scope="module")
def forked(play: Play) -> tuple[Runs, Ran]:
    runs = play(WORSE, main=(PLAIN,), fork="someone/churn", author="stranger")
    return runs, runs.pull_request(token="read-only-token")


def test_a_fork_is_judged_with_a_token_that_only_reads(forked: tuple[Runs, Ran]) -> None:
    runs, ran = forked
    assert (ran.code, ran.outputs["verdict"]) == (1, "fail"), ran.log
    assert (runs.comments, runs.checks()) == ([], {})
    assert (ran.outputs["comment-url"], ran.outputs["check-url"]) == ("", "")


def test_the_forks_report_is_in_the_summary(forked: tuple[Runs, Ran]) -> None:
    _, ran = forked
    assert ran.summary.startswith("> This pull request comes from a fork")
    assert "### ❌" in ran.summary
    assert "permissions:" not in ran.summary, "nobody can give a fork's token more rights"
    assert not ran.annotations("warning")


@pytest.fixture(scope="module")
def runs(play: Play) -> Runs:
    return play(BETTER, main=(PLAIN,))


def test_without_a_token_the_summary_says_what_is_missing(runs: Runs) -> None:
    before = len(runs.github.requests)
    ran = runs.pull_request(inputs={"token": ""})
    assert (ran.code, ran.outputs["verdict"]) == (0, "pass"), ran.log
    asked = [found["path"] for found in runs.github.requests[before:]]
    assert [path for path in asked if "/repos/" in path] == []
    assert "there is no token" in ran.summary
    assert "token: ${{ github.token }}" in ran.summary


def test_without_the_right_to_checks_the_note_holds_what_to_paste(runs: Runs) -> None:
    token = runs.allow("no-checks", contents="read", pull_requests="write")
    ran = runs.pull_request(token=token, run_id=2)
    assert (ran.code, ran.outputs["verdict"]) == (0, "pass")
    assert len(runs.comments) == 1
    assert "checks: write" in ran.summary
    assert ran.outputs["check-url"] == ""
    (warning,) = ran.annotations("warning")
    assert "pull-requests: write\n" in warning.message


def test_without_the_right_to_comment_the_note_holds_what_to_paste(runs: Runs) -> None:
    token = runs.allow("no-comments", contents="read", checks="write")
    ran = runs.pull_request(token=token, run_id=3)
    assert (ran.code, ran.outputs["verdict"]) == (0, "pass")
    assert runs.conclusions()["mlops-ci verdict"] == "success"
    assert "the comment was not posted" in ran.summary
    assert "pull-requests: write" in ran.summary
    assert ran.outputs["comment-url"] == ""
    assert "### ✅" in ran.summary


def test_a_token_that_is_no_longer_valid_changes_no_verdict(runs: Runs) -> None:
    ran = runs.pull_request(token="forgotten", run_id=4)
    assert (ran.code, ran.outputs["verdict"]) == (0, "pass")
    assert "the token is not valid" in ran.summary
