"""Files by path, read and written."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import quote

from tests.github_server.git import GitError
from tests.github_server.git_objects import write_blob, write_commit, write_tree
from tests.github_server.messages import Json, Refusal, Response, not_found
from tests.github_server.pull_refs import refresh
from tests.github_server.routes import Call, route
from tests.github_server.shapes.commits import git_commit

KINDS = {"blob": "file", "tree": "dir", "commit": "submodule"}
LARGEST = 1_000_000


def listed(call: Call, commit: str, path: str) -> list[tuple[str, str, str, str]]:
    """(mode, kind, sha, path) of the path itself, or of what a folder (`path/`) holds."""
    where = [path] if path else []
    text = call.repository.git.read("ls-tree", "-z", commit, "--", *where).decode()
    lines = (line.partition("\t") for line in text.split("\0") if line)
    return [(*about.split(" ", 2), name) for about, _, name in lines]  # type: ignore[misc]


def shape(call: Call, ref: str, entry: tuple[str, str, str, str]) -> Json:
    mode, kind, sha, path = entry
    found = "symlink" if mode == "120000" else KINDS[kind]
    url = f"{call.url('contents', quote(path))}?ref={quote(ref)}"
    page = call.place.page(f"{'tree' if found == 'dir' else 'blob'}/{ref}/{quote(path)}")
    git = call.url("git", f"{kind}s", sha)
    raw = call.place.page(f"raw/{ref}/{quote(path)}") if found == "file" else None
    size = int(call.repository.git.git("cat-file", "-s", sha)) if kind == "blob" else 0
    return {
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": sha,
        "size": size,
        "url": url,
        "html_url": page,
        "git_url": git,
        "download_url": raw,
        "type": found,
        "_links": {"self": url, "git": git, "html": page},
    }


@route("GET", "/repos/{owner}/{repo}/contents/{path}", "contents=read")
def get(call: Call) -> Response:
    ref = call.request.query.get("ref", call.repository.default_branch)
    path = call.values["path"].strip("/")
    commit = call.repository.commit(ref.removeprefix("refs/heads/"))
    entries = listed(call, commit, path)
    if path and not entries:
        raise not_found()
    if not path or entries[0][1] == "tree":
        inside = listed(call, commit, f"{path}/" if path else "")
        return Response(200, [shape(call, ref, entry) for entry in inside])
    return file_response(call, ref, entries[0])


def file_response(call: Call, ref: str, entry: tuple[str, str, str, str]) -> Response:
    content = call.repository.git.read("cat-file", "blob", entry[2])
    if "raw" in call.request.headers.get("accept", ""):
        return Response(200, None, {"Content-Type": "application/octet-stream"}, content)
    small = len(content) <= LARGEST
    text = base64.encodebytes(content).decode() if small else ""
    encoding = "base64" if small else "none"
    return Response(200, {**shape(call, ref, entry), "content": text, "encoding": encoding})


@route("PUT", "/repos/{owner}/{repo}/contents/{path}", "contents=write")
def put(call: Call) -> Response:
    try:
        content = base64.b64decode(call.body["content"])
    except binascii.Error as error:
        raise Refusal(422, "content is not valid Base64") from error
    branch, parent, old = target(call)
    if old is not None and "sha" not in call.body:
        raise Refusal(422, 'Invalid request.\n\n"sha" wasn\'t supplied.')
    check_sha(call, old)
    sha = write_blob(call.repository.git, content)
    made = record(call, branch, parent, {"mode": "100644", "type": "blob", "sha": sha})
    entry = ("100644", "blob", sha, call.values["path"])
    shown = shape(call, branch, entry)
    return Response(200 if old else 201, {"content": shown, "commit": git_commit(call.place, made)})


@route("DELETE", "/repos/{owner}/{repo}/contents/{path}", "contents=write")
def delete(call: Call) -> Response:
    branch, parent, old = target(call)
    if old is None:
        raise not_found()
    check_sha(call, old)
    made = record(call, branch, parent, {"mode": "100644", "type": "blob", "sha": None})
    return Response(200, {"content": None, "commit": git_commit(call.place, made)})


def target(call: Call) -> tuple[str, str, str | None]:
    """The branch, its tip, and the sha of the file as it stands there."""
    branch = call.body.get("branch", call.repository.default_branch)
    parent = call.repository.git.ref(f"refs/heads/{branch}")
    if parent is None:
        raise Refusal(404, f"Branch {branch} not found")
    entries = listed(call, parent, call.values["path"])
    return branch, parent, entries[0][2] if entries else None


def check_sha(call: Call, old: str | None) -> None:
    given = call.body.get("sha")
    if given is not None and given != old:
        raise Refusal(409, f"{call.values['path']} does not match {given}")


def record(call: Call, branch: str, parent: str, entry: Json) -> str:
    git = call.repository.git
    tree = write_tree(git, parent, [{**entry, "path": call.values["path"]}])
    asked = {**call.body, "tree": tree, "parents": [parent]}
    sha = write_commit(git, asked, call.viewer.login)
    try:
        git.update(f"refs/heads/{branch}", sha, parent)
    except GitError as error:
        raise Refusal(409, f"is at {parent} but expected another") from error
    refresh(call.state)
    return sha
