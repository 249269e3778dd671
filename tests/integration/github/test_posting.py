"""One job's dealings with GitHub from its first check to its last."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from mlops_ci.github.checks import AGGREGATE, PREFIX, Conclusion, Conclusive
from mlops_ci.github.comments import DELETED
from mlops_ci.github.posting import FORK, Posting
from tests.github_server.scenario import Scenario, Story
from tests.github_server.server import GitHub
from tests.integration.github.desk import CHECK, CHECKS, COMMENT, COMMENTS, Desk, together
from tests.waiting import PATIENCE

CHURN, FRAUD = f"{PREFIX}churn", f"{PREFIX}fraud"
MOST_CALLS = 8  # for one run with one model


def work(
    desk: Desk,
    names: Sequence[str] = (CHURN,),
    conclusion: Conclusion = "success",
    meanwhile: Callable[[], Any] = lambda: None,
    **more: Any,
) -> Posting:
    """What a job does: open, judge (`meanwhile`), comment, complete."""
    posting = desk.posting(**more)
    models = tuple(name.removeprefix(PREFIX) for name in names)
    posting.begin(alone=models == ("churn",))
    for name in names:
        posting.begin_model(name)
    meanwhile()
    legs = () if models == ("churn",) else models
    ours = desk.ours(f"### {' '.join(models)} in run {desk.run}\n", *legs)
    posting.comment(lambda current: replace(ours, current=current), desk.world().monotonic)
    result = Conclusive(conclusion, f"{' '.join(models)}: {conclusion}", "text")
    for name in names:
        posting.conclude_model(name, result)
    posting.conclude(result, list(names))
    return posting


def shown(desk: Desk) -> dict[str, str | None]:
    """The newest of each name, as a pull request shows them."""
    return {found["name"]: found["conclusion"] for found in desk.check_runs()}


def fine(posting: Posting) -> None:
    assert (posting.errors, posting.notes, posting.open_checks) == ([], [], False)


def test_a_run_with_one_model_stays_within_its_calls(desk: Desk) -> None:
    posting = work(desk)
    fine(posting)
    assert shown(desk) == {AGGREGATE: "success", CHURN: "success"}
    assert posting.comment_url == f"{desk.github.url}/acme/churn/pull/7#issuecomment-" + str(
        desk.comments()[0]["id"]
    )
    assert posting.check_url.startswith(f"{desk.github.url}/acme/churn/runs/")
    assert len(desk.calls()) <= MOST_CALLS, "\n".join(desk.calls())


def test_the_next_push_stays_within_them_too(desk: Desk) -> None:
    work(desk)
    before = len(desk.calls())
    desk.github.state.repository("acme/churn").checks.clear()  # they are the other commit's
    fine(work(replace(desk, run=2), action="synchronize", before=desk.scenario.base))
    assert [part.text for part in desk.parts()] == ["### churn in run 2\n"]
    assert len(desk.calls()) - before <= MOST_CALLS, "\n".join(desk.calls()[before:])


def test_running_again_replaces_what_is_there(desk: Desk) -> None:
    fine(work(desk, conclusion="failure"))
    fine(work(replace(desk, attempt=2)))
    assert shown(desk) == {AGGREGATE: "success", CHURN: "success"}
    assert len(desk.bodies()) == 1


@pytest.mark.parametrize("action", ["reopened", "synchronize"])
def test_a_deleted_comment_is_respected_and_said(desk: Desk, action: str) -> None:
    work(desk)
    desk.github.state.repository("acme/churn").comments.clear()
    posting = work(replace(desk, attempt=2), action=action, before=desk.scenario.base)
    assert desk.bodies() == []
    assert posting.notes == [f"{DELETED[0].upper()}{DELETED[1:]}."]
    assert posting.comment_url == ""
    assert shown(desk) == {AGGREGATE: "success", CHURN: "success"}
    third = work(replace(desk, run=3), action="reopened")
    assert (desk.bodies(), len(third.notes)) == ([], 1)


def test_it_is_remembered_from_the_commit_before(desk: Desk) -> None:
    """The comment's id lies on the checks of the commit that was pushed over."""
    work(desk)
    repository = desk.github.state.repository("acme/churn")
    repository.comments.clear()
    for check in repository.checks.values():
        check["head_sha"] = desk.scenario.base
    posting = work(replace(desk, run=2), action="synchronize", before=desk.scenario.base)
    assert (desk.bodies(), len(posting.notes)) == ([], 1)


