"""The templates that users copy, unchanged, through the images, against a GitHub on loopback."""

from __future__ import annotations

import json
import re

import pytest
import requests

from tests.e2e.runner import TOKEN
from tests.e2e.story import MODEL, Told
from tests.waiting import PATIENCE

AGGREGATE = "mlops-ci verdict"


def test_the_first_push_ships_with_nothing_to_compare_with(told: Told) -> None:
    assert told.first.code == 0, told.first.log
    assert told.first.outputs()["digest"].startswith("sha256:")


def test_the_pull_request_has_one_comment_of_ours_with_the_verdict(told: Told) -> None:
    assert told.opened.code == 0, told.opened.log
    assert len(told.comments) == 1
    assert f"✅ `{MODEL}` is better" in told.comments[0]["body"]
    assert "**May be merged**" in told.comments[0]["body"]


def test_the_checks_of_the_head_commit_are_completed(told: Told) -> None:
    assert AGGREGATE in told.checks
    assert len(told.checks) == 2, "one to require, one for the model"
    assert {check["status"] for check in told.checks.values()} == {"completed"}
    assert {check["conclusion"] for check in told.checks.values()} == {"success"}


def test_outputs_and_summary_of_the_pull_request(told: Told) -> None:
    outputs = told.opened.outputs()
    assert outputs["verdict"] == "pass"
    assert (told.opened.workspace / outputs["comparison-path"]).is_file()
    assert (told.opened.workspace / outputs["report-path"]).is_file()
    assert outputs["comment-url"].startswith(told.day.github.url)
    assert outputs["check-url"].startswith(told.day.github.url)
    assert MODEL in told.opened.summary()


@pytest.mark.parametrize("job", ["first", "opened", "merged"])
def test_what_the_job_left_belongs_to_the_workspaces_owner(told: Told, job: str) -> None:
    ran = getattr(told, job)
    assert list((ran.workspace / ".mlops-ci").glob(f"{MODEL}/*/train.json"))
    assert (ran.workspace / ".git" / "index").is_file()
    assert ran.strangers() == []


def test_the_comparison_is_on_the_same_rows_with_intervals(told: Told) -> None:
    path = told.opened.records(MODEL, told.head) / "compare.json"
    comparison = json.loads(path.read_text())
    assert comparison["rows"]["paired"] == 1797
    assert comparison["base"]["commit"] == told.before
    assert all(gate["verdict"] == "pass" for gate in comparison["gates"] if gate["required"])


def test_merging_ships_what_was_evaluated(told: Told) -> None:
    assert told.merged.code == 0, told.merged.log
    outputs = told.merged.outputs()
    assert outputs["image"].startswith(told.shipping.image)
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", outputs["digest"])
    assert outputs["digest"] != told.first.outputs()["digest"]
    records = told.merged.records(MODEL, told.after)
    deployed = json.loads((records / "deploy.json").read_text())
    assert deployed["status"] == "live"
    assert deployed["reference"].endswith(outputs["digest"])


def test_the_deployed_model_answers(told: Told) -> None:
    from sklearn.datasets import load_digits

    pixels, _ = load_digits(return_X_y=True)
    answer = requests.post(
        f"http://127.0.0.1:{told.shipping.port}/invocations",
        json={"instances": pixels[:5].tolist()},
        timeout=PATIENCE,
    )
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["predictions"]) == 5


def test_no_key_is_in_a_log_or_a_file(told: Told) -> None:
    for ran in (told.first, told.opened, told.merged):
        assert (ran.workspace / ".mlops-ci").is_dir()
        for key in (TOKEN, told.shipping.registry.password):
            assert key not in ran.log
            for path in ran.workspace.rglob("*"):
                if path.is_file() and path.stat().st_size < 1_000_000:
                    assert key.encode() not in path.read_bytes(), path
