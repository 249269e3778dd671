"""The Git data API: refs, blobs, trees, commits and tags of the bare repository itself."""

from __future__ import annotations

import base64
import binascii

from tests.github_server.git import GitError
from tests.github_server.git_objects import person, write_blob, write_commit, write_tree
from tests.github_server.messages import Json, Refusal, Response, not_found
from tests.github_server.pull_refs import refresh
from tests.github_server.routes import Call, route
from tests.github_server.shapes import node_id
from tests.github_server.shapes.commits import git_commit
from tests.github_server.state import timestamp

READ = "contents=read"
WRITE = "contents=write"
MISSING = "Reference does not exist"


def ref_shape(call: Call, name: str, sha: str) -> Json:
    kind = call.repository.git.kind(sha) or "commit"
    return {
        "ref": name,
        "node_id": node_id("Ref", name),
        "url": call.url("git", name),
        "object": {"sha": sha, "type": kind, "url": call.url("git", f"{kind}s", sha)},
    }


def object_of(call: Call, name: str, *kinds: str) -> str:
    """The sha in the path when the repository holds such an object."""
    sha = call.values[name]
    kind = None if sha.startswith("-") else call.repository.git.kind(sha)
    if kind is None or (kinds and kind not in kinds):
        raise not_found()
    return call.repository.git.git("rev-parse", sha)


@route("GET", "/repos/{owner}/{repo}/git/ref/{ref}", READ)
def get_ref(call: Call) -> Response:
    name = f"refs/{call.values['ref']}"
    sha = call.repository.git.ref(name)
    if sha is None:
        raise not_found()
    return Response(200, ref_shape(call, name, sha))


@route("GET", "/repos/{owner}/{repo}/git/matching-refs/{ref}", READ)
def matching_refs(call: Call) -> Response:
    found = call.repository.git.refs(f"refs/{call.values['ref']}")
    return call.page([ref_shape(call, name, sha) for name, sha in found.items()])


@route("POST", "/repos/{owner}/{repo}/git/refs", WRITE)
def create_ref(call: Call) -> Response:
    git, name, sha = call.repository.git, call.body["ref"], call.body["sha"]
    if not name.startswith("refs/") or name.count("/") < 2 or not valid(call, name):
        raise Refusal(422, "Reference name must start with 'refs/' and have at least two slashes")
    if git.kind(sha) is None:
        raise Refusal(422, "Object does not exist")
    if git.ref(name) is not None:
        raise Refusal(422, "Reference already exists")
    git.update(name, sha, "0" * 40)
    refresh(call.state)
    return Response(201, ref_shape(call, name, sha))


def valid(call: Call, name: str) -> bool:
    try:
        call.repository.git.git("check-ref-format", name)
    except GitError:
        return False
    return not name.startswith("refs/pull/")


@route("PATCH", "/repos/{owner}/{repo}/git/refs/{ref}", WRITE)
def update_ref(call: Call) -> Response:
    git, name, sha = call.repository.git, f"refs/{call.values['ref']}", call.body["sha"]
    old = git.ref(name)
    if old is None:
        raise Refusal(422, MISSING)
    if git.kind(sha) is None:
        raise Refusal(422, "Object does not exist")
    if not call.body.get("force", False) and not git.is_ancestor(old, sha):
        raise Refusal(422, "Update is not a fast forward")
    git.update(name, sha, old)
    refresh(call.state)
    return Response(200, ref_shape(call, name, sha))


@route("DELETE", "/repos/{owner}/{repo}/git/refs/{ref}", WRITE)
def delete_ref(call: Call) -> Response:
    name = f"refs/{call.values['ref']}"
    if call.repository.git.ref(name) is None:
        raise Refusal(422, MISSING)
    call.repository.git.delete(name)
    return Response(204)


@route("POST", "/repos/{owner}/{repo}/git/blobs", WRITE)
def create_blob(call: Call) -> Response:
    content = call.body["content"].encode()
    if call.body.get("encoding", "utf-8") == "base64":
        try:
            content = base64.b64decode(content)
        except binascii.Error as error:
            raise Refusal(422, "content is not valid Base64") from error
    sha = write_blob(call.repository.git, content)
    return Response(201, {"sha": sha, "url": call.url("git/blobs", sha)})