def test_another_pull_request_of_the_commit_keeps_its_own_comment(desk: Desk) -> None:
    work(desk)
    repository = desk.github.state.repository("acme/churn")
    repository.comments.clear()
    for check in repository.checks.values():
        check["external_id"] = check["external_id"].replace("comment=7/", "comment=8/")
    fine(work(replace(desk, attempt=2), action="reopened"))
    assert len(desk.bodies()) == 1


def test_a_fork_s_token_posts_nothing_and_says_why_once(
    start_github: Callable[[Story], tuple[Scenario, GitHub]],
) -> None:
    scenario, github = start_github(Story(fork="someone/churn", author="stranger"))
    desk = Desk(github, scenario, token="read-only-token")
    posting = work(desk, fork=True)
    assert posting.notes == [FORK]
    assert posting.errors == []
    assert (posting.comment_url, posting.check_url, desk.bodies()) == ("", "", [])


def test_a_token_that_only_reads_is_no_fork(desk: Desk) -> None:
    posting = work(replace(desk, token="read-only-token"))
    assert posting.notes == []
    assert [error.exit_code for error in posting.errors] == [5, 5]
    assert all("permissions:" in error.fix for error in posting.errors)


@pytest.mark.parametrize(
    ("token", "author", "checks"),
    [
        ("workflow-token", "github-actions[bot]", 2),
        ("app-token", "mlops-ci-bot[bot]", 2),
        ("pat-dev", "dev", 0),
    ],
)
def test_each_token_writes_under_its_own_name(
    desk: Desk, token: str, author: str, checks: int
) -> None:
    theirs = replace(desk, token=token)
    work(theirs)
    work(replace(theirs, run=2), action="reopened")
    assert [comment["author"] for comment in desk.comments()] == [author]
    assert len(desk.check_runs()) == 2 * checks


def test_on_github_enterprise_all_lies_below_a_path(desk: Desk) -> None:
    enterprise = replace(desk, api=desk.github.enterprise_api)
    fine(work(enterprise))
    fine(work(replace(enterprise, run=2), action="reopened"))
    assert [part.text for part in desk.parts()] == ["### churn in run 2\n"]


# Several jobs.


def leg(desk: Desk, name: str, **more: Any) -> Callable[[], Posting]:
    one = replace(desk, leg=name.encode().hex()[-8:], longest=1)
    return lambda: work(one, (f"{PREFIX}{name}",), **more)


def test_the_last_job_completes_the_check_to_require(desk: Desk) -> None:
    """One runs from beginning to end while the other is at work."""
    seen: list[Any] = []

    def meanwhile() -> None:
        fine(leg(desk, "fraud")())
        seen.append(shown(desk))

    fine(leg(desk, "risk", meanwhile=meanwhile)())
    assert seen == [{AGGREGATE: None, FRAUD: "success", f"{PREFIX}risk": None}]
    assert shown(desk) == {AGGREGATE: "success", FRAUD: "success", f"{PREFIX}risk": "success"}


def test_the_worst_of_all_jobs_is_its_conclusion(desk: Desk) -> None:
    for name, conclusion in (("a", "success"), ("b", "failure"), ("c", "neutral")):
        fine(leg(desk, name, conclusion=conclusion)())
    assert shown(desk)[AGGREGATE] == "failure"
    (aggregate,) = [found for found in desk.check_runs() if found["name"] == AGGREGATE]
    assert aggregate["output"]["title"] == f"failure: {PREFIX}b"


def test_jobs_at_the_same_moment_leave_no_check_open(desk: Desk) -> None:
    """All look before any opens, so each makes a check to require of its own."""
    ready = threading.Barrier(4)
    desk.github.fault("together", "POST", CHECKS, count=4, seconds=PATIENCE)
    posted = together(
        *(leg(desk, name, conclusion=conclusion, meanwhile=lambda: ready.wait(PATIENCE))
          for name, conclusion in zip("abcd", ("success", "failure", "neutral", "success"), strict=True))
    )  # fmt: skip
    for posting in posted:
        fine(posting)
    aggregates = [found for found in desk.check_runs() if found["name"] == AGGREGATE]
    assert {found["conclusion"] for found in aggregates} == {"failure"}
    assert len(desk.parts()) == 4


