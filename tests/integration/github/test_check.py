"""Checks: opened before work begins, joined, superseded, and closed always."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mlops_ci.errors import AccessError, ServiceError
from mlops_ci.github.checks import AGGREGATE, PREFIX, Annotation, Conclusive, Place
from mlops_ci.github.patience import Trouble
from tests.github_server.server import GitHub
from tests.integration.github.desk import CHECK, CHECKS, Desk

CHURN = f"{PREFIX}churn"
FINE = Conclusive("success", "churn is no worse", "**fine**")

# kind of the fault, what more of it
LOST: list[tuple[str, dict[str, Any]]] = [
    ("drop-before", {}),
    ("drop-after", {}),
    ("timeout-after", {"seconds": 0.1}),
    ("status-before", {}),
    ("status-after", {}),
    ("html", {}),
    ("truncated", {}),
    ("conflict", {}),
    ("retry-after", {"seconds": 3}),
    ("rate-limited", {}),
    ("rate-exhausted", {"seconds": 30}),
    ("slow", {"seconds": 0.1}),
]
faults = pytest.mark.parametrize(("kind", "more"), LOST, ids=[kind for kind, _ in LOST])


def remarks(count: int) -> tuple[Annotation, ...]:
    return tuple(Annotation("mlops-ci.yaml", at + 1, f"gate {at}", "no") for at in range(count))


def shown(desk: Desk) -> list[tuple[str, str, str | None]]:
    return [(found["name"], found["status"], found["conclusion"]) for found in desk.check_runs()]


def titles(desk: Desk, at: int = 0) -> list[str]:
    return [remark["title"] for remark in desk.check_runs()[at]["annotations"]]


def test_it_is_in_progress_and_leads_to_the_run(desk: Desk) -> None:
    check = desk.checks().open(AGGREGATE)
    (found,) = desk.check_runs()
    assert shown(desk) == [(AGGREGATE, "in_progress", None)]
    assert (found["head_sha"], found["id"]) == (desk.scenario.head, check.id)
    assert found["details_url"].endswith("/acme/churn/actions/runs/1")
    assert check.open
    assert check.url == f"{desk.github.url}/acme/churn/runs/{check.id}"


def test_it_is_completed_and_remembers_the_comment(desk: Desk) -> None:
    checks = desk.checks()
    checks.complete(checks.open(CHURN), FINE, Place(7, 123))
    (found,) = desk.check_runs()
    assert (found["status"], found["conclusion"]) == ("completed", "success")
    assert found["output"]["title"] == "churn is no worse"
    assert found["external_id"] == "mlops-ci run=1 attempt=1 job=0a comment=7/123"
    assert [check.place for check in desk.checks().listed()] == [Place(7, 123)]
    assert checks.opened == {}


def test_jobs_of_one_run_share_the_aggregate_and_not_their_models(desk: Desk) -> None:
    first, second = desk.checks(), replace(desk, leg="0b").checks()
    assert first.open(AGGREGATE).id == second.open(AGGREGATE).id
    assert first.open(CHURN).id != second.open(CHURN).id
    assert len(desk.check_runs()) == 3


def test_a_step_joins_what_an_earlier_step_of_the_job_completed(desk: Desk) -> None:
    first = desk.checks()
    first.complete(first.open(CHURN), replace(FINE, annotations=remarks(3)))
    second = desk.checks()
    check = second.open(CHURN)
    assert shown(desk) == [(CHURN, "in_progress", None)]
    second.complete(check, replace(FINE, annotations=remarks(3)))
    assert shown(desk) == [(CHURN, "completed", "success")]
    assert titles(desk) == ["gate 0", "gate 1", "gate 2"]


def test_what_a_lost_runner_left_open_is_superseded(desk: Desk) -> None:
    for attempt in (1, 2):
        replace(desk, attempt=attempt).checks().open(AGGREGATE)
    replace(desk, run=2).checks().open(AGGREGATE)
    assert shown(desk) == [
        (AGGREGATE, "completed", "cancelled"),
        (AGGREGATE, "completed", "cancelled"),
        (AGGREGATE, "in_progress", None),
    ]
    assert desk.check_runs()[0]["output"]["title"] == "Superseded by a later run"


def test_a_finished_run_s_check_stays_as_it_is(desk: Desk) -> None:
    first = desk.checks()
    first.complete(first.open(AGGREGATE), FINE)
    replace(desk, run=2).checks().open(AGGREGATE)
    assert shown(desk) == [(AGGREGATE, "completed", "success"), (AGGREGATE, "in_progress", None)]


def test_checks_of_others_are_not_touched(desk: Desk) -> None:
    app = replace(desk, token="app-token", run=0)
    app.checks().open(AGGREGATE)
    other = desk.client().write("POST", CHECKS, {"name": "build", "head_sha": desk.scenario.head})
    desk.checks().open(AGGREGATE)
    assert [found["status"] for found in desk.check_runs()] == [
        "in_progress",
        "queued",
        "in_progress",
    ]
    assert other["name"] == "build"


@pytest.mark.parametrize("count", [0, 1, 50, 51, 130])
def test_every_annotation_arrives_once(desk: Desk, count: int) -> None:
    checks = desk.checks()
    checks.complete(checks.open(CHURN), replace(FINE, annotations=remarks(count)))
    assert titles(desk) == [f"gate {at}" for at in range(count)]
    assert len(desk.calls("PATCH")) == max(1, -(-count // 50))


@faults
def test_annotations_are_not_doubled(desk: Desk, kind: str, more: dict[str, Any]) -> None:
    """The first of three batches, and the second."""
    checks = desk.checks()
    check = checks.open(CHURN)
    desk.github.fault(kind, "PATCH", CHECK, count=2, **more)
    checks.complete(check, replace(FINE, annotations=remarks(110)))
    assert titles(desk) == [f"gate {at}" for at in range(110)]
    assert shown(desk) == [(CHURN, "completed", "success")]


@faults
def test_a_lost_answer_makes_no_second_check(desk: Desk, kind: str, more: dict[str, Any]) -> None:
    desk.github.fault(kind, "POST", CHECKS, count=2, **more)
    checks = desk.checks()
    first, second = checks.open(AGGREGATE), checks.open(CHURN)
    assert [found["id"] for found in desk.check_runs()] == [first.id, second.id]
    checks.complete(first, FINE)
    checks.complete(second, FINE)
    assert {found["status"] for found in desk.check_runs()} == {"completed"}


@faults
def test_a_lost_answer_loses_no_conclusion(desk: Desk, kind: str, more: dict[str, Any]) -> None:
    checks = desk.checks()
    check = checks.open(AGGREGATE)
    desk.github.fault(kind, "PATCH", CHECK, count=2, **more)
    checks.complete(check, replace(FINE, conclusion="failure"))
    assert shown(desk) == [(AGGREGATE, "completed", "failure")]


@pytest.mark.parametrize("token", ["read-only-token", "pat-maintainer"])
def test_a_token_without_the_right_is_an_error_of_access(desk: Desk, token: str) -> None:
    with pytest.raises(Trouble) as caught:
        replace(desk, token=token).checks().open(AGGREGATE)
    assert caught.value.kind == "denied"
    posting = replace(desk, token=token).posting()
    posting.begin()
    (error,) = posting.errors
    assert isinstance(error, AccessError)
    assert ("checks: write" in error.fix) is (token == "read-only-token")
    assert ("leave `token` out" in error.fix) is (token == "pat-maintainer")


def test_a_commit_that_is_not_there_is_an_error(desk: Desk) -> None:
    with pytest.raises((Trouble, ServiceError)):
        desk.checks(sha="f" * 40).open(AGGREGATE)


@pytest.mark.parametrize("token", ["workflow-token", "app-token"])
def test_who_we_are_is_learnt_from_the_check(desk: Desk, token: str) -> None:
    checks = replace(desk, token=token).checks()
    checks.open(AGGREGATE)
    login = {"workflow-token": "github-actions[bot]", "app-token": "mlops-ci-bot[bot]"}[token]
    assert checks.identity.login == login
    joined = replace(desk, token=token).checks()
    joined.open(AGGREGATE)
    assert joined.identity.login == login
    assert "GET /user" not in desk.calls()


def test_a_page_of_checks_of_others_hide_none_of_ours(desk: Desk, github: GitHub) -> None:
    first = desk.checks()
    opened = first.open(AGGREGATE)
    checks = github.state.repository("acme/churn").checks
    ours = checks[opened.id]
    for at in range(110):
        checks[at + 1] = {**ours, "id": at + 1, "name": f"test {at}", "external_id": ""}
    assert [check.id for check in desk.checks().listed()] == [opened.id]
