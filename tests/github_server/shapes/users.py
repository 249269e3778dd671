"""Users, bots and Apps."""

from __future__ import annotations

from urllib.parse import quote

from tests.github_server.messages import Json
from tests.github_server.shapes import node_id
from tests.github_server.state import App, User

STARTED = "2024-01-01T00:00:00Z"
PARTS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}


def simple_user(user: User, api: str, web: str) -> Json:
    url = f"{api}/users/{quote(user.login)}"
    page = user.login.removesuffix("[bot]")
    return {
        "login": user.login,
        "id": user.id,
        "node_id": node_id("User", user.id),
        "avatar_url": f"{web}/avatars/u/{user.id}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{web}/apps/{page}" if user.type == "Bot" else f"{web}/{page}",
        **{name: url + part for name, part in PARTS.items()},
        "type": user.type,
        "user_view_type": "public",
        "site_admin": False,
    }


def full_user(user: User, api: str, web: str) -> Json:
    unset = ("company", "email", "hireable", "location", "bio", "twitter_username")
    return {
        **simple_user(user, api, web),
        "name": user.name,
        "blog": "",
        **dict.fromkeys(unset),
        **dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0),
        "created_at": STARTED,
        "updated_at": STARTED,
    }


def organization(user: User, api: str, web: str) -> Json:
    """As webhooks carry it."""
    url = f"{api}/orgs/{user.login}"
    lists = ("repos", "events", "hooks", "issues")
    return {
        "login": user.login,
        "id": user.id,
        "node_id": node_id("Organization", user.id),
        "url": url,
        **{f"{name}_url": f"{url}/{name}" for name in lists},
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
        "avatar_url": f"{web}/avatars/u/{user.id}",
        "description": "",
    }


def app(found: App, permissions: Json, owner: User, api: str, web: str) -> Json:
    return {
        "id": found.id,
        "slug": found.slug,
        "node_id": node_id("App", found.id),
        "owner": simple_user(owner, api, web),
        "name": found.slug,
        "description": "",
        "external_url": f"{web}/apps/{found.slug}",
        "html_url": f"{web}/apps/{found.slug}",
        "created_at": STARTED,
        "updated_at": STARTED,
        "permissions": {"metadata": "read", **permissions},
        "events": [],
    }
