"""Check runs, statuses, deployments."""

from __future__ import annotations

import pytest
from github import GithubException

from tests.github_server.scenario import Scenario
from tests.github_server.server import GitHub
from tests.integration.github_server.conftest import REPO, Ask, Connect

ANNOTATION = {
    "path": "train.py",
    "start_line": 1,
    "end_line": 1,
    "annotation_level": "warning",
    "message": "recall fell",
}


def test_a_check_is_opened_completed_and_found(connect: Connect, scenario: Scenario) -> None:
    repository = connect("workflow-token").get_repo("acme/churn")
    check = repository.create_check_run(
        "mlops-ci verdict", scenario.head, status="in_progress", external_id="run 1"
    )
    assert check.status == "in_progress"
    assert [check.conclusion, check.completed_at] == [None, None]
    check.edit(
        status="completed", conclusion="failure", output={"title": "worse", "summary": "**no**"}
    )
    found = list(repository.get_commit(scenario.head).get_check_runs(check_name="mlops-ci verdict"))
    assert [(item.id, item.external_id, item.conclusion) for item in found] == [
        (check.id, "run 1", "failure")
    ]
    assert found[0].completed_at is not None
    assert found[0].app.slug == "github-actions"
    assert found[0].output.title == "worse"
    assert [pull["number"] for pull in found[0].raw_data["pull_requests"]] == [7]


def test_only_the_latest_of_a_name_is_shown(ask: Ask, scenario: Scenario) -> None:
    for _ in range(2):
        ask("POST", f"{REPO}/check-runs", json={"name": "v", "head_sha": scenario.head})
    path = f"{REPO}/commits/{scenario.head}/check-runs"
    assert ask("GET", path).json()["total_count"] == 1
    assert ask("GET", f"{path}?filter=all").json()["total_count"] == 2


def test_annotations_append_50_at_a_time(ask: Ask, scenario: Scenario) -> None:
    def body(count: int) -> dict[str, object]:
        output = {"title": "t", "summary": "s", "annotations": [ANNOTATION] * count}
        return {"name": "v", "head_sha": scenario.head, "output": output}

    refused = ask("POST", f"{REPO}/check-runs", json=body(51))
    assert refused.status_code == 422
    made = ask("POST", f"{REPO}/check-runs", json=body(50))
    assert made.status_code == 201
    path = f"{REPO}/check-runs/{made.json()['id']}"
    more = {"output": {"title": "t", "summary": "s", "annotations": [ANNOTATION] * 7}}
    assert ask("PATCH", path, json=more).json()["output"]["annotations_count"] == 57
    assert len(ask("GET", f"{path}/annotations?per_page=100").json()) == 57


@pytest.mark.parametrize("field", ["summary", "text"])
def test_output_is_65535_characters_at_most(ask: Ask, scenario: Scenario, field: str) -> None:
    for length, status in ((65_535, 201), (65_536, 422)):
        output = {"title": "t", "summary": "s", field: "x" * length}
        body = {"name": "v", "head_sha": scenario.head, "output": output}
        assert ask("POST", f"{REPO}/check-runs", json=body).status_code == status


def test_completed_needs_a_conclusion_and_a_commit_must_exist(ask: Ask, scenario: Scenario) -> None:
    body = {"name": "v", "head_sha": scenario.head, "status": "completed"}
    assert ask("POST", f"{REPO}/check-runs", json=body).status_code == 422
    body = {"name": "v", "head_sha": "0" * 39 + "1"}
    assert ask("POST", f"{REPO}/check-runs", json=body).status_code == 422


def test_people_and_other_apps_cannot_write_a_check(ask: Ask, scenario: Scenario) -> None:
    body = {"name": "v", "head_sha": scenario.head}
    assert ask("POST", f"{REPO}/check-runs", "pat-maintainer", json=body).status_code == 403
    made = ask("POST", f"{REPO}/check-runs", json=body).json()
    path = f"{REPO}/check-runs/{made['id']}"
    assert ask("PATCH", path, "app-token", json={"conclusion": "success"}).status_code == 403


def test_statuses_combine_to_the_worst(connect: Connect, scenario: Scenario) -> None:
    commit = connect("workflow-token").get_repo("acme/churn").get_commit(scenario.head)
    assert commit.get_combined_status().state == "pending"
    commit.create_status("failure", description="no", context="a")
    commit.create_status("success", context="b")
    assert commit.get_combined_status().state == "failure"
    commit.create_status("success", context="a")
    assert commit.get_combined_status().state == "success"
    assert len(list(commit.get_statuses())) == 3
    with pytest.raises(GithubException) as long:
        commit.create_status("success", description="x" * 141)
    assert long.value.status == 422


def test_a_deployment_is_made_and_reported(connect: Connect, scenario: Scenario) -> None:
    repository = connect("workflow-token").get_repo("acme/churn")
    made = repository.create_deployment(
        "main", auto_merge=False, required_contexts=[], environment="staging", payload={"a": 1}
    )
    assert (made.sha, made.environment) == (scenario.base, "staging")
    made.create_status("success", environment_url="http://127.0.0.1:8080")
    second = repository.create_deployment(
        "main", auto_merge=False, required_contexts=[], environment="staging"
    )
    second.create_status("success")
    assert [status.state for status in made.get_statuses()] == ["inactive", "success"]
    assert [found.id for found in repository.get_deployments()] == [second.id, made.id]


def test_production_is_not_made_inactive(connect: Connect) -> None:
    repository = connect("workflow-token").get_repo("acme/churn")
    made = [
        repository.create_deployment("main", auto_merge=False, required_contexts=[])
        for _ in range(2)
    ]
    for deployment in made:
        deployment.create_status("success")
    assert [status.state for status in made[0].get_statuses()] == ["success"]


def test_auto_merge_merges_and_deploys_nothing(
    ask: Ask, scenario: Scenario, github: GitHub
) -> None:
    checkout = scenario.checkout
    checkout.switch("main")
    checkout.commit({"other.txt": "1"})
    checkout.git("push", "--quiet", github.clone_url("acme/churn", "pat-dev"), "main")
    answer = ask("POST", f"{REPO}/deployments", json={"ref": "feature"})
    assert answer.status_code == 202
    assert "Auto-merged" in answer.json()["message"]
    git = github.state.repository("acme/churn").git
    assert git.ref("refs/heads/feature") != scenario.head
    assert ask("GET", f"{REPO}/deployments").json() == []


def test_a_failed_check_keeps_a_deployment_back(ask: Ask, scenario: Scenario) -> None:
    body = {"name": "v", "head_sha": scenario.base, "conclusion": "failure"}
    assert ask("POST", f"{REPO}/check-runs", json=body).status_code == 201
    asked = {"ref": "main", "auto_merge": False}
    assert ask("POST", f"{REPO}/deployments", json=asked).status_code == 409
    none_required = {**asked, "required_contexts": []}
    assert ask("POST", f"{REPO}/deployments", json=none_required).status_code == 201
