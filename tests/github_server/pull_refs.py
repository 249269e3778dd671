"""Keeps `refs/pull/N/head` and `refs/pull/N/merge` where GitHub would have them."""

from __future__ import annotations

from tests.github_server.git import run_git
from tests.github_server.messages import Json
from tests.github_server.state import Repository, State


def refresh(state: State) -> None:
    """After anything moved: every open pull request of every repository."""
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
    merged = repository.git.merge(base, head, f"Merge {head} into {base}")
    if merged is None:
        repository.git.delete(f"refs/pull/{number}/merge")
    else:
        repository.git.update(f"refs/pull/{number}/merge", merged)
    pull["head_sha"], pull["base_sha"] = head, base
