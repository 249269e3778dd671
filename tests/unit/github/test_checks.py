"""What a check says of itself, what many say together, and what fits into one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.github.checks import (
    AGGREGATE,
    ANNOTATIONS,
    PREFIX,
    SEVERITY,
    TEXT_BYTES,
    TITLE_CHARACTERS,
    Annotation,
    Check,
    Checks,
    Conclusive,
    Job,
    Place,
    others,
    read_check,
    remembered_comment,
    worst,
)
from mlops_ci.github.identity import Identity
from mlops_ci.github.patience import Trouble
from tests.unit.github.scripted import Script, scripted, unclear

SHA = "a" * 40
JOB = Job(12, 2, "0a1b2c")
CHURN, FRAUD = f"{PREFIX}churn", f"{PREFIX}fraud"


def raw(number: int = 1, name: str = CHURN, job: Job = JOB, **more: Any) -> dict[str, Any]:
    place = more.pop("place", None)
    return {
        "id": number,
        "name": name,
        "status": "in_progress",
        "conclusion": None,
        "external_id": job.external_id(place),
        "html_url": f"https://example.org/{number}",
        "output": {"annotations_count": 0},
        "app": {"slug": "github-actions"},
        **more,
    }


def check(number: int = 1, name: str = CHURN, job: Job = JOB, **more: Any) -> Check:
    found = read_check(raw(number, name, job, **more))
    assert found is not None
    return found


def checks(*answers: Any, job: Job = JOB) -> tuple[Checks, Script]:
    client, script = scripted(*answers)
    return Checks(client, Identity(client), "acme/churn", SHA, job), script


@given(
    st.integers(0, 10**12),
    st.integers(1, 99),
    st.text("0123456789abcdef", min_size=1, max_size=40),
    st.none() | st.builds(Place, st.integers(1, 10**9), st.integers(1, 10**15)),
)
def test_an_external_id_says_whose_a_check_is(
    run: int, attempt: int, leg: str, place: Place | None
) -> None:
    found = read_check({**raw(), "external_id": Job(run, attempt, leg).external_id(place)})
    assert found is not None
    assert (found.run, found.attempt, found.leg, found.place) == (run, attempt, leg, place)


@pytest.mark.parametrize(
    "other",
    [
        {"external_id": ""},
        {"external_id": None},
        {"external_id": "mlops-ci run=1 attempt=1 job=zz"},
        {"external_id": JOB.external_id() + "; rm -rf /"},
        {"external_id": "x" + JOB.external_id()},
        {"name": "build"},
        {"name": None},
        {"id": "1"},
        {"id": None},
    ],
)
def test_a_check_of_another_tool_is_none_of_ours(other: dict[str, Any]) -> None:
    assert read_check({**raw(), **other}) is None


def test_the_worst_of_many_is_theirs() -> None:
    assert worst(["success", "neutral"]) == "neutral"
    assert worst(["success", "cancelled", "neutral"]) == "cancelled"
    assert worst(SEVERITY) == "failure"
    assert worst([]) == "success"


@pytest.mark.parametrize("unknown", [None, "timed_out", "action_required", "stale", "skipped", ""])
def test_what_we_do_not_know_is_a_failure(unknown: str | None) -> None:
    assert worst(["success", unknown]) == "failure"


def test_of_other_models_the_newest_check_counts() -> None:
    listed = [
        check(5, FRAUD, status="completed", conclusion="failure"),
        check(9, FRAUD, status="completed", conclusion="success"),
        check(7, AGGREGATE),
        check(8, CHURN),
    ]
    assert [found.id for found in others(listed, [CHURN])] == [9]
    assert [found.id for found in others(listed, [])] == [9, 8]


def test_the_last_comment_of_this_pull_request_is_remembered() -> None:
    listed = [
        check(1, place=Place(7, 100)),
        check(2, place=Place(7, 200)),
        check(3, place=Place(8, 300)),
        check(4),
    ]
    assert remembered_comment(listed, 7) == 200
    assert remembered_comment(listed, 8) == 300
    assert remembered_comment(listed, 9) is None


def ends(conclusive: Conclusive, *, before: int = 0, lost: int = 0) -> list[dict[str, Any]]:
    """The bodies of the requests that complete a check."""
    answers: list[Any] = [raw(status="completed") for _ in range(20)]
    ours, script = checks(*[unclear() for _ in range(lost)], *answers)
    ours.complete(replace(check(), annotations=before), conclusive, Place(7, 100))
    return [body for _, _, _, body in script.calls]


def remarks(count: int) -> tuple[Annotation, ...]:
    return tuple(Annotation("mlops-ci.yaml", 1 + at, f"t{at}", "m") for at in range(count))


@pytest.mark.parametrize(("count", "batches"), [(0, 1), (1, 1), (50, 1), (51, 2), (120, 3)])
def test_annotations_go_out_by_fifty(count: int, batches: int) -> None:
    bodies = ends(Conclusive("failure", "no", "text", remarks(count)))
    assert len(bodies) == batches
    sent = [remark for body in bodies for remark in body["output"].get("annotations", [])]
    assert [remark["title"] for remark in sent] == [f"t{at}" for at in range(count)]
    assert all(len(body["output"].get("annotations", [])) <= ANNOTATIONS for body in bodies)
    assert {body["conclusion"] for body in bodies} == {"failure"}


def test_annotations_that_an_earlier_step_left_are_not_said_again() -> None:
    bodies = ends(Conclusive("failure", "no", "text", remarks(53)), before=52)
    assert [found["title"] for found in bodies[0]["output"]["annotations"]] == ["t52"]
    assert (
        "annotations"
        not in ends(Conclusive("failure", "no", "", remarks(3)), before=3)[0]["output"]
    )


def test_a_batch_that_arrived_without_an_answer_is_not_sent_again() -> None:
    arrived = raw(status="completed", output={"annotations_count": 50})
    ours, script = checks(unclear(), arrived, raw())
    ours.complete(check(), Conclusive("failure", "no", "text", remarks(51)))
    assert script.verbs == ["PATCH", "GET", "PATCH"]
    assert len(script.calls[2][3]["output"]["annotations"]) == 1


def test_a_batch_that_did_not_arrive_is_sent_again() -> None:
    ours, script = checks(unclear(), raw(), raw())
    ours.complete(check(), Conclusive("failure", "no", "text", remarks(2)))
    assert script.verbs == ["PATCH", "GET", "PATCH"]
    assert script.calls[0] == script.calls[2]


@given(st.text(max_size=400), st.text(max_size=300))
def test_title_and_summary_are_texts_that_fit(title: str, summary: str) -> None:
    (body,) = ends(Conclusive("success", title, summary * 400))
    assert len(body["output"]["title"]) <= TITLE_CHARACTERS
    assert "\n" not in body["output"]["title"]
    assert len(body["output"]["summary"].encode()) <= TEXT_BYTES


def test_a_long_summary_ends_between_two_rows() -> None:
    row = "| é | 😀 |\n"
    (body,) = ends(Conclusive("success", "fine", row * 10_000))
    summary = body["output"]["summary"]
    assert summary == row * summary.count("\n")
    assert TEXT_BYTES - 20 < len(summary.encode()) <= TEXT_BYTES


@given(st.text(max_size=400), st.text(max_size=100))
def test_an_annotation_fits(title: str, message: str) -> None:
    body = Annotation("mlops-ci.yaml", 3, title, message * 200).body()
    assert len(body["title"]) <= 255
    assert len(body["message"].encode("utf-8", "replace")) <= 64 * 1024
    assert (body["start_line"], body["end_line"]) == (3, 3)


def test_a_check_that_github_answers_with_another_is_an_error() -> None:
    ours, _ = checks({"check_runs": []}, raw(name="build"))
    with pytest.raises(Exception, match="not the one asked for"):
        ours.open(CHURN)


def test_another_app_s_check_is_left_open() -> None:
    older = raw(1, AGGREGATE, Job(11, 1, "0a"))
    refused = Trouble("denied", "Invalid app_id", 403)
    ours, script = checks({"check_runs": [older]}, raw(2, AGGREGATE), refused)
    assert ours.open(AGGREGATE).id == 2
    assert script.verbs == ["GET", "POST", "PATCH"]


def test_a_newer_run_is_not_superseded_by_an_older_one() -> None:
    newer = raw(1, AGGREGATE, Job(13, 1, "0a"))
    ours, script = checks({"check_runs": [newer]}, raw(2, AGGREGATE))
    assert ours.open(AGGREGATE).id == 2
    assert script.verbs == ["GET", "POST"]
