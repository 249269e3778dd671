"""Pull requests and the issues that they also are."""

from __future__ import annotations

from tests.github_server.messages import Json
from tests.github_server.shapes import node_id
from tests.github_server.shapes.commits import Place
from tests.github_server.shapes.repositories import whole
from tests.github_server.shapes.users import app, simple_user
from tests.github_server.state import Repository, State

CONTENTS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "eyes", "rocket")


def head_repository(state: State, issue: Json) -> Repository:
    return state.repository(issue["pull"]["head_repository"])


def head_sha(state: State, repository: Repository, issue: Json) -> str:
    """The branch's tip while the pull request is open; afterwards where it stood."""
    pull = issue["pull"]
    fork = head_repository(state, issue)
    live = fork.git.ref(f"refs/heads/{pull['head_ref']}") if issue["state"] == "open" else None
    if live is None or fork is not repository:
        live = repository.git.ref(f"refs/pull/{issue['number']}/head") or live
    return live or pull["head_sha"]


def base_sha(repository: Repository, issue: Json) -> str:
    return (
        repository.git.ref(f"refs/heads/{issue['pull']['base_ref']}") or issue["pull"]["base_sha"]
    )


def side(state: State, repository: Repository, ref: str, sha: str, place: Place) -> Json:
    return {
        "label": f"{repository.owner}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": simple_user(state.user(repository.owner), place.api, place.web),
        "repo": whole(state, repository, place.api, place.web),
    }


def label(place: Place, record: Json) -> Json:
    return {
        "id": record["id"],
        "node_id": node_id("Label", record["id"]),
        "url": place.url(f"labels/{record['name']}"),
        "name": record["name"],
        "description": record.get("description"),
        "color": record["color"],
        "default": False,
    }


def labels_of(place: Place, issue: Json) -> list[Json]:
    return [label(place, place.repository.labels[name]) for name in issue["labels"]]


def pull_simple(state: State, place: Place, issue: Json) -> Json:
    repository, number = place.repository, issue["number"]
    url, page = place.url(f"pulls/{number}"), place.page(f"pull/{number}")
    issue_url = place.url(f"issues/{number}")
    head = head_sha(state, repository, issue)
    pull = issue["pull"]
    shape: Json = {
        "id": issue["id"],
        "node_id": node_id("PullRequest", issue["id"]),
        "url": url,
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": issue_url,
        "commits_url": f"{url}/commits",
        "review_comments_url": f"{url}/comments",
        "review_comment_url": place.url("pulls/comments{/number}"),
        "comments_url": f"{issue_url}/comments",
        "statuses_url": place.url(f"statuses/{head}"),
        "number": number,
        "state": issue["state"],
        "locked": False,
        "title": issue["title"],
        "user": simple_user(state.user(issue["author"]), place.api, place.web),
        "body": issue["body"],
        "labels": labels_of(place, issue),
        "milestone": None,
        "created_at": issue["created_at"],
        "updated_at": issue["updated_at"],
        "closed_at": issue["closed_at"],
        "merged_at": pull["merged_at"],
        "merge_commit_sha": repository.git.ref(f"refs/pull/{number}/merge"),
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "head": side(state, head_repository(state, issue), pull["head_ref"], head, place),
        "base": side(state, repository, pull["base_ref"], base_sha(repository, issue), place),
        "author_association": association(repository, issue["author"]),
        "auto_merge": None,
        "active_lock_reason": None,
        "draft": pull["draft"],
    }
    shape["_links"] = links(shape)
    return shape


def links(shape: Json) -> Json:
    names = {"self": "url", "html": "html_url", "issue": "issue_url", "comments": "comments_url"}
    names |= {kind: f"{kind}_url" for kind in ("review_comments", "review_comment")}
    names |= {kind: f"{kind}_url" for kind in ("commits", "statuses")}
    return {name: {"href": shape[key]} for name, key in names.items()}


def pull_whole(state: State, place: Place, issue: Json) -> Json:
    shape = pull_simple(state, place, issue)
    git, base, head = place.repository.git, shape["base"]["sha"], shape["head"]["sha"]
    changes = git.changes(git.merge_base(base, head) or base, head)
    merged = issue["pull"]["merged_at"] is not None
    comments = [
        item for item in place.repository.comments.values() if item["issue"] == issue["number"]
    ]
    mergeable = shape["merge_commit_sha"] is not None
    return {
        **shape,
        "merged": merged,
        "mergeable": None if merged else mergeable,
        "rebaseable": None if merged else mergeable,
        "mergeable_state": "unknown" if merged else "clean" if mergeable else "dirty",
        "merged_by": None,
        "comments": len(comments),
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": len(git.between(base, head)),
        "additions": sum(change.additions for change in changes),
        "deletions": sum(change.deletions for change in changes),
        "changed_files": len(changes),
    }


