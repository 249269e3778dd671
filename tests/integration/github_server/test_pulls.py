"""Pull requests are what Git says they are."""

from __future__ import annotations

import pytest
import requests
from github import Auth, GithubException

from tests.github_server.scenario import Scenario, Story
from tests.github_server.server import GitHub
from tests.integration.github_server.conftest import REPO, Ask, Connect, Start, open_client


def test_a_pull_request_shows_its_branches(connect: Connect, scenario: Scenario) -> None:
    pull = connect("workflow-token").get_repo("acme/churn").get_pull(7)
    assert (pull.head.sha, pull.base.sha) == (scenario.head, scenario.base)
    assert (pull.head.ref, pull.base.ref, pull.head.label) == ("feature", "main", "acme:feature")
    assert pull.head.repo.full_name == "acme/churn"
    assert pull.mergeable
    assert not pull.merged
    assert [(file.filename, file.status) for file in pull.get_files()] == [("train.py", "added")]
    assert [commit.sha for commit in pull.get_commits()] == [scenario.head]


def test_a_push_moves_the_head_and_the_merge_ref(
    connect: Connect, scenario: Scenario, github: GitHub
) -> None:
    pull = connect("workflow-token").get_repo("acme/churn").get_pull(7)
    before = pull.merge_commit_sha
    new = scenario.checkout.commit({"train.py": "print('better')\n"})
    scenario.checkout.git("push", "--quiet", github.clone_url("acme/churn", "pat-dev"), "feature")
    pull.update()
    assert pull.head.sha == new
    assert pull.merge_commit_sha != before
    refs = github.state.repository("acme/churn").git.refs("refs/pull/")
    assert refs == {"refs/pull/7/head": new, "refs/pull/7/merge": pull.merge_commit_sha}


def test_a_conflict_has_no_merge_ref(connect: Connect, scenario: Scenario, github: GitHub) -> None:
    checkout = scenario.checkout
    checkout.switch("main")
    checkout.commit({"train.py": "print('other')\n"})
    checkout.git("push", "--quiet", github.clone_url("acme/churn", "pat-dev"), "main")
    pull = connect("workflow-token").get_repo("acme/churn").get_pull(7)
    assert pull.mergeable is False
    assert pull.mergeable_state == "dirty"
    assert pull.merge_commit_sha is None


def test_merging_moves_main_once(connect: Connect, scenario: Scenario, github: GitHub) -> None:
    repository = connect("pat-dev").get_repo("acme/churn")
    pull = repository.get_pull(7)
    with pytest.raises(GithubException) as moved:
        pull.merge(sha=scenario.base)
    assert moved.value.status == 409
    done = pull.merge()
    assert done.merged
    assert repository.get_branch("main").commit.sha == done.sha
    assert repository.get_pull(7).state == "closed"
    assert repository.get_pull(7).merged
    with pytest.raises(GithubException) as again:
        pull.merge()
    assert again.value.status == 405
    assert github.state.repository("acme/churn").git.is_ancestor(scenario.head, done.sha)


def test_pushing_the_merge_merges_too(connect: Connect, scenario: Scenario) -> None:
    """Also where the push goes to the bare repository on disk."""
    checkout = scenario.checkout
    checkout.switch("main")
    checkout.git("merge", "--quiet", "--ff-only", "feature")
    checkout.push("main")
    pull = connect("workflow-token").get_repo("acme/churn").get_pull(7)
    assert (pull.state, pull.merged) == ("closed", True)
    assert pull.head.sha == scenario.head


def test_a_push_on_disk_moves_the_merge_ref(connect: Connect, scenario: Scenario) -> None:
    pull = connect("workflow-token").get_repo("acme/churn").get_pull(7)
    before = pull.merge_commit_sha
    new = scenario.checkout.commit({"train.py": "print('better')\n"})
    scenario.checkout.push("feature")
    pull.update()
    assert pull.head.sha == new
    assert pull.merge_commit_sha != before


def test_pulls_are_filtered_by_state_head_and_base(ask: Ask) -> None:
    def numbers(query: str) -> list[int]:
        return [pull["number"] for pull in ask("GET", f"{REPO}/pulls{query}").json()]

    assert numbers("") == [7]
    assert numbers("?head=acme:feature&base=main") == [7]
    assert numbers("?head=someone:feature") == []
    assert numbers("?state=closed") == []


def test_a_pull_request_is_opened(connect: Connect, scenario: Scenario, github: GitHub) -> None:
    scenario.checkout.switch("second", "main")
    sha = scenario.checkout.commit({"b.txt": "b"})
    scenario.checkout.git("push", "--quiet", github.clone_url("acme/churn", "pat-dev"), "second")
    repository = connect("workflow-token").get_repo("acme/churn")
    pull = repository.create_pull(title="Second", body="text", base="main", head="second")
    assert (pull.number, pull.head.sha) == (8, sha)
    with pytest.raises(GithubException) as missing:
        repository.create_pull(title="Third", body="", base="main", head="nowhere")
    assert missing.value.status == 422


def test_pulls_of_a_commit(connect: Connect, scenario: Scenario) -> None:
    commit = connect("workflow-token").get_repo("acme/churn").get_commit(scenario.head)
    assert [pull.number for pull in commit.get_pulls()] == [7]


def test_comparing_finds_the_merge_base(
    connect: Connect, scenario: Scenario, github: GitHub
) -> None:
    checkout = scenario.checkout
    checkout.switch("main")
    moved = checkout.commit({"other.txt": "1"})
    checkout.git("push", "--quiet", github.clone_url("acme/churn", "pat-dev"), "main")
    compared = connect("workflow-token").get_repo("acme/churn").compare("main", "feature")
    assert compared.merge_base_commit.sha == scenario.base
    assert (compared.base_commit.sha, compared.status) == (moved, "diverged")
    assert (compared.ahead_by, compared.behind_by) == (1, 1)
    assert [file.filename for file in compared.files] == ["train.py"]


def test_a_fork_sends_its_branch(start_github: Start) -> None:
    story = Story(fork="someone/churn", author="stranger", branch="patch")
    scenario, github = start_github(story)
    with open_client(github.url, Auth.Token("read-only-token")) as client:
        pull = client.get_repo("acme/churn").get_pull(7)
        assert pull.head.repo.full_name == "someone/churn"
        assert pull.head.repo.fork
        assert pull.head.label == "someone:patch"
        assert pull.head.sha == scenario.head
        # The base repository does not know whose the commit is; the fork does.
        fork = client.get_repo("someone/churn")
        assert [found.number for found in fork.get_commit(scenario.head).get_pulls()] == [7]
        at_home = client.get_repo("acme/churn").get_commit(scenario.head).get_pulls()
        assert list(at_home) == []


def test_a_file_is_renamed_and_another_deleted(start_github: Start) -> None:
    story = Story(
        main=({"a.txt": "same\n" * 20, "gone.txt": "x\n"},),
        change=({"a.txt": None, "b.txt": "same\n" * 20, "gone.txt": None, "p.bin": b"\0\1"},),
    )
    _, github = start_github(story)
    url = f"{github.url}{REPO}/pulls/7/files"
    found = requests.get(url, headers={"Authorization": "token pat-dev"}, timeout=20).json()
    listed = {file["filename"]: (file["status"], file.get("previous_filename")) for file in found}
    assert listed == {
        "b.txt": ("renamed", "a.txt"),
        "gone.txt": ("removed", None),
        "p.bin": ("added", None),
    }
