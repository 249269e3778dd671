"""The templates that users copy, unchanged, through the images, against a GitHub on loopback."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.runner import Machine, Ran
from tests.e2e.story import MODEL, ZEROS, Day, Shipping, a_day, free_port, project_files

BOT = "github-actions[bot]"
AGGREGATE = "mlops-ci verdict"


@dataclass(frozen=True)
class Told:
    """The three jobs of the day, and what GitHub held when each had ended."""

    day: Day
    shipping: Shipping
    first: Ran
    opened: Ran
    merged: Ran
    head: str
    before: str
    after: str


@pytest.fixture(scope="module")
def told(
    machine: Machine,
    registry: str,
    haproxy_image: str,
    docker_engine: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Told]:
    assert haproxy_image
    shipping = Shipping(registry, f"digits-{uuid.uuid4().hex[:8]}", free_port())
    folder = tmp_path_factory.mktemp("story")
    try:
        with a_day(machine, folder, project_files(shipping), "pass") as day:
            base, head = day.scenario.base, day.scenario.head
            first = day.push("first", ZEROS, base)
            opened = day.open_pull_request("opened")
            before, after = day.merge()
            merged = day.push("merged", before, after)
            yield Told(day, shipping, first, opened, merged, head, before, after)
    finally:
        for container in docker_engine.containers.list(all=True):
            if shipping.name in container.name or shipping.name in str(container.labels):
                container.remove(force=True, v=True)


def repository(told: Told) -> Any:
    return told.day.github.state.repository(told.day.scenario.full_name)


def checks_of(told: Told, sha: str) -> dict[str, dict[str, Any]]:
    checks = repository(told).checks.values()
    return {check["name"]: check for check in checks if check["head_sha"] == sha}


def test_the_first_push_ships_with_nothing_to_compare_with(told: Told) -> None:
    assert told.first.code == 0, told.first.log
    assert told.first.outputs()["digest"].startswith("sha256:")


def test_the_pull_request_has_one_comment_of_ours_with_the_verdict(told: Told) -> None:
    assert told.opened.code == 0, told.opened.log
    comments = [found for found in repository(told).comments.values() if found["author"] == BOT]
    assert len(comments) == 1
    assert f"✅ `{MODEL}` is better" in comments[0]["body"]
    assert "**May be merged**" in comments[0]["body"]


def test_the_checks_of_the_head_commit_are_completed(told: Told) -> None:
    checks = checks_of(told, told.head)
    assert AGGREGATE in checks
    assert len(checks) == 2, "one to require, one for the model"
    assert {check["status"] for check in checks.values()} == {"completed"}
    assert {check["conclusion"] for check in checks.values()} == {"success"}


def test_outputs_and_summary_of_the_pull_request(told: Told) -> None:
    outputs = told.opened.outputs()
    assert outputs["verdict"] == "pass"
    assert (told.opened.workspace / outputs["comparison-path"]).is_file()
    assert (told.opened.workspace / outputs["report-path"]).is_file()
    assert outputs["comment-url"].startswith(told.day.github.url)
    assert outputs["check-url"].startswith(told.day.github.url)
    assert MODEL in told.opened.summary()


def test_what_the_job_left_belongs_to_the_workspaces_owner(told: Told) -> None:
    assert (told.opened.records(MODEL, told.head) / "train.json").is_file()
    workspace = told.opened.workspace
    strangers = [path for path in workspace.rglob("*") if path.lstat().st_uid != 1001]
    assert [str(path.relative_to(workspace)) for path in strangers[:5]] == []


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
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["predictions"]) == 5


def test_the_token_is_in_no_log_and_no_file(told: Told) -> None:
    from tests.e2e.runner import TOKEN

    for ran in (told.first, told.opened, told.merged):
        assert (ran.workspace / ".mlops-ci").is_dir()
        assert TOKEN not in ran.log
        for path in Path(ran.workspace).rglob("*"):
            if path.is_file() and path.stat().st_size < 1_000_000:
                assert TOKEN.encode() not in path.read_bytes(), path