@route("GET", "/repos/{owner}/{repo}/git/blobs/{file_sha}", READ)
def get_blob(call: Call) -> Response:
    sha = object_of(call, "file_sha", "blob")
    content = call.repository.git.read("cat-file", "blob", sha)
    if call.request.headers.get("accept", "").endswith("raw+json"):
        return Response(200, None, {"Content-Type": "application/octet-stream"}, content)
    shape = {
        "sha": sha,
        "node_id": node_id("Blob", sha),
        "size": len(content),
        "url": call.url("git/blobs", sha),
        "content": base64.encodebytes(content).decode(),
        "encoding": "base64",
    }
    return Response(200, shape)


def tree_shape(call: Call, sha: str, *, recursive: bool) -> Json:
    options = ["-r", "-t"] if recursive else []
    listed = call.repository.git.read("ls-tree", "-z", "-l", *options, sha).decode()
    return {
        "sha": sha,
        "url": call.url("git/trees", sha),
        "tree": [entry_shape(call, line) for line in listed.split("\0") if line],
        "truncated": False,
    }


def entry_shape(call: Call, line: str) -> Json:
    about, _, path = line.partition("\t")
    mode, kind, sha, size = about.split()
    shape: Json = {"path": path, "mode": mode, "type": kind, "sha": sha}
    if kind == "blob":
        shape["size"] = int(size)
    if kind != "commit":
        shape["url"] = call.url("git", f"{kind}s", sha)
    return shape


@route("POST", "/repos/{owner}/{repo}/git/trees", WRITE)
def create_tree(call: Call) -> Response:
    git, base = call.repository.git, call.body.get("base_tree")
    if base is not None and git.kind(base) not in {"tree", "commit"}:
        raise not_found()
    if not call.body["tree"]:
        raise Refusal(422, "Invalid tree info")
    try:
        sha = write_tree(git, base, call.body["tree"])
    except (GitError, KeyError) as error:
        raise Refusal(422, "Invalid tree info") from error
    return Response(201, tree_shape(call, sha, recursive=False))


@route("GET", "/repos/{owner}/{repo}/git/trees/{tree_sha}", READ)
def get_tree(call: Call) -> Response:
    sha = call.repository.git.resolve(call.values["tree_sha"], "tree")
    if sha is None:
        raise not_found()
    return Response(200, tree_shape(call, sha, recursive="recursive" in call.request.query))


@route("POST", "/repos/{owner}/{repo}/git/commits", WRITE)
def create_commit(call: Call) -> Response:
    sha = write_commit(call.repository.git, call.body, call.viewer.login)
    return Response(201, git_commit(call.place, sha))


@route("GET", "/repos/{owner}/{repo}/git/commits/{commit_sha}", READ)
def get_commit(call: Call) -> Response:
    return Response(200, git_commit(call.place, object_of(call, "commit_sha", "commit")))


@route("POST", "/repos/{owner}/{repo}/git/tags", WRITE)
def create_tag(call: Call) -> Response:
    """The tag object only; its ref is made by another call, as on GitHub."""
    git, body = call.repository.git, call.body
    if git.kind(body["object"]) != body["type"]:
        raise Refusal(422, "Object does not exist")
    login = call.viewer.login
    tagger = body.get("tagger") or {"name": login, "email": f"{login}@users.noreply.github.com"}
    env = person(tagger, "GIT_COMMITTER")
    who = f"{env['GIT_COMMITTER_NAME']} <{env['GIT_COMMITTER_EMAIL']}>"
    date = git.git("var", "GIT_COMMITTER_IDENT", env=env).rpartition("> ")[2]
    text = (
        f"object {body['object']}\ntype {body['type']}\ntag {body['tag']}\n"
        f"tagger {who} {date}\n\n{body['message']}\n"
    )
    sha = git.git("hash-object", "-t", "tag", "-w", "--stdin", stdin=text.encode())
    return Response(201, tag_shape(call, sha))


@route("GET", "/repos/{owner}/{repo}/git/tags/{tag_sha}", READ)
def get_tag(call: Call) -> Response:
    return Response(200, tag_shape(call, object_of(call, "tag_sha", "tag")))


def tag_shape(call: Call, sha: str) -> Json:
    text = call.repository.git.read("cat-file", "tag", sha).decode()
    head, _, message = text.partition("\n\n")
    fields = dict(line.split(" ", 1) for line in head.splitlines())
    name, _, rest = fields["tagger"].partition(" <")
    target, kind = fields["object"], fields["type"]
    return {
        "sha": sha,
        "node_id": node_id("Tag", sha),
        "url": call.url("git/tags", sha),
        "tag": fields["tag"],
        "message": message,
        "tagger": {"name": name, "email": rest.partition(">")[0], "date": timestamp()},
        "object": {"sha": target, "type": kind, "url": call.url("git", f"{kind}s", target)},
    }
