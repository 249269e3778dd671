"""A repository, as `full`, as part of other answers, and as webhooks carry it."""

from __future__ import annotations

from tests.github_server.messages import Json
from tests.github_server.shapes import node_id
from tests.github_server.shapes.users import simple_user
from tests.github_server.state import Repository, State

PARTS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
ABSENT = ("homepage", "language", "mirror_url", "license")
COUNTS = ("forks", "forks_count", "stargazers_count", "watchers", "watchers_count", "size")
MERGING = {
    "allow_merge_commit": True,
    "allow_squash_merge": True,
    "allow_rebase_merge": True,
    "allow_auto_merge": False,
    "delete_branch_on_merge": False,
}
SWITCHES = {
    "has_issues": True,
    "has_projects": False,
    "has_wiki": False,
    "has_pages": False,
    "has_discussions": False,
    "has_downloads": False,
    "archived": False,
    "disabled": False,
    "is_template": False,
    "allow_forking": True,
    "web_commit_signoff_required": False,
}


def minimal(state: State, repository: Repository, api: str, web: str) -> Json:
    url = f"{api}/repos/{repository.full_name}"
    page = f"{web}/{repository.full_name}"
    return {
        "id": repository.id,
        "node_id": node_id("Repository", repository.id),
        "name": repository.name,
        "full_name": repository.full_name,
        "private": repository.private,
        "owner": simple_user(state.user(repository.owner), api, web),
        "html_url": page,
        "description": None,
        "fork": repository.fork_of is not None,
        "url": url,
        **{name: url + part for name, part in PARTS.items()},
    }


def whole(state: State, repository: Repository, api: str, web: str) -> Json:
    page = f"{web}/{repository.full_name}"
    open_issues = sum(issue["state"] == "open" for issue in repository.issues.values())
    return {
        **minimal(state, repository, api, web),
        **dict.fromkeys(ABSENT),
        **dict.fromkeys(COUNTS, 0),
        **SWITCHES,
        "created_at": repository.created_at,
        "updated_at": repository.created_at,
        "pushed_at": repository.created_at,
        "git_url": page.replace("http", "git", 1) + ".git",
        "ssh_url": f"git@{web.partition('//')[2].partition(':')[0]}:{repository.full_name}.git",
        "clone_url": f"{page}.git",
        "svn_url": page,
        "default_branch": repository.default_branch,
        "visibility": "private" if repository.private else "public",
        "topics": [],
        "open_issues": open_issues,
        "open_issues_count": open_issues,
    }


def full(state: State, repository: Repository, api: str, web: str) -> Json:
    shape = {
        **whole(state, repository, api, web),
        **MERGING,
        "network_count": 0,
        "subscribers_count": 0,
    }
    if repository.fork_of is not None:
        parent = whole(state, state.repository(repository.fork_of), api, web)
        shape |= {"parent": parent, "source": parent}
    return shape
