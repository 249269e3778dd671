"""A job's environment says what the runner would say."""

from __future__ import annotations

import json
from pathlib import Path

from tests.github_server.runner import Job, environment
from tests.github_server.scenario import Scenario
from tests.github_server.server import GitHub


def test_a_pull_request_s_sha_is_its_merge_commit(
    scenario: Scenario, github: GitHub, tmp_path: Path
) -> None:
    payload = scenario.events(github).pull_request(7)
    found = environment(
        github, Job("pull_request", payload, scenario.checkout.path), tmp_path / "r"
    )
    merge = github.state.repository("acme/churn").git.ref("refs/pull/7/merge")
    assert found["GITHUB_SHA"] == merge != payload["pull_request"]["head"]["sha"]
    assert found["GITHUB_REF"] == "refs/pull/7/merge"
    assert found["GITHUB_REF_NAME"] == "7/merge"
    assert (found["GITHUB_HEAD_REF"], found["GITHUB_BASE_REF"]) == ("feature", "main")
    assert json.loads(Path(found["GITHUB_EVENT_PATH"]).read_text()) == payload
    assert Path(found["GITHUB_OUTPUT"]).read_text() == ""


def test_other_events(scenario: Scenario, github: GitHub, tmp_path: Path) -> None:
    events = scenario.events(github)
    group = events.merge_group(7)
    seen = {
        name: environment(github, Job(name, payload, tmp_path, enterprise=True), tmp_path / name)
        for name, payload in {
            "push": events.push(scenario.base, scenario.head),
            "merge_group": group,
            "workflow_dispatch": events.workflow_dispatch({}, "retrain.yml"),
            "issue_comment": events.issue_comment(7, "/mlops run", "dev"),
            "schedule": events.schedule(),
        }.items()
    }
    assert {name: found["GITHUB_SHA"] for name, found in seen.items()} == {
        "push": scenario.head,
        "merge_group": group["merge_group"]["head_sha"],
        "workflow_dispatch": scenario.base,
        "issue_comment": scenario.base,
        "schedule": scenario.base,
    }
    assert seen["push"]["GITHUB_API_URL"] == f"{github.url}/api/v3"
    assert seen["issue_comment"]["GITHUB_ACTOR"] == "dev"
