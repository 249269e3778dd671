"""What GitHub does not describe is a mistake of the client's, or of ours."""

from __future__ import annotations

from typing import Any

import pytest

from tests.github_server import contract, routes
from tests.github_server.messages import Json, Response
from tests.github_server.scenario import Scenario
from tests.github_server.server import GitHub
from tests.integration.github_server.conftest import REPO, Ask

COMMENTS = f"{REPO}/issues/7/comments"


@pytest.mark.parametrize(
    ("asked", "body", "words"),
    [
        (("POST", COMMENTS), {"text": "hello"}, "'body' is a required property"),
        (("POST", COMMENTS), {"body": 7}, "7 is not of type 'string'"),
        (("POST", COMMENTS), {"body": "a", "bodi": "b"}, "no body parameter .bodi"),
        (("POST", COMMENTS), None, "needs a body"),
        (
            ("POST", f"{REPO}/check-runs"),
            {"name": "v", "head_sha": "x", "output": {"title": "t", "summary": "s", "txt": "u"}},
            "no body parameter .output.txt",
        ),
        (("GET", f"{COMMENTS}?perpage=7"), None, "no query parameter 'perpage'"),
        (("GET", f"{COMMENTS}?per_page=many"), None, "not an integer"),
        (("GET", f"{REPO}/pulls?state=opened"), None, "'opened' is not one of"),
        (("GET", f"{REPO}/pullz"), None, "no route for GET"),
        (("POST", f"{REPO}/check-runs"), {"name": "v"}, "'head_sha' is a required property"),
        (
            ("POST", f"{REPO}/check-runs"),
            {"name": "v", "head_sha": "x", "status": "done"},
            "'done'",
        ),
        (("GET", f"{REPO}/pulls/7"), {"a": 1}, "takes no body"),
    ],
)
def test_a_wrong_request_is_recorded(
    ask: Ask, github: GitHub, asked: tuple[str, str], body: Any, words: str
) -> None:
    answer = ask(*asked, json=body)
    assert answer.status_code == 500
    assert len(github.violations) == 1
    assert words in github.violations[0]
    github.violations.clear()


def test_a_violation_fails_the_test_at_its_end(scenario: Scenario) -> None:
    import requests

    from tests.github_server.fixtures import end

    server = scenario.start()
    requests.get(f"{server.url}/nowhere", timeout=20)
    with pytest.raises(pytest.fail.Exception, match="no route for GET /nowhere"):
        end(server)


def test_broken_json_is_the_client_s_400(ask: Ask) -> None:
    answer = ask("POST", COMMENTS, data="{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["message"]) == (400, "Problems parsing JSON")


def test_an_answer_of_ours_is_held_too() -> None:
    operation = "POST /repos/{owner}/{repo}/issues/{issue_number}/comments"
    with pytest.raises(contract.Violation, match="does not fit"):
        contract.check_response(operation, Response(201, {"id": "seven"}))
    with pytest.raises(contract.Violation, match="never answers 202"):
        contract.check_response(operation, Response(202, {}))


def test_null_is_allowed_where_github_says_nullable() -> None:
    schema = contract.description()["schemas"]["check-run"]["properties"]["conclusion"]
    assert set(schema["type"]) == {"string", "null"}
    assert None in schema["enum"]
    assert "'nullable':" not in str(contract.description())


def test_every_documented_route_is_in_the_slice() -> None:
    routes.load()
    ours = {f"{item.method} {item.template}" for item in routes.ROUTES if item.documented}
    assert ours == set(contract.description()["operations"])


def test_events_have_the_shape_of_webhooks(scenario: Scenario, github: GitHub) -> None:
    from tests.github_server.runs import add_run

    events = scenario.events(github)
    repository = github.state.repository("acme/churn")
    run = add_run(github.state, repository, {"head_sha": scenario.head})
    made: dict[str, Json] = {
        "pull-request-opened": events.pull_request(7),
        "pull-request-synchronize": events.pull_request(7, "synchronize", scenario.base),
        "push": events.push(scenario.base, scenario.head),
        "merge-group-checks-requested": events.merge_group(7),
        "workflow-dispatch": events.workflow_dispatch({}, ".github/workflows/retrain.yml"),
        "workflow-run-completed": events.workflow_run(run["id"]),
        "issue-comment-created": events.issue_comment(7, "/mlops run", "dev"),
    }
    assert set(made) == set(contract.description()["webhooks"])
    for name, payload in made.items():
        contract.check_webhook(name, payload)
    with pytest.raises(contract.Violation):
        contract.check_webhook("push", {**made["push"], "commits": None})
    group = made["merge-group-checks-requested"]["merge_group"]
    assert repository.git.ref(group["head_ref"]) == group["head_sha"]
    assert repository.git.is_ancestor(scenario.head, group["head_sha"])


def test_the_event_of_a_fork_names_its_repository(start_github: Any) -> None:
    from tests.github_server.scenario import Story

    scenario, github = start_github(Story(fork="someone/churn", author="stranger"))
    payload = scenario.events(github).pull_request(7)
    contract.check_webhook("pull-request-opened", payload)
    pull = payload["pull_request"]
    assert pull["head"]["repo"]["full_name"] == "someone/churn"
    assert pull["head"]["repo"]["fork"]
    assert pull["base"]["repo"]["full_name"] == "acme/churn"
    assert payload["sender"]["login"] == "stranger"
