"""Writes blobs, trees and commits into a bare repository, without a work tree."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.github_server.git import BareRepository, GitError, identity
from tests.github_server.messages import Json, Refusal
from tests.github_server.state import timestamp

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def write_blob(git: BareRepository, content: bytes) -> str:
    return git.git("hash-object", "-w", "--stdin", stdin=content)


def write_tree(git: BareRepository, base: str | None, entries: list[Json]) -> str:
    """`base` with the entries laid over it; an entry whose sha is null deletes its path."""
    with tempfile.TemporaryDirectory() as folder:
        env = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git.git("read-tree", base or EMPTY_TREE, env=env)
        for entry in entries:
            if entry.get("type") == "tree":
                git.git("read-tree", f"--prefix={entry['path']}/", entry["sha"], env=env)
        lines = [index_line(git, entry) for entry in entries if entry.get("type") != "tree"]
        git.git("update-index", "--index-info", stdin="".join(lines).encode(), env=env)
        return git.git("write-tree", env=env)


def index_line(git: BareRepository, entry: Json) -> str:
    if "content" in entry:
        return f"{entry['mode']} {write_blob(git, entry['content'].encode())}\t{entry['path']}\n"
    if entry["sha"] is None:
        return f"0 {'0' * 40}\t{entry['path']}\n"
    if git.kind(entry["sha"]) is None and entry["mode"] != "160000":
        raise Refusal(422, f"tree.sha {entry['sha']} is not a valid blob")
    return f"{entry['mode']} {entry['sha']}\t{entry['path']}\n"


def write_commit(git: BareRepository, body: Json, login: str) -> str:
    """`body` as of the REST route: message, tree, parents, author, committer."""
    author = body.get("author") or {"name": login, "email": f"{login}@users.noreply.github.com"}
    committer = {**author, **body.get("committer", {})}
    env = {
        **person(author, "GIT_AUTHOR"),
        **person(committer, "GIT_COMMITTER"),
    }
    parents = [part for sha in body.get("parents", []) for part in ("-p", sha)]
    try:
        return git.git(
            "commit-tree", body["tree"], *parents, stdin=body["message"].encode(), env=env
        )
    except GitError as error:
        raise Refusal(422, "Tree SHA or a parent does not exist or is not of its kind") from error


def person(found: Json, prefix: str) -> dict[str, str]:
    made = identity(found["name"], found["email"], found.get("date") or timestamp())
    return {name: value for name, value in made.items() if name.startswith(prefix)}
