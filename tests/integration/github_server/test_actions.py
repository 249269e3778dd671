"""Dispatches, runs and artifacts; Apps and their tokens."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
import requests
from github import Auth, GithubException

from tests.github_server.runs import add_artifact, add_run
from tests.github_server.scenario import Scenario, Story
from tests.github_server.seed import add_app
from tests.github_server.server import GitHub
from tests.integration.github_server.conftest import (
    REPO,
    Ask,
    Connect,
    Start,
    open_app,
    open_client,
)

WORKFLOW = """
name: retrain
on:
  workflow_dispatch:
    inputs:
      model: {required: true}
      reason: {default: drift}
"""


def test_a_workflow_is_dispatched_with_its_inputs(start_github: Start) -> None:
    main = {".github/workflows/retrain.yml": WORKFLOW, ".github/workflows/ci.yml": "on: [push]\n"}
    _, github = start_github(Story(main=(main,)))
    with open_client(github.url, Auth.Token("workflow-token")) as client:
        repository = client.get_repo("acme/churn")
        workflow = repository.get_workflow("retrain.yml")
        assert workflow.name == "retrain"
        assert workflow.create_dispatch("main", {"model": "churn"}, throw=True)
        found = list(repository.get_workflow_runs(event="workflow_dispatch"))
        assert [(run.status, run.path) for run in found] == [("queued", workflow.path)]
        for inputs, words in {
            ("model", "other"): "Unexpected inputs",
            (): "Required input 'model'",
        }.items():
            with pytest.raises(GithubException, match=words):
                workflow.create_dispatch("main", dict.fromkeys(inputs, "x"), throw=True)
        with pytest.raises(GithubException, match="workflow_dispatch"):
            repository.get_workflow("ci.yml").create_dispatch("main", throw=True)
    dispatched = github.state.repository("acme/churn").dispatches
    assert [item["inputs"] for item in dispatched] == [{"model": "churn", "reason": "drift"}]


def test_a_repository_is_dispatched(connect: Connect, github: GitHub, ask: Ask) -> None:
    repository = connect("workflow-token").get_repo("acme/churn")
    assert repository.create_repository_dispatch("retrain", {"model": "churn"})
    found = github.state.repository("acme/churn").dispatches[0]
    assert (found["event_type"], found["client_payload"]) == ("retrain", {"model": "churn"})
    large = {str(number): 1 for number in range(11)}
    body = {"event_type": "retrain", "client_payload": large}
    assert ask("POST", f"{REPO}/dispatches", json=body).status_code == 422


def test_an_artifact_is_found_and_downloaded(
    connect: Connect, ask: Ask, github: GitHub, scenario: Scenario
) -> None:
    repository = github.state.repository("acme/churn")
    run = add_run(github.state, repository, {"head_sha": scenario.head, "head_branch": "feature"})
    made = add_artifact(github.state, repository, run["id"], "report", {"comparison.json": b"{}"})
    found = connect("workflow-token").get_repo("acme/churn").get_workflow_run(run["id"])
    assert (found.head_sha, found.head_branch) == (scenario.head, "feature")
    assert [artifact.name for artifact in found.get_artifacts()] == ["report"]
    path = f"{REPO}/actions/artifacts/{made['id']}/zip"
    redirect = ask("GET", path, allow_redirects=False)
    assert redirect.status_code == 302
    content = requests.get(redirect.headers["Location"], timeout=20).content
    assert zipfile.ZipFile(io.BytesIO(content)).read("comparison.json") == b"{}"
    unsigned = redirect.headers["Location"].partition("?")[0]
    assert requests.get(unsigned, timeout=20).status_code == 404
    made["expired"] = True
    assert ask("GET", path).status_code == 410


@pytest.fixture
def key() -> str:
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    made = generate_private_key(public_exponent=65537, key_size=2048)
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_half(key: str) -> str:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_private_key,
    )

    public = load_pem_private_key(key.encode(), None).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def install(github: GitHub, key: str) -> dict[str, Any]:
    app = add_app(
        github.state,
        {
            "slug": "reporter",
            "id": 99,
            "owner": "acme",
            "public_key": public_half(key),
            "installations": [
                {
                    "account": "acme",
                    "repositories": ["acme/churn"],
                    "permissions": {"pull_requests": "write", "checks": "read"},
                }
            ],
        },
    )
    return app.installations[0]


def test_an_app_gets_a_token_and_comments_as_its_bot(github: GitHub, key: str) -> None:
    install(github, key)
    integration = open_app(github.url, 99, key)
    assert integration.get_app().slug == "reporter"
    installation = integration.get_repo_installation("acme", "churn")
    token = integration.get_access_token(installation.id, {"pull_requests": "write"}).token
    with open_client(github.url, Auth.Token(token)) as client:
        repository = client.get_repo("acme/churn")
        comment = repository.get_issue(7).create_comment("hello")
        assert comment.user.login == "reporter[bot]"
        with pytest.raises(GithubException) as refused:
            repository.create_check_run("v", repository.get_branch("main").commit.sha)
        assert refused.value.status == 403
    with pytest.raises(GithubException) as beyond:
        integration.get_access_token(installation.id, {"checks": "write"})
    assert beyond.value.status == 422
    integration.close()


def test_a_jwt_of_another_key_is_refused(github: GitHub, key: str, ask: Ask) -> None:
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

    install(github, key)
    other = generate_private_key(public_exponent=65537, key_size=2048)
    import jwt

    forged = jwt.encode({"iss": "99", "exp": 2**33}, other, algorithm="RS256")
    assert ask("GET", "/app", forged).status_code == 401
    assert ask("GET", "/app", "workflow-token").status_code == 401


def test_an_installation_s_token_ends(github: GitHub, key: str, ask: Ask) -> None:
    install(github, key)
    integration = open_app(github.url, 99, key)
    token = integration.get_access_token(github.state.apps["reporter"].installations[0]["id"]).token
    integration.close()
    assert ask("GET", f"{REPO}/pulls/7", token).status_code == 200
    github.state.tokens[token].expires = 0.0
    assert ask("GET", f"{REPO}/pulls/7", token).status_code == 401
