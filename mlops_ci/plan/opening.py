"""From a project and an event to a plan: base, what changed, the store."""

from __future__ import annotations

from mlops_ci.baseline import Access, open_store
from mlops_ci.baseline.commit import Base, find_base
from mlops_ci.baseline.git_store import header_of
from mlops_ci.baseline.store import Store
from mlops_ci.errors import ConfigError, MlopsCiError, UsageError
from mlops_ci.git import FETCH_DEPTH
from mlops_ci.plan.choice import Change, Occasion, Plan, make_plan, ship_unshipped
from mlops_ci.project import Project
from mlops_ci.steps.key import command_of, training_key
from mlops_ci.steps.tree import WorkTree


def plan_project(project: Project, occasion: Occasion, store: Store | None = None) -> Plan:
    """`store`: where a merge looks whether the merges before it have ended well.

    Raises UsageError for an unknown model or when another commit than the event's head is checked
    out, BaselineError when base is not in this clone."""
    for name in occasion.models:
        project.model(name)
    _refuse_other_head(project, occasion)
    base = find_base(project, occasion.asked)
    plan = make_plan(project.config, occasion, base, _change(project, occasion, base))
    if not occasion.ships or store is None:
        return plan
    idle = [model.name for model in plan.models if not model.steps]
    missing = [name for name in idle if _unshipped(project, name, store)]
    return ship_unshipped(plan, project.config, missing)


def store_of(project: Project, access: Access | None = None) -> Store | None:
    """`access` is the event's own repository and token; None: `origin` with Git's own keys."""
    return open_store(project, access)


def store_here(project: Project) -> Store:
    """For a command of its own: in a job, by GITHUB_TOKEN, as a checkout keeps no credentials.

    Raises UsageError where there is none."""
    environ, access = project.world.environ, None
    token = environ.get("GITHUB_TOKEN")
    if token and environ.get("GITHUB_ACTIONS") == "true":
        server = environ.get("GITHUB_SERVER_URL", "https://github.com").rstrip("/")
        access = Access(f"{server}/{environ.get('GITHUB_REPOSITORY')}.git", header_of(token))
    store = store_of(project, access)
    if store is None:
        raise UsageError(
            "there is no store: this repository has no `origin`",
            where=str(project.root),
            fix="store: {backend: folder, path: /mnt/team/mlops-ci}",
        )
    return store


def _unshipped(project: Project, name: str, store: Store) -> bool:
    """A store that cannot be read says nothing. A model that another step trains has no key to be
    known by: its newest entry will do."""
    try:
        headers = store.list(name)
        if headers and command_of(project.config.models[name]):
            key = training_key(project, name, WorkTree(project)).key
            headers = tuple(header for header in headers if header.key == key)
    except MlopsCiError:
        return False
    newest = max(headers, key=lambda header: header.stored, default=None)
    return newest is None or newest.awaits


def _refuse_other_head(project: Project, occasion: Occasion) -> None:
    head, here = occasion.asked.head, project.git.head()
    if head is not None and head != here:
        raise UsageError(
            f"the event's head is {head[:12]}, but {here[:12]} is checked out "
            "(a merge commit that nobody wrote, perhaps)",
            where=str(project.git.root),
            fix=FETCH_DEPTH,
        )


def _change(project: Project, occasion: Occasion, base: Base | None) -> Change:
    if base is None:
        return Change()
    files = project.git.changed_files(base.commit, occasion.asked.head)
    inside = [
        path.removeprefix(project.prefix) for path in files if path.startswith(project.prefix)
    ]
    try:
        before = project.config_at(base.commit)
    except ConfigError:
        before = None
    return Change(inside, before)
