"""Event files as a runner gets them, for the things that a server's state holds."""

from __future__ import annotations

from dataclasses import dataclass

from tests.github_server.messages import Json
from tests.github_server.pull_refs import refresh
from tests.github_server.shapes.commits import Place, read_commit
from tests.github_server.shapes.pulls import comment, issue, pull_whole
from tests.github_server.shapes.repositories import whole
from tests.github_server.shapes.runs import run
from tests.github_server.shapes.users import organization, simple_user
from tests.github_server.state import Repository, State, timestamp

ZEROS = "0" * 40


@dataclass(frozen=True)
class Events:
    """Each method returns the payload; write it to the file that GITHUB_EVENT_PATH names."""

    state: State
    api: str
    web: str
    full_name: str

    @property
    def repository(self) -> Repository:
        return self.state.repository(self.full_name)

    @property
    def place(self) -> Place:
        return Place(self.repository, self.api, self.web)

    def common(self, sender: str) -> Json:
        shape = whole(self.state, self.repository, self.api, self.web)
        found: Json = {
            "repository": {**shape, "custom_properties": {}},
            "sender": simple_user(self.state.user(sender), self.api, self.web),
        }
        owner = self.state.user(self.repository.owner)
        if owner.type == "Organization":
            found["organization"] = organization(owner, self.api, self.web)
        return found

    def pull_request(self, number: int, action: str = "opened", before: str = ZEROS) -> Json:
        """`opened`, `reopened`, or `synchronize` (from `before` to where the branch is now)."""
        refresh(self.state)
        record = self.repository.pull(number)
        payload: Json = {
            "action": action,
            "number": number,
            "pull_request": pull_whole(self.state, self.place, record),
            **self.common(record["author"]),
        }
        if action == "synchronize":
            payload |= {"before": before, "after": payload["pull_request"]["head"]["sha"]}
        return payload

    def push(self, before: str, after: str, ref: str = "refs/heads/main", by: str = "dev") -> Json:
        git = self.repository.git
        shas = git.between(before, after) if before != ZEROS else [after]
        commits = [self.pushed(sha) for sha in shas]
        common = self.common(by)
        owner = {**common["repository"]["owner"], "name": self.repository.owner, "email": None}
        common["repository"] |= {
            "owner": owner,
            "created_at": 1_763_000_000,
            "pushed_at": 1_763_700_000,
            "stargazers": 0,
            "master_branch": self.repository.default_branch,
        }
        return {
            "ref": ref,
            "before": before,
            "after": after,
            "created": before == ZEROS,
            "deleted": False,
            "forced": before != ZEROS and not git.is_ancestor(before, after),
            "base_ref": None,
            "compare": self.place.page(f"compare/{before[:12]}...{after[:12]}"),
            "commits": commits,
            "head_commit": commits[-1] if commits else None,
            "pusher": {"name": by, "email": f"{by}@example.org"},
            **common,
        }

    def pushed(self, sha: str) -> Json:
        found = read_commit(self.repository.git, sha)
        changed: dict[str, list[str]] = {"added": [], "removed": [], "modified": []}
        if found.parents:
            for change in self.repository.git.changes(found.parents[0], sha):
                kind = change.status if change.status in changed else "modified"
                changed[kind].append(change.filename)
        return {
            "id": sha,
            "tree_id": found.tree,
            "distinct": True,
            "message": found.message,
            "timestamp": found.committer["date"],
            "url": self.place.page(f"commit/{sha}"),
            "author": {**found.author, "username": found.author["name"]},
            "committer": {**found.committer, "username": found.committer["name"]},
            **changed,
        }

    def merge_group(self, number: int, by: str = "maintainer") -> Json:
        """The queue's branch for one pull request; makes it in the repository."""
        refresh(self.state)
        git, record = self.repository.git, self.repository.pull(number)
        base = self.repository.commit(record["pull"]["base_ref"])
        sha = git.ref(f"refs/pull/{number}/merge") or ""
        branch = f"gh-readonly-queue/{record['pull']['base_ref']}/pr-{number}-{base}"
        git.update(f"refs/heads/{branch}", sha)
        found = read_commit(git, sha)
        return {
            "action": "checks_requested",
            "merge_group": {
                "head_sha": sha,
                "head_ref": f"refs/heads/{branch}",
                "base_sha": base,
                "base_ref": f"refs/heads/{record['pull']['base_ref']}",
                "head_commit": {
                    "id": sha,
                    "tree_id": found.tree,
                    "message": found.message,
                    "timestamp": found.committer["date"],
                    "author": person(found.author),
                    "committer": person(found.committer),
                },
            },
            **self.common(by),
        }

    def workflow_dispatch(self, inputs: Json, workflow: str, by: str = "maintainer") -> Json:
        return {
            "inputs": inputs,
            "ref": f"refs/heads/{self.repository.default_branch}",
            "workflow": workflow,
            **self.common(by),
        }

    def issue_comment(self, number: int, body: str, by: str) -> Json:
        """Somebody comments; the comment is in the state, too."""
        from tests.github_server.seed import add_comment

        record = self.repository.issue(number)
        made = add_comment(self.state, self.repository, number, body, by)
        return {
            "action": "created",
            "issue": issue(self.state, self.place, record),
            "comment": comment(self.state, self.place, made),
            **self.common(by),
        }

    def workflow_run(self, run_id: int, by: str = "dev") -> Json:
        """Completed; what the second stage of a fork's report starts from."""
        shape = run(self.state, self.place, self.repository.runs[run_id])
        path = shape["path"]
        return {
            "action": "completed",
            "workflow_run": shape,
            "workflow": {
                "id": shape["workflow_id"],
                "node_id": shape["node_id"],
                "name": shape["name"],
                "path": path,
                "state": "active",
                "created_at": shape["created_at"],
                "updated_at": shape["updated_at"],
                "url": shape["workflow_url"],
                "html_url": self.place.page(f"blob/main/{path}"),
                "badge_url": self.place.page(f"workflows/{shape['workflow_id']}/badge.svg"),
            },
            **self.common(by),
        }

    def schedule(self, cron: str = "0 6 * * 1") -> Json:
        common = self.common(self.repository.owner)
        return {"schedule": cron, "workflow": ".github/workflows/monitor.yml", **common}


def person(found: Json) -> Json:
    return {"name": found["name"], "email": found["email"]}


__all__ = ["ZEROS", "Events", "timestamp"]