def test_a_job_that_was_killed_blocks(desk: Desk) -> None:
    """Its runner is gone: no post step. The other job leaves the check to require open."""
    killed = replace(desk, leg="dead").posting()
    killed.begin()
    killed.begin_model(FRAUD)
    fine(leg(desk, "risk")())
    assert shown(desk) == {AGGREGATE: None, FRAUD: None, f"{PREFIX}risk": "success"}
    fine(work(replace(desk, leg="dead", attempt=2), (FRAUD,), action="reopened"))
    assert shown(desk)[AGGREGATE] == "success"
    assert {found["status"] for found in desk.check_runs()} == {"completed"}


def test_the_post_step_closes_what_a_job_left_open(desk: Desk) -> None:
    begun = desk.posting()
    begun.begin()
    begun.begin_model(CHURN)
    assert begun.open_checks
    desk.posting().close("cancelled", "Ended without a verdict", "It was cancelled.")
    assert shown(desk) == {AGGREGATE: "cancelled", CHURN: "cancelled"}
    assert {found["output"]["title"] for found in desk.check_runs()} == {"Ended without a verdict"}


@pytest.mark.parametrize("other", [{"leg": "0b"}, {"run": 2}, {"attempt": 2}])
def test_the_post_step_touches_no_other_job(desk: Desk, other: dict[str, Any]) -> None:
    """Not the check to require either, which a job beside it shares."""
    for one, name in ((desk, CHURN), (replace(desk, **other), FRAUD)):
        begun = one.posting()
        begun.begin()
        begun.begin_model(name)
    desk.posting().close("cancelled", "Ended without a verdict", "It was cancelled.")
    assert shown(desk) == {AGGREGATE: None, CHURN: "cancelled", FRAUD: None}


def test_a_job_that_ended_well_leaves_the_post_step_nothing(desk: Desk) -> None:
    work(desk)
    before = desk.check_runs()
    desk.posting().close("cancelled", "Ended without a verdict", "It was cancelled.")
    assert desk.check_runs() == before
    assert shown(desk) == {AGGREGATE: "success", CHURN: "success"}


# Faults.


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", CHECKS), ("PATCH", CHECK), ("POST", COMMENTS), ("PATCH", COMMENT), ("GET", ".*")],
)
@pytest.mark.parametrize("kind", ["html", "accepted"])
def test_github_being_down_is_said_and_never_raised(
    desk: Desk, method: str, path: str, kind: str
) -> None:
    if kind == "accepted" and method == "GET":
        kind = "truncated"  # a 202 to a read is PyGithub's to wait for
    if path != COMMENTS:
        work(replace(desk, run=0))
    before = desk.bodies()
    desk.github.fault(kind, method, path, count=-1)
    posting = work(desk, action="reopened")
    assert posting.errors
    assert {error.exit_code for error in posting.errors} <= {4}
    assert len(desk.bodies()) == len(before)


def test_github_that_is_back_when_the_job_ends_gets_its_checks(desk: Desk) -> None:
    desk.github.fault("html", "POST", CHECKS, count=5)
    fine(work(desk))
    assert shown(desk) == {AGGREGATE: "success", CHURN: "success"}
    assert {found["status"] for found in desk.check_runs()} == {"completed"}


@pytest.mark.parametrize("answer", [b"[]", b"{}", b"null", b'"text"', b"7", b'{"id": "x"}', b""])
def test_an_answer_of_another_shape_is_said_and_never_raised(desk: Desk, answer: bytes) -> None:
    from tests.github_server.messages import Response

    plain = desk.github.answer

    def broken(request: Any) -> Response:
        found = plain(request)
        return Response(found.status, None, found.headers, answer) if found.status < 300 else found

    desk.github.answer = broken  # type: ignore[method-assign]
    posting = work(desk, action="reopened")
    posting.close("cancelled", "x", "y")
    assert posting.errors or answer == b"[]"
