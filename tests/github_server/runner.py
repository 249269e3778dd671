"""The environment and the files that GitHub's runner gives a job."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.github_server.messages import Json
from tests.github_server.server import GitHub
from tests.github_server.uploads import runner_token

FILES = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_STATE", "GITHUB_ENV", "GITHUB_PATH")


@dataclass(frozen=True)
class Job:
    """One job of one run. `workspace` is where the repository is checked out; `environ` what the
    workflow's `env:` adds."""

    event_name: str
    payload: Json
    workspace: Path
    run_id: int = 1
    attempt: int = 1
    token: str = "workflow-token"
    enterprise: bool = False
    environ: Mapping[str, str] = field(default_factory=dict)


def environment(github: GitHub, job: Job, folder: Path) -> dict[str, str]:
    """GITHUB_* and RUNNER_* variables; event, output, summary and state files are in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    event = folder / "event.json"
    event.write_text(json.dumps(job.payload), encoding="utf-8")
    for name in FILES:
        (folder / name).touch()
    full_name = job.payload["repository"]["full_name"]
    repository = github.state.repository(full_name)
    return {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": job.event_name,
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REPOSITORY": full_name,
        "GITHUB_REPOSITORY_OWNER": full_name.partition("/")[0],
        "GITHUB_ACTOR": job.payload["sender"]["login"],
        "GITHUB_SERVER_URL": github.url,
        "GITHUB_API_URL": github.enterprise_api if job.enterprise else github.url,
        "GITHUB_WORKSPACE": str(job.workspace),
        "GITHUB_RUN_ID": str(job.run_id),
        "GITHUB_RUN_NUMBER": str(job.run_id),
        "GITHUB_RUN_ATTEMPT": str(job.attempt),
        "GITHUB_WORKFLOW": "mlops-ci",
        "GITHUB_JOB": "model",
        "GITHUB_REPOSITORY_ID": str(repository.id),
        "ACTIONS_RESULTS_URL": f"{github.url}/",
        "ACTIONS_RUNTIME_TOKEN": runner_token(repository, job.run_id),
        "RUNNER_OS": "Linux",
        "RUNNER_ARCH": "X64",
        "RUNNER_TEMP": str(folder),
        **dict(zip(FILES, (str(folder / name) for name in FILES), strict=True)),
        **refs(github, job),
        **job.environ,
    }


def refs(github: GitHub, job: Job) -> dict[str, str]:
    """GITHUB_SHA of a pull request is its merge commit, which nobody should report on."""
    payload = job.payload
    repository = github.state.repository(payload["repository"]["full_name"])
    default = f"refs/heads/{repository.default_branch}"
    if job.event_name == "pull_request":
        pull = payload["pull_request"]
        ref = f"refs/pull/{payload['number']}/merge"
        found = {"GITHUB_HEAD_REF": pull["head"]["ref"], "GITHUB_BASE_REF": pull["base"]["ref"]}
    elif job.event_name == "merge_group":
        ref, found = payload["merge_group"]["head_ref"], {}
    else:
        ref, found = payload.get("ref", default), {}
    sha = payload.get("after") if job.event_name == "push" else repository.git.ref(ref)
    kind = "tag" if ref.startswith("refs/tags/") else "branch"
    name = ref.removeprefix("refs/heads/").removeprefix("refs/tags/").removeprefix("refs/pull/")
    return {
        **found,
        "GITHUB_REF": ref,
        "GITHUB_REF_NAME": name,
        "GITHUB_REF_TYPE": kind,
        "GITHUB_SHA": sha or "",
    }
