"""Keeps `refs/pull/N/head` and `refs/pull/N/merge` where GitHub would have them."""

from __future__ import annotations

from tests.github_server.git import run_git
from tests.github_server.messages import Json
from tests.github_server.state import Repository, State, timestamp


def refresh(state: State) -> None:
    """Every open pull request of every repository, wherever a push came in: here, or on disk."""
    for repository in state.repositories.values():
        for issue in repository.issues.values():
            if "pull" in issue and issue["state"] == "open":
                refresh_pull(state, repository, issue)


def refresh_pull(state: State, repository: Repository, issue: Json) -> None:
    pull, number = issue["pull"], issue["number"]
    fork = state.repository(pull["head_repository"])
    head = fork.git.ref(f"refs/heads/{pull['head_ref']}")
    base = repository.git.ref(f"refs/heads/{pull['base_ref']}")
    if head is None or base is None or (head, base) == (pull["head_sha"], pull["base_sha"]):
        return
    if fork is not repository:
        run_git(["fetch", "--quiet", str(fork.git.path), head], repository.git.path)
    repository.git.update(f"refs/pull/{number}/head", head)
    moved = pull["base_sha"] not in {"", base}
    pull["head_sha"], pull["base_sha"] = head, base
    if moved and repository.git.is_ancestor(head, base):
        close_merged(issue)
        return
    merged = repository.git.merge(base, head, f"Merge {head} into {base}")
    if merged is None:
        repository.git.delete(f"refs/pull/{number}/merge")
    else:
        repository.git.update(f"refs/pull/{number}/merge", merged)


def close_merged(issue: Json) -> None:
    """A push to the base branch that holds the head merges the pull request."""
    issue["state"] = "closed"
    issue["closed_at"] = issue["updated_at"] = issue["pull"]["merged_at"] = timestamp()
