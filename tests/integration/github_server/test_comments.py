"""Comments: paging, limits, authors, reactions, labels."""

from __future__ import annotations

import pytest
from github import GithubException

from tests.github_server.seed import add_comment
from tests.github_server.server import GitHub
from tests.integration.github_server.conftest import REPO, Ask, Connect


def test_a_comment_is_written_edited_listed_and_deleted(connect: Connect, github: GitHub) -> None:
    pull = connect("workflow-token").get_repo("acme/churn").get_pull(7)
    made = pull.create_issue_comment("first")
    assert made.user.login == "github-actions[bot]"
    assert made.user.type == "Bot"
    assert made.html_url == f"{github.url}/acme/churn/pull/7#issuecomment-{made.id}"
    made.edit("second")
    assert [comment.body for comment in pull.get_issue_comments()] == ["second"]
    assert pull.get_issue_comment(made.id).body == "second"
    made.delete()
    assert list(pull.get_issue_comments()) == []
    with pytest.raises(GithubException) as gone:
        made.edit("third")
    assert gone.value.status == 404


def test_the_author_is_whoever_the_token_belongs_to(connect: Connect) -> None:
    for token, login in {
        "workflow-token": "github-actions[bot]",
        "app-token": "mlops-ci-bot[bot]",
        "pat-dev": "dev",
    }.items():
        comment = connect(token).get_repo("acme/churn").get_issue(7).create_comment("mine")
        assert comment.user.login == login
        through = comment.raw_data["performed_via_github_app"]
        assert (through and f"{through['slug']}[bot]") == (login if "[bot]" in login else None)


def test_comment_250_is_found_over_all_pages(connect: Connect, github: GitHub) -> None:
    repository = github.state.repository("acme/churn")
    for number in range(1, 261):
        add_comment(github.state, repository, 7, f"number {number}", "dev")
    found = list(connect("workflow-token").get_repo("acme/churn").get_issue(7).get_comments())
    assert [comment.body for comment in found] == [f"number {n}" for n in range(1, 261)]


def test_pages_are_linked_as_github_links_them(ask: Ask, github: GitHub) -> None:
    repository = github.state.repository("acme/churn")
    for number in range(5):
        add_comment(github.state, repository, 7, str(number), "dev")
    url = f"{github.url}{REPO}/issues/7/comments"
    first = ask("GET", f"{REPO}/issues/7/comments?per_page=2")
    assert set(first.links) == {"next", "last"}
    assert first.links["next"]["url"] == f"{url}?per_page=2&page=2"
    middle = ask("GET", f"{REPO}/issues/7/comments?per_page=2&page=2")
    assert set(middle.links) == {"prev", "next", "last", "first"}
    last = ask("GET", f"{REPO}/issues/7/comments?per_page=2&page=3")
    assert set(last.links) == {"prev", "first"}
    assert [item["body"] for item in last.json()] == ["4"]
    assert ask("GET", f"{REPO}/issues/7/comments").links == {}
    assert ask("GET", f"{REPO}/issues/7/comments?per_page=2&page=9").json() == []


def test_no_page_is_longer_than_100(ask: Ask, github: GitHub) -> None:
    repository = github.state.repository("acme/churn")
    for number in range(130):
        add_comment(github.state, repository, 7, str(number), "dev")
    assert len(ask("GET", f"{REPO}/issues/7/comments?per_page=500").json()) == 100
    assert len(ask("GET", f"{REPO}/issues/7/comments").json()) == 30


def test_a_body_is_65536_code_points_at_most(ask: Ask) -> None:
    longest = "é" * 65_536
    assert ask("POST", f"{REPO}/issues/7/comments", json={"body": longest}).status_code == 201
    refused = ask("POST", f"{REPO}/issues/7/comments", json={"body": longest + "é"})
    assert refused.status_code == 422
    assert refused.json()["message"] == "Validation Failed"
    assert "65536" in refused.json()["errors"][0]["message"]


def test_a_blank_body_is_refused(ask: Ask) -> None:
    assert ask("POST", f"{REPO}/issues/7/comments", json={"body": " \n"}).status_code == 422


def test_people_edit_their_own_comments_only(ask: Ask) -> None:
    made = ask("POST", f"{REPO}/issues/7/comments", "pat-reader", json={"body": "mine"})
    assert made.status_code == 201
    path = f"{REPO}/issues/comments/{made.json()['id']}"
    assert ask("PATCH", path, "pat-reader", json={"body": "still"}).status_code == 200
    assert ask("PATCH", path, "pat-stranger", json={"body": "forged"}).status_code == 403
    assert ask("PATCH", path, "pat-dev", json={"body": "moderated"}).status_code == 200


def test_reacting_twice_adds_one_reaction(connect: Connect) -> None:
    comment = connect("workflow-token").get_repo("acme/churn").get_issue(7).create_comment("/mlops")
    eyes = comment.create_reaction("eyes")
    assert comment.create_reaction("eyes").id == eyes.id
    comment.create_reaction("rocket")
    assert [reaction.content for reaction in comment.get_reactions()] == ["eyes", "rocket"]
    comment.delete_reaction(eyes.id)
    assert [reaction.content for reaction in comment.get_reactions()] == ["rocket"]


def test_an_issue_is_opened_labelled_found_and_closed(connect: Connect) -> None:
    repository = connect("workflow-token").get_repo("acme/churn")
    issue = repository.create_issue("Drift in churn", "PSI 0.31", labels=["drift"])
    issue.add_to_labels("mlops-ci")
    assert [label.name for label in issue.get_labels()] == ["drift", "mlops-ci"]
    assert [found.number for found in repository.get_issues(labels=["drift"])] == [issue.number]
    assert issue.pull_request is None
    assert repository.get_issue(7).pull_request is not None
    issue.remove_from_labels("drift")
    issue.edit(state="closed")
    assert [found.number for found in repository.get_issues(state="closed")] == [issue.number]
