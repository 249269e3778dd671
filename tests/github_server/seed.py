"""What a server starts with, read from JSON. The format is in README.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.github_server.git import BareRepository, create_bare, run_git
from tests.github_server.messages import Json
from tests.github_server.pull_refs import refresh
from tests.github_server.runs import add_run
from tests.github_server.state import App, Repository, State, Token, User, timestamp

WORKFLOW_APP = "github-actions"
WORKFLOW_APP_ID = 15368
WORKFLOW_BOT = "github-actions[bot]"
WORKFLOW_BOT_ID = 41898282
WORKFLOW_PERMISSIONS = (
    "actions",
    "attestations",
    "checks",
    "contents",
    "deployments",
    "discussions",
    "issues",
    "packages",
    "pages",
    "pull_requests",
    "statuses",
)
KINDS = ("workflow", "app", "pat")


def fill(state: State, seed: Json) -> None:
    state.users[WORKFLOW_BOT] = User(WORKFLOW_BOT, WORKFLOW_BOT_ID, "Bot")
    state.apps[WORKFLOW_APP] = App(WORKFLOW_APP, WORKFLOW_APP_ID, "github")
    for user in seed.get("users", []):
        add_user(state, user)
    for app in seed.get("apps", []):
        add_app(state, app)
    for repository in seed.get("repositories", []):
        add_repository(state, repository)
    for value, token in seed.get("tokens", {}).items():
        add_token(state, value, token)
    if seed.get("content_limits", True) is None:
        state.content_limits = ()
    refresh(state)


def add_user(state: State, found: Json) -> User:
    user = User(
        found["login"],
        found.get("id") or state.new_id(),
        found.get("type", "User"),
        found.get("name"),
    )
    state.users[user.login] = user
    return user


def add_app(state: State, found: Json) -> App:
    app = App(
        found["slug"],
        found.get("id") or state.new_id(),
        found.get("owner", "github"),
        found.get("public_key"),
    )
    for installation in found.get("installations", []):
        number = installation.get("id") or state.new_id()
        app.installations.append({**installation, "id": number})
    state.apps[app.slug] = app
    state.user(f"{app.slug}[bot]")
    return app


def add_token(state: State, value: str, found: Json) -> Token:
    """`permissions` may also be `read-all` or `write-all`; hyphens are as good as underscores."""
    kind = found["kind"]
    if kind not in KINDS:
        raise ValueError(f"token kind {kind!r}: one of {', '.join(KINDS)}")
    app = {"workflow": WORKFLOW_APP, "app": found.get("app"), "pat": None}[kind]
    if kind == "app" and app not in state.apps:
        raise ValueError(f"a token of the App {app!r}, which `apps` does not declare")
    login = found["user"] if kind == "pat" else f"{app}[bot]"
    names = found.get("repositories") or ([found["repository"]] if "repository" in found else [])
    token = Token(value, kind, login, app, permissions(found.get("permissions"), kind), names)
    token.rate = found.get("rate", 1000 if kind == "workflow" else 5000)
    state.user(login)
    state.tokens[value] = token
    return token


def permissions(found: Any, kind: str) -> dict[str, str] | None:
    if isinstance(found, str):
        return dict.fromkeys(WORKFLOW_PERMISSIONS, found.removesuffix("-all"))
    if found is None:
        return None if kind == "pat" else {}
    return {name.replace("-", "_"): value for name, value in found.items()}


def add_repository(state: State, found: Json) -> Repository:
    """`git` is a folder to copy (bare or not); without it the bare one under the root is used."""
    owner, _, name = found["full_name"].partition("/")
    branch = found.get("default_branch", "main")
    path = state.root / owner / f"{name}.git"
    git = BareRepository(path) if (path / "HEAD").exists() else create_bare(path, branch)
    if "git" in found:
        copy_refs(Path(found["git"]), git)
    repository = Repository(
        owner,
        name,
        found.get("id") or state.new_id(),
        git,
        private=found.get("private", False),
        default_branch=branch,
        fork_of=found.get("fork_of"),
        collaborators=dict(found.get("collaborators", {})),
    )
    state.user(owner)
    state.repositories[repository.full_name.lower()] = repository
    for pull in found.get("pulls", []):
        add_pull(state, repository, pull)
    for issue in found.get("issues", []):
        add_issue(state, repository, issue)
    for comment in found.get("comments", []):
        add_comment(state, repository, **comment)
    for run in found.get("runs", []):
        add_run(state, repository, run)
    return repository


def copy_refs(source: Path, git: BareRepository) -> None:
    run_git(["fetch", "--quiet", str(source.resolve()), "+refs/*:refs/*"], git.path)


def add_issue(state: State, repository: Repository, found: Json) -> Json:
    number = found.get("number") or repository.next_number()
    now = timestamp()
    issue: Json = {
        "id": state.new_id(),
        "number": number,
        "title": found["title"],
        "body": found.get("body"),
        "author": found.get("author", repository.owner),
        "state": "open",
        "labels": list(found.get("labels", [])),
        "created_at": now,
        "updated_at": now,
        "closed_at": None,
    }
    for label in issue["labels"]:
        add_label(state, repository, label)
    repository.issues[number] = issue
    return issue


def add_label(
    state: State, repository: Repository, name: str, color: str = "ededed", about: str | None = None
) -> Json:
    known = {"id": state.new_id(), "name": name, "color": color, "description": about}
    return repository.labels.setdefault(name, known)


def add_pull(state: State, repository: Repository, found: Json) -> Json:
    """`head` is a branch, of `head_repository` when it is a fork's."""
    issue = add_issue(state, repository, found)
    issue["pull"] = {
        "head_ref": found["head"],
        "head_repository": found.get("head_repository", repository.full_name),
        "base_ref": found.get("base", repository.default_branch),
        "head_sha": "",
        "base_sha": "",
        "draft": found.get("draft", False),
        "merged_at": None,
    }
    return issue


def add_comment(
    state: State, repository: Repository, issue: int, body: str, author: str = WORKFLOW_BOT
) -> Json:
    now = timestamp()
    comment: Json = {
        "id": state.new_id(),
        "issue": issue,
        "author": author,
        "body": body,
        "created_at": now,
        "updated_at": now,
    }
    repository.comments[comment["id"]] = comment
    return comment
