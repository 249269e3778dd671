"""One set of commits, seen by `git` over HTTP and by the Git data API."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from github import GithubException, InputGitTreeElement
from github.ContentFile import ContentFile
from github.Repository import Repository

from tests.github_server.git import ENVIRONMENT, GitError, run_git
from tests.github_server.scenario import Scenario, Story
from tests.github_server.server import GitHub
from tests.integration.github_server.conftest import REPO, Ask, Connect, Start


def one_file(repository: Repository, path: str) -> ContentFile:
    found = repository.get_contents(path)
    assert isinstance(found, ContentFile)
    return found


def refused(arguments: list[str], cwd: Path) -> str:
    with pytest.raises(GitError) as error:
        run_git(arguments, cwd)
    return str(error.value)


def test_clone_fetch_and_push(scenario: Scenario, github: GitHub, tmp_path: Path) -> None:
    url = github.clone_url("acme/churn", "workflow-token")
    run_git(["clone", "--quiet", url, "clone"], tmp_path)
    clone = tmp_path / "clone"
    assert run_git(["rev-parse", "origin/feature"], clone).decode().strip() == scenario.head
    run_git(["fetch", "--quiet", "origin", "refs/pull/7/merge"], clone)
    parents = run_git(["rev-list", "--parents", "-1", "FETCH_HEAD"], clone).decode().split()[1:]
    assert parents == [scenario.base, scenario.head]
    run_git(["push", "--quiet", "origin", "HEAD:refs/mlops-ci/store"], clone)
    assert github.state.repository("acme/churn").git.ref("refs/mlops-ci/store") == scenario.base
    run_git(["clone", "--quiet", url, "second"], tmp_path)
    assert b"mlops-ci" not in run_git(["for-each-ref"], tmp_path / "second")


def test_a_store_is_swapped_by_lease(scenario: Scenario, github: GitHub) -> None:
    checkout, url = scenario.checkout, github.clone_url("acme/churn", "workflow-token")
    store = "refs/mlops-ci/store"
    checkout.git("push", "--quiet", url, f"{scenario.base}:{store}")
    lease = f"--force-with-lease={store}:{scenario.base}"
    checkout.git("push", "--quiet", lease, url, f"{scenario.head}:{store}")
    # Not `+base:store`: the plus would win over the lease.
    text = refused(["push", lease, url, f"{scenario.base}:{store}"], checkout.path)
    assert "stale info" in text


def test_a_large_push_and_a_shallow_clone(
    scenario: Scenario, github: GitHub, tmp_path: Path
) -> None:
    """Over 1 MiB `git` sends chunks; GitHub lets a sha be fetched by name."""
    import random

    noise = random.Random(0).randbytes(3_000_000)
    new = scenario.checkout.commit({"model.bin": noise})
    url = github.clone_url("acme/churn", "pat-dev")
    scenario.checkout.git("push", "--quiet", url, "feature")
    run_git(["init", "--quiet", "shallow"], tmp_path)
    shallow = tmp_path / "shallow"
    run_git(["fetch", "--quiet", "--depth=1", url, new], shallow)
    assert run_git(["show", "FETCH_HEAD:model.bin"], shallow) == noise


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (None, "could not read Username"),
        ("nobody-issued-this", "Authentication failed"),
        ("read-only-token", "403"),
        ("pat-reader", "403"),
    ],
)
def test_who_may_not_push(
    scenario: Scenario, github: GitHub, token: str | None, words: str
) -> None:
    url = github.clone_url("acme/churn", token)
    text = refused(["push", url, "feature:refs/heads/new"], scenario.checkout.path)
    assert words in text
    assert "refs/heads/new" not in github.state.repository("acme/churn").git.refs()


def test_a_private_repository_is_hidden(start_github: Start, tmp_path: Path) -> None:
    _, github = start_github(Story(private=True))
    for token, words in {
        None: "could not read Username",
        "pat-stranger": "not found",
        "nobody-issued-this": "Authentication failed",
    }.items():
        text = refused(["ls-remote", github.clone_url("acme/churn", token)], tmp_path)
        assert words in text
    assert b"refs/heads/main" in run_git(
        ["ls-remote", github.clone_url("acme/churn", "pat-reader")], tmp_path
    )


def test_a_header_as_checkout_sends_it(scenario: Scenario, github: GitHub) -> None:
    """actions/checkout: `http.<server>/.extraheader: AUTHORIZATION: basic …`, and no `.git`."""
    import base64

    secret = base64.b64encode(b"x-access-token:workflow-token").decode()
    header = f"http.{github.url}/.extraheader=AUTHORIZATION: basic {secret}"
    done = subprocess.run(
        [
            "git",
            "-c",
            header,
            "push",
            "--quiet",
            f"{github.url}/acme/churn",
            "feature:refs/heads/n",
        ],
        cwd=scenario.checkout.path,
        env=ENVIRONMENT,
        check=False,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert github.state.repository("acme/churn").git.ref("refs/heads/n") == scenario.head


@pytest.mark.usefixtures("git_lfs")
def test_large_files_travel_by_lfs(scenario: Scenario, github: GitHub, tmp_path: Path) -> None:
    """A clone gets the pointer's file; a reader's token cannot upload one."""
    checkout = scenario.checkout
    checkout.git("lfs", "install", "--local")
    checkout.git("lfs", "track", "*.bin")
    new = checkout.commit({"model.bin": b"weights" * 1000})
    text = refused(
        ["push", "--quiet", github.clone_url("acme/churn", "read-only-token"), "feature"],
        checkout.path,
    )
    assert "denied" in text or "403" in text
    url = github.clone_url("acme/churn", "workflow-token")
    checkout.git("push", "--quiet", url, "feature")
    pointer = github.state.repository("acme/churn").git.git("show", f"{new}:model.bin")
    assert pointer.startswith("version https://git-lfs.github.com/spec/v1")
    run_git(["clone", "--quiet", "--no-checkout", url, "clone"], tmp_path)
    clone = tmp_path / "clone"
    run_git(["lfs", "install", "--local"], clone)
    run_git(["checkout", "--quiet", "feature"], clone)
    assert (clone / "model.bin").read_bytes() == b"weights" * 1000


def test_pull_refs_cannot_be_pushed(scenario: Scenario, github: GitHub) -> None:
    url = github.clone_url("acme/churn", "pat-dev")
    text = refused(["push", url, f"+{scenario.base}:refs/pull/7/head"], scenario.checkout.path)
    assert "hidden ref" in text


def test_a_branch_of_pictures_is_written_through_the_api(connect: Connect, github: GitHub) -> None:
    repository = connect("workflow-token").get_repo("acme/churn")
    blob = repository.create_git_blob("iVBORw0KGgo=", "base64")
    element = InputGitTreeElement("plots/a.png", "100644", "blob", sha=blob.sha)
    tree = repository.create_git_tree([element])
    commit = repository.create_git_commit("pictures", tree, [])
    ref = repository.create_git_ref("refs/heads/pictures", commit.sha)
    with pytest.raises(GithubException) as exists:
        repository.create_git_ref("refs/heads/pictures", commit.sha)
    assert exists.value.status == 422
    more = repository.create_git_tree(
        [InputGitTreeElement("plots/b.txt", "100644", "blob", content="text")], tree
    )
    second = repository.create_git_commit("more", more, [commit])
    ref.edit(second.sha)
    with pytest.raises(GithubException) as backward:
        ref.edit(commit.sha)
    assert backward.value.status == 422
    names = [item.path for item in repository.get_git_tree("pictures", recursive=True).tree]
    assert names == ["plots", "plots/a.png", "plots/b.txt"]
    git = github.state.repository("acme/churn").git
    assert git.read("show", "pictures:plots/a.png") == b"\x89PNG\r\n\x1a\n"
    ref.delete()
    assert git.ref("refs/heads/pictures") is None
    assert repository.get_git_blob(blob.sha).content.strip() == "iVBORw0KGgo="


def test_a_picture_is_served_by_its_page(ask: Ask, scenario: Scenario) -> None:
    page = f"/acme/churn/blob/{scenario.head}/train.py?raw=true"
    assert ask("GET", page, token=None).text == "print('trained')\n"
    assert ask("GET", "/acme/churn/raw/feature/train.py", token=None).status_code == 200
    assert ask("GET", "/acme/churn/raw/feature/none.py", token=None).status_code == 404


def test_files_are_read_and_written_by_path(connect: Connect, ask: Ask) -> None:
    repository = connect("workflow-token").get_repo("acme/churn")
    found = one_file(repository, "README.md")
    assert found.decoded_content == b"# churn\n"
    listed = repository.get_contents("", ref="feature")
    assert isinstance(listed, list)
    assert [item.path for item in listed] == ["README.md", "train.py"]
    done = repository.update_file("README.md", "say more", "# more\n", found.sha, branch="main")
    assert repository.get_branch("main").commit.sha == done["commit"].sha
    with pytest.raises(GithubException) as stale:
        repository.update_file("README.md", "again", "# other\n", found.sha, branch="main")
    assert stale.value.status == 409
    repository.create_file("docs/new.md", "a file", "new\n", branch="main")
    assert one_file(repository, "docs/new.md").decoded_content == b"new\n"
    raw = ask(
        "GET",
        f"{REPO}/contents/docs/new.md",
        headers={"Accept": "application/vnd.github.raw+json"},
    )
    assert raw.text == "new\n"
    assert ask("GET", f"{REPO}/contents/none.md").status_code == 404


def test_refs_tags_and_releases(connect: Connect, scenario: Scenario, github: GitHub) -> None:
    repository = connect("workflow-token").get_repo("acme/churn")
    tag = repository.create_git_tag("v1.0.0", "first", scenario.base, "commit")
    repository.create_git_ref("refs/tags/v1.0.0", tag.sha)
    assert repository.get_git_ref("tags/v1.0.0").object.type == "tag"
    release = repository.create_git_release("v1.0.0", "1.0.0", "notes")
    assert repository.get_latest_release().id == release.id
    with pytest.raises(GithubException) as twice:
        repository.create_git_release("v1.0.0", "1.0.0", "notes")
    assert twice.value.status == 422
    repository.create_git_release("v1.1.0", "1.1.0", "notes", target_commitish="feature")
    assert github.state.repository("acme/churn").git.ref("refs/tags/v1.1.0") == scenario.head
    matching = repository.get_git_matching_refs("tags/v1")
    assert [ref.ref for ref in matching] == ["refs/tags/v1.0.0", "refs/tags/v1.1.0"]
