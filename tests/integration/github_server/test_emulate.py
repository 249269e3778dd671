"""One story, told to our server and to `emulate`: what both know, both tell alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from github import Auth, GithubException, InputGitTreeElement
from github.PullRequest import PullRequest
from github.Repository import Repository

from tests.github_server.emulate import Runtime, running
from tests.github_server.messages import Json
from tests.github_server.scenario import Story, build
from tests.github_server.server import GitHub
from tests.integration.github_server.conftest import open_app, open_client
from tests.machine.fixtures import Node

APP_ID = 77
PERMISSIONS = {"contents": "write", "checks": "write", "issues": "write", "pull_requests": "write"}
# Where emulate is not GitHub: it lists no files of a pull request that came through the Git data
# API, and an installation's GET /user is 404 there.
EMULATE_DIFFERS = {"files", "user"}


@pytest.fixture(scope="module")
def keys() -> tuple[str, str]:
    """Private and public half, PEM."""
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

    key = generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(
        s.Encoding.PEM, s.PrivateFormat.TraditionalOpenSSL, s.NoEncryption()
    )
    return private.decode(), public.decode()


@pytest.fixture
def ours(tmp_path: Path, keys: tuple[str, str]) -> Iterator[str]:
    from tests.github_server.fixtures import end

    scenario = build(tmp_path / "ours", Story(main=({"README.md": "# churn\n"},)))
    scenario.seed["repositories"][0]["pulls"] = []
    installation = {"account": "acme", "repositories": ["acme/churn"], "permissions": PERMISSIONS}
    app = {"slug": "reporter", "id": APP_ID, "public_key": keys[1], "installations": [installation]}
    scenario.seed["apps"].append({**app, "owner": "acme"})
    github: GitHub = scenario.start()
    yield github.url
    end(github)


@pytest.fixture
def theirs(tmp_path: Path, keys: tuple[str, str], node: Node) -> Iterator[str]:
    installation = {"installation_id": 5, "account": "acme", "permissions": PERMISSIONS}
    seed: Json = {
        "github": {
            "orgs": [{"login": "acme"}],
            "repos": [{"owner": "acme", "name": "churn", "auto_init": True}],
            "apps": [
                {
                    "app_id": APP_ID,
                    "slug": "reporter",
                    "name": "reporter",
                    "private_key": keys[0],
                    "permissions": PERMISSIONS,
                    "installations": [installation],
                }
            ],
        }
    }
    with running(Runtime(node.node, node.npm), seed, tmp_path) as url:
        yield url


class Telling:
    """Facts: what a client sees. Shapes: the JSON type of every key of every answer."""

    def __init__(self, url: str, private_key: str) -> None:
        self.facts: dict[str, Any] = {}
        self.shapes: dict[str, dict[str, str]] = {}
        with open_app(url, APP_ID, private_key) as app:
            installation = app.get_repo_installation("acme", "churn")
            # Said in full: emulate takes PyGithub's `permissions: {}` for none at all.
            token = app.get_access_token(installation.id, PERMISSIONS).token
        with open_client(url, Auth.Token(token), per_page=2) as client:
            repository = client.get_repo("acme/churn")
            self.shape("repository", repository.raw_data)
            pull = self.tell_git(repository)
            self.tell_comments(pull)
            self.tell_checks(repository, pull)

    def shape(self, name: str, raw: Json) -> None:
        self.shapes[name] = {key: type(value).__name__ for key, value in raw.items()}

    def refused(self, name: str, call: Callable[[], object]) -> None:
        try:
            call()
        except GithubException as error:
            self.facts[name] = error.status
        else:
            self.facts[name] = "allowed"

    def tell_git(self, repository: Repository) -> PullRequest:
        main = repository.get_branch("main")
        entry = InputGitTreeElement("train.py", "100644", "blob", content="print(1)\n")
        tree = repository.create_git_tree([entry], repository.get_git_tree(main.commit.sha))
        parent = repository.get_git_commit(main.commit.sha)
        commit = repository.create_git_commit("train", tree, [parent])
        ref = repository.create_git_ref("refs/heads/told", commit.sha)
        pull = repository.create_pull(title="Better", body="", base="main", head="told")
        self.facts["tree"] = tree.sha != parent.tree.sha and [item.path for item in tree.tree]
        self.facts["blob"] = next(item.sha for item in tree.tree if item.path == "train.py")
        self.facts["parents"] = [found.sha == main.commit.sha for found in commit.parents]
        self.facts["head"] = pull.head.sha == commit.sha
        self.facts["base"] = pull.base.sha == main.commit.sha
        self.facts["files"] = [(file.filename, file.status) for file in pull.get_files()]
        self.facts["state"] = (pull.state, pull.merged, pull.head.label)
        compared = repository.compare("main", "told")
        self.facts["compared"] = (compared.status, compared.ahead_by, compared.behind_by)
        self.facts["merge base"] = compared.merge_base_commit.sha == main.commit.sha
        self.refused("ref exists", lambda: repository.create_git_ref("refs/heads/told", commit.sha))
        # By its documented path: the `url` that emulate gives a ref (`git/ref/…`) only reads.
        path = f"{repository.url}/git/refs/heads/told"
        back = {"sha": main.commit.sha, "force": False}
        self.refused(
            "not fast forward",
            lambda: repository.requester.requestJsonAndCheck("PATCH", path, input=back),
        )
        self.refused("no such pull", lambda: repository.get_pull(999))
        self.shape("pull", pull.raw_data)
        self.shape("compare", compared.raw_data)
        self.shape("ref", ref.raw_data)
        return pull

    def tell_comments(self, pull: PullRequest) -> None:
        made = [pull.create_issue_comment(f"number {number}") for number in range(5)]
        self.facts["author"] = (made[0].user.login, made[0].user.type)
        made[0].edit("edited")
        made[1].delete()
        self.facts["comments"] = [comment.body for comment in pull.get_issue_comments()]
        self.refused("deleted", lambda: made[1].edit("again"))
        self.shape("comment", made[0].raw_data)
        headers, _ = pull.requester.requestJsonAndCheck(
            "GET", f"{pull.issue_url}/comments", parameters={"per_page": 2, "page": 2}
        )
        links = [part.partition("; rel=")[2].strip('"') for part in headers["link"].split(", ")]
        self.facts["links"] = sorted(links)
        self.refused("user", lambda: pull.requester.requestJsonAndCheck("GET", "/user"))

    def tell_checks(self, repository: Repository, pull: PullRequest) -> None:
        check = repository.create_check_run(
            "verdict", pull.head.sha, status="in_progress", external_id="run 1"
        )
        self.facts["opened"] = (check.status, check.conclusion, check.external_id)
        check.edit(status="completed", conclusion="neutral", output={"title": "t", "summary": "s"})
        found = list(repository.get_commit(pull.head.sha).get_check_runs())
        self.facts["checks"] = [(item.name, item.status, item.conclusion) for item in found]
        self.facts["output"] = (found[0].output.title, found[0].output.summary)
        self.shape("check", found[0].raw_data)


def test_both_tell_the_same_story(ours: str, theirs: str, keys: tuple[str, str]) -> None:
    told = Telling(ours, keys[0])
    other = Telling(theirs, keys[0])
    differing = {name for name in told.facts if told.facts[name] != other.facts[name]}
    assert differing == EMULATE_DIFFERS, {
        name: (told.facts[name], other.facts[name]) for name in differing
    }


def test_common_keys_have_common_types(ours: str, theirs: str, keys: tuple[str, str]) -> None:
    told = Telling(ours, keys[0]).shapes
    other = Telling(theirs, keys[0]).shapes
    for name, shape in told.items():
        for key, kind in shape.items():
            theirs_kind = other[name].get(key, kind)
            assert theirs_kind == kind or "NoneType" in {kind, theirs_kind}, (name, key)
        # All that GitHub's counterpart sends, ours sends too.
        assert set(other[name]) - set(shape) == set(), name
