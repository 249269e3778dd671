"""Commits, as the REST API and the Git database show them, and the files that they change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from tests.github_server.git import BareRepository, Change
from tests.github_server.messages import Json
from tests.github_server.shapes import node_id
from tests.github_server.state import Repository, timestamp

FORMAT = "%T%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%B"
UNSIGNED = {
    "verified": False,
    "reason": "unsigned",
    "signature": None,
    "payload": None,
    "verified_at": None,
}


@dataclass(frozen=True)
class Place:
    """Where a repository's things are found."""

    repository: Repository
    api: str
    web: str

    def url(self, path: str) -> str:
        return f"{self.api}/repos/{self.repository.full_name}/{path}"

    def page(self, path: str) -> str:
        return f"{self.web}/{self.repository.full_name}/{path}"


@dataclass(frozen=True)
class Commit:
    sha: str
    tree: str
    parents: list[str]
    author: Json
    committer: Json
    message: str


def read_commit(git: BareRepository, sha: str) -> Commit:
    text = git.read("show", "--no-patch", f"--format={FORMAT}", sha).decode(errors="replace")
    tree, parents, *people, message = text.split("\0")
    name, email, at, other, other_email, other_at = people
    return Commit(
        sha,
        tree,
        parents.split(),
        {"name": name, "email": email, "date": moment(at)},
        {"name": other, "email": other_email, "date": moment(other_at)},
        message.strip("\n"),
    )


def moment(seconds: str) -> str:
    return timestamp(datetime.fromtimestamp(int(seconds), UTC))


def commit(place: Place, sha: str) -> Json:
    found = read_commit(place.repository.git, sha)
    return {
        "sha": sha,
        "node_id": node_id("Commit", sha),
        "commit": {
            "author": found.author,
            "committer": found.committer,
            "message": found.message,
            "tree": {"sha": found.tree, "url": place.url(f"git/trees/{found.tree}")},
            "url": place.url(f"git/commits/{sha}"),
            "comment_count": 0,
            "verification": UNSIGNED,
        },
        "url": place.url(f"commits/{sha}"),
        "html_url": place.page(f"commit/{sha}"),
        "comments_url": place.url(f"commits/{sha}/comments"),
        "author": None,
        "committer": None,
        "parents": [parent(place, older, "commits") for older in found.parents],
    }


def parent(place: Place, sha: str, kind: str) -> Json:
    return {
        "sha": sha,
        "url": place.url(f"{kind}/{sha}"),
        "html_url": place.page(f"commit/{sha}"),
    }


def git_commit(place: Place, sha: str) -> Json:
    found = read_commit(place.repository.git, sha)
    return {
        "sha": sha,
        "node_id": node_id("Commit", sha),
        "url": place.url(f"git/commits/{sha}"),
        "html_url": place.page(f"commit/{sha}"),
        "author": found.author,
        "committer": found.committer,
        "tree": {"sha": found.tree, "url": place.url(f"git/trees/{found.tree}")},
        "message": found.message,
        "parents": [parent(place, older, "git/commits") for older in found.parents],
        "verification": UNSIGNED,
    }


def files(place: Place, base: str, head: str) -> list[Json]:
    changes = place.repository.git.changes(base, head)
    return [changed(place, change, base, head) for change in changes]


def changed(place: Place, change: Change, base: str, head: str) -> Json:
    path = quote(change.filename)
    shape: Json = {
        "sha": change.sha if change.status != "removed" else None,
        "filename": change.filename,
        "status": change.status,
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "blob_url": place.page(f"blob/{head}/{path}"),
        "raw_url": place.page(f"raw/{head}/{path}"),
        "contents_url": place.url(f"contents/{path}?ref={head}"),
    }
    if patch := place.repository.git.patch(base, head, change.filename):
        shape["patch"] = patch
    if change.previous:
        shape["previous_filename"] = change.previous
    return shape
