"""The repository itself, its branches, commits and people."""

from __future__ import annotations

from tests.github_server.messages import Json, Response, invalid, not_found
from tests.github_server.permissions import INSTALLATIONS, at_least, level
from tests.github_server.routes import Call, route
from tests.github_server.shapes.commits import commit, files
from tests.github_server.shapes.pulls import pull_simple
from tests.github_server.shapes.repositories import full
from tests.github_server.shapes.users import simple_user
from tests.github_server.state import Token

ROLE_TO_PERMISSION = {"maintain": "write", "triage": "read"}
COMPARED = 250


@route("GET", "/repos/{owner}/{repo}")
def get(call: Call) -> Response:
    shape = full(call.state, call.repository, call.request.api, call.request.web)
    if call.token:
        shape["permissions"] = allowed(viewer_role(call, call.token))
    return Response(200, shape)


def viewer_role(call: Call, token: Token) -> str:
    """An installation shows as the role that its permission on contents amounts to."""
    if token.kind not in INSTALLATIONS:
        return call.repository.role(token.login)
    return level(token, call.repository, "contents")


def allowed(role: str) -> dict[str, bool]:
    words = {"pull": "read", "triage": "triage", "push": "write", "maintain": "maintain"}
    words["admin"] = "admin"
    return {name: at_least(role, needed) for name, needed in words.items()}


@route("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission")
def permission(call: Call) -> Response:
    login = call.values["username"]
    if login not in call.state.users:
        raise not_found()
    role = call.repository.role(login)
    plain = ROLE_TO_PERMISSION.get(role, role)
    user = simple_user(call.state.user(login), call.request.api, call.request.web)
    user["permissions"] = allowed(role)
    user["role_name"] = role
    return Response(200, {"permission": plain, "role_name": role, "user": user})


def protection(call: Call, name: str) -> Json:
    url = call.url("branches", name, "protection")
    return {
        "name": name,
        "protected": False,
        "protection": {
            "enabled": False,
            "required_status_checks": {
                "enforcement_level": "off",
                "contexts": [],
                "checks": [],
            },
        },
        "protection_url": url,
    }


@route("GET", "/repos/{owner}/{repo}/branches", "contents=read")
def branches(call: Call) -> Response:
    refs = call.repository.git.refs("refs/heads/")
    shapes = [
        {
            **protection(call, ref.removeprefix("refs/heads/")),
            "commit": {"sha": sha, "url": call.url("commits", sha)},
        }
        for ref, sha in refs.items()
    ]
    return call.page(shapes)


@route("GET", "/repos/{owner}/{repo}/branches/{branch}", "contents=read")
def branch(call: Call) -> Response:
    name = call.values["branch"]
    sha = call.repository.git.ref(f"refs/heads/{name}")
    if sha is None:
        raise not_found()
    links = {"self": call.url("branches", name), "html": call.place.page(f"tree/{name}")}
    return Response(
        200, {**protection(call, name), "commit": commit(call.place, sha), "_links": links}
    )


@route("GET", "/repos/{owner}/{repo}/commits", "contents=read")
def commits(call: Call) -> Response:
    query = call.request.query
    sha = call.repository.commit(query.get("sha", call.repository.default_branch))
    paths = ["--", query["path"]] if "path" in query else []
    listed = call.repository.git.git("rev-list", sha, *paths).splitlines()
    part, headers = call.cut(listed)
    return Response(200, [commit(call.place, one) for one in part], headers)


@route("GET", "/repos/{owner}/{repo}/commits/{ref}", "contents=read")
def one_commit(call: Call) -> Response:
    try:
        sha = call.repository.commit(call.values["ref"])
    except Exception as error:
        raise invalid_commit(call.values["ref"]) from error
    shape = commit(call.place, sha)
    parents = shape["parents"]
    changed = files(call.place, parents[0]["sha"] if parents else empty_tree(call), sha)
    added = sum(item["additions"] for item in changed)
    removed = sum(item["deletions"] for item in changed)
    shape["stats"] = {"additions": added, "deletions": removed, "total": added + removed}
    shape["files"] = changed
    return Response(200, shape)


def invalid_commit(name: str) -> Exception:
    refusal = invalid("Commit", "sha", "invalid")
    refusal.message = f"No commit found for SHA: {name}"
    return refusal


def empty_tree(call: Call) -> str:
    return call.repository.git.git("hash-object", "-t", "tree", "-w", "--stdin")


@route("GET", "/repos/{owner}/{repo}/commits/{commit_sha}/pulls", "pull_requests=read")
def pulls_of_commit(call: Call) -> Response:
    """Open pull requests whose branch holds the commit. A fork's commit is unknown here: []."""
    git, sha = call.repository.git, call.values["commit_sha"]
    found = []
    for issue in call.repository.issues.values():
        head = git.ref(f"refs/heads/{issue['pull']['head_ref']}") if "pull" in issue else None
        local = head and issue["pull"]["head_repository"] == call.repository.full_name
        if local and git.is_ancestor(sha, head or ""):
            found.append(pull_simple(call.state, call.place, issue))
    return call.page(found or pulls_upstream(call, sha))


def pulls_upstream(call: Call, sha: str) -> list[Json]:
    """Asked of a fork, GitHub also finds the pull requests that it sent to its parent."""
    parent = call.repository.fork_of
    if parent is None:
        return []
    upstream = call.state.repository(parent)
    place = type(call.place)(upstream, call.request.api, call.request.web)
    return [
        pull_simple(call.state, place, issue)
        for issue in upstream.issues.values()
        if "pull" in issue
        and issue["pull"]["head_repository"] == call.repository.full_name
        and issue["pull"]["head_sha"] == sha
    ]


@route("GET", "/repos/{owner}/{repo}/compare/{basehead}", "contents=read")
def compare(call: Call) -> Response:
    base_name, separator, head_name = call.values["basehead"].partition("...")
    if not separator:
        raise not_found()
    base, head = side(call, base_name), side(call, head_name)
    git, place = call.repository.git, call.place
    merge_base = git.merge_base(base, head)
    if merge_base is None:
        raise not_found()
    ahead, behind = git.between(base, head), git.between(head, base)
    page = place.page(f"compare/{call.values['basehead']}")
    part, headers = call.cut(ahead) if "per_page" in call.request.query else (ahead[:COMPARED], {})
    shape = {
        "url": call.url("compare", call.values["basehead"]),
        "html_url": page,
        "permalink_url": place.page(f"compare/{base[:12]}...{head[:12]}"),
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "base_commit": commit(place, base),
        "merge_base_commit": commit(place, merge_base),
        "status": status(len(ahead), len(behind)),
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "commits": [commit(place, sha) for sha in part],
        "files": files(place, merge_base, head),
    }
    return Response(200, shape, headers)


def side(call: Call, name: str) -> str:
    """`branch`, a sha, or `owner:branch` of a fork whose objects are here (a pull request's)."""
    owner, separator, ref = name.partition(":")
    if not separator or owner == call.repository.owner:
        return call.repository.commit(ref or name)
    for fork in call.state.repositories.values():
        if fork.owner == owner and fork.fork_of == call.repository.full_name:
            return call.repository.commit(fork.commit(ref))
    raise not_found()


def status(ahead: int, behind: int) -> str:
    if ahead and behind:
        return "diverged"
    return "ahead" if ahead else "behind" if behind else "identical"