def pulls_at(state: State, place: Place, sha: str) -> list[Json]:
    """Open pull requests of this repository's own branches with that head; never a fork's."""
    return [
        pull_minimal(state, place, record)
        for record in place.repository.issues.values()
        if "pull" in record
        and record["state"] == "open"
        and head_repository(state, record) is place.repository
        and head_sha(state, place.repository, record) == sha
    ]


def pull_minimal(state: State, place: Place, record: Json) -> Json:
    repository, pull = place.repository, record["pull"]
    home = f"{place.api}/repos/{repository.full_name}"
    repo = {"id": repository.id, "name": repository.name, "url": home}
    head = head_sha(state, repository, record)
    return {
        "id": record["id"],
        "number": record["number"],
        "url": place.url(f"pulls/{record['number']}"),
        "head": {"ref": pull["head_ref"], "sha": head, "repo": repo},
        "base": {"ref": pull["base_ref"], "sha": base_sha(repository, record), "repo": repo},
    }


def association(repository: Repository, login: str) -> str:
    if login == repository.owner:
        return "OWNER"
    return "COLLABORATOR" if login in repository.collaborators else "NONE"


def issue(state: State, place: Place, record: Json) -> Json:
    number = record["number"]
    url = place.url(f"issues/{number}")
    kind = "pull" if "pull" in record else "issues"
    comments = [item for item in place.repository.comments.values() if item["issue"] == number]
    shape: Json = {
        "id": record["id"],
        "node_id": node_id("Issue", record["id"]),
        "url": url,
        "repository_url": f"{place.api}/repos/{place.repository.full_name}",
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "timeline_url": f"{url}/timeline",
        "html_url": place.page(f"{kind}/{number}"),
        "number": number,
        "title": record["title"],
        "user": simple_user(state.user(record["author"]), place.api, place.web),
        "labels": labels_of(place, record),
        "state": record["state"],
        "state_reason": record.get("state_reason"),
        "locked": False,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": len(comments),
        "created_at": record["created_at"],
        "updated_at": record["updated_at"],
        "closed_at": record["closed_at"],
        "author_association": association(place.repository, record["author"]),
        "active_lock_reason": None,
        "body": record["body"],
        "reactions": rollup(place, "issue", record["number"], f"{url}/reactions"),
    }
    if "pull" in record:
        shape["draft"] = record["pull"]["draft"]
        shape["pull_request"] = pull_part(place, record)
    return shape


def pull_part(place: Place, record: Json) -> Json:
    page = place.page(f"pull/{record['number']}")
    return {
        "url": place.url(f"pulls/{record['number']}"),
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "merged_at": record["pull"]["merged_at"],
    }


def comment(state: State, place: Place, record: Json) -> Json:
    url = place.url(f"issues/comments/{record['id']}")
    kind = "pull" if "pull" in place.repository.issues[record["issue"]] else "issues"
    return {
        "id": record["id"],
        "node_id": node_id("IssueComment", record["id"]),
        "url": url,
        "html_url": place.page(f"{kind}/{record['issue']}#issuecomment-{record['id']}"),
        "issue_url": place.url(f"issues/{record['issue']}"),
        "user": simple_user(state.user(record["author"]), place.api, place.web),
        "created_at": record["created_at"],
        "updated_at": record["updated_at"],
        "author_association": association(place.repository, record["author"]),
        "body": record["body"],
        "reactions": rollup(place, "comment", record["id"], f"{url}/reactions"),
        "performed_via_github_app": through(state, place, record["author"]),
    }


def through(state: State, place: Place, login: str) -> Json | None:
    """The App whose bot wrote it."""
    found = state.apps.get(login.removesuffix("[bot]")) if login.endswith("[bot]") else None
    if found is None:
        return None
    return app(found, {}, state.user(found.owner), place.api, place.web)


def rollup(place: Place, kind: str, target: int, url: str) -> Json:
    given = [
        item["content"]
        for item in place.repository.reactions.values()
        if (item["kind"], item["target"]) == (kind, target)
    ]
    counts = {content: given.count(content) for content in CONTENTS}
    return {"url": url, "total_count": len(given), **counts}
