"""Workflow runs and artifacts."""

from __future__ import annotations

from tests.github_server.messages import Json
from tests.github_server.runs import EXPIRES, digest, workflow_id
from tests.github_server.shapes import node_id
from tests.github_server.shapes.commits import Place, read_commit
from tests.github_server.shapes.pulls import pulls_at
from tests.github_server.shapes.repositories import minimal
from tests.github_server.shapes.users import simple_user
from tests.github_server.state import State

KEPT = (
    "id",
    "name",
    "path",
    "event",
    "status",
    "conclusion",
    "head_branch",
    "head_sha",
    "run_attempt",
    "run_number",
    "created_at",
    "updated_at",
)


def run(state: State, place: Place, record: Json) -> Json:
    repository, url = place.repository, place.url(f"actions/runs/{record['id']}")
    workflow = workflow_id(repository, record["path"])
    head = state.repository(record["head_repository"])
    actor = simple_user(state.user(record["actor"]), place.api, place.web)
    commit = read_commit(head.git, record["head_sha"])
    return {
        **{name: record[name] for name in KEPT},
        "node_id": node_id("WorkflowRun", record["id"]),
        "display_title": commit.message.partition("\n")[0],
        "workflow_id": workflow,
        "check_suite_id": record["id"],
        "check_suite_node_id": node_id("CheckSuite", record["id"]),
        "url": url,
        "html_url": place.page(f"actions/runs/{record['id']}"),
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "check_suite_url": place.url(f"check-suites/{record['id']}"),
        "artifacts_url": f"{url}/artifacts",
        "cancel_url": f"{url}/cancel",
        "rerun_url": f"{url}/rerun",
        "previous_attempt_url": None,
        "workflow_url": place.url(f"actions/workflows/{workflow}"),
        "head_commit": {
            "id": commit.sha,
            "tree_id": commit.tree,
            "message": commit.message,
            "timestamp": commit.committer["date"],
            "author": {name: commit.author[name] for name in ("name", "email")},
            "committer": {name: commit.committer[name] for name in ("name", "email")},
        },
        "repository": minimal(state, repository, place.api, place.web),
        "head_repository": minimal(state, head, place.api, place.web),
        "actor": actor,
        "triggering_actor": actor,
        "run_started_at": record["created_at"],
        "pull_requests": pulls_at(state, place, record["head_sha"]),
        "referenced_workflows": [],
    }


def artifact(state: State, place: Place, record: Json) -> Json:
    url = place.url(f"actions/artifacts/{record['id']}")
    owner = place.repository.runs[record["run"]]
    return {
        "id": record["id"],
        "node_id": node_id("Artifact", record["id"]),
        "name": record["name"],
        "size_in_bytes": len(record["zip"]),
        "url": url,
        "archive_download_url": f"{url}/zip",
        "expired": record["expired"],
        "created_at": record["created_at"],
        "updated_at": record["created_at"],
        "expires_at": EXPIRES,
        "digest": digest(record),
        "workflow_run": {
            "id": owner["id"],
            "repository_id": place.repository.id,
            "head_repository_id": state.repository(owner["head_repository"]).id,
            "head_branch": owner["head_branch"],
            "head_sha": owner["head_sha"],
        },
    }
