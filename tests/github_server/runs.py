"""Workflows, as the repository holds them, and the runs and artifacts that tests declare."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import yaml

from tests.github_server.messages import Json, Refusal, not_found
from tests.github_server.state import Repository, State, timestamp

FOLDER = ".github/workflows"
EXPIRES = "2027-02-19T00:00:00Z"


def workflows(repository: Repository, ref: str | None = None) -> dict[str, Json]:
    """Path → the parsed file, as the ref (the default branch) has it."""
    sha = repository.git.resolve(ref or repository.default_branch)
    if sha is None:
        return {}
    names = repository.git.git("ls-tree", "--name-only", sha, f"{FOLDER}/").splitlines()
    return {
        name: yaml.safe_load(repository.git.read("show", f"{sha}:{name}")) or {}
        for name in names
        if name.endswith((".yml", ".yaml"))
    }


def workflow_id(repository: Repository, path: str) -> int:
    """The same for the same file in every run of the tests."""
    return zlib.crc32(f"{repository.full_name}/{path}".encode())


def find_workflow(repository: Repository, name: str) -> tuple[str, Json]:
    """By id or by file name, on the default branch, as GitHub looks it up."""
    for path, parsed in workflows(repository).items():
        if name in {str(workflow_id(repository, path)), path.rpartition("/")[2]}:
            return path, parsed
    raise not_found()


def triggers(parsed: Mapping[Any, Any]) -> Json:
    """What stands under `on:`, which YAML 1.1 reads as true."""
    found = parsed.get("on", parsed.get(True))
    if isinstance(found, str):
        return {found: None}
    if isinstance(found, list):
        return dict.fromkeys(found)
    return dict(found or {})


def check_inputs(parsed: Json, inputs: Json) -> Json:
    """The inputs with their defaults; 422 as GitHub says it."""
    on = triggers(parsed)
    if "workflow_dispatch" not in on:
        raise Refusal(422, "Workflow does not have 'workflow_dispatch' trigger")
    declared: Json = (on["workflow_dispatch"] or {}).get("inputs") or {}
    if unknown := sorted(set(inputs) - set(declared)):
        raise Refusal(422, f"Unexpected inputs provided: {unknown}")
    for name, about in declared.items():
        if (about or {}).get("required") and name not in inputs and "default" not in about:
            raise Refusal(422, f"Required input '{name}' not provided")
    defaults = {name: (about or {}).get("default", "") for name, about in declared.items()}
    return {**defaults, **inputs}


def add_run(state: State, repository: Repository, found: Json) -> Json:
    """`head_sha`, `path` and `event` at least; `head_repository` when it is a fork's."""
    now = timestamp()
    run: Json = {
        "id": found.get("id") or state.new_id(),
        "name": "CI",
        "path": f"{FOLDER}/pull-request.yml",
        "event": "pull_request",
        "status": "completed",
        "conclusion": "success",
        "head_branch": repository.default_branch,
        "head_repository": repository.full_name,
        "actor": repository.owner,
        "run_attempt": 1,
        "run_number": len(repository.runs) + 1,
        "created_at": now,
        "updated_at": now,
        "inputs": None,
        **found,
    }
    repository.runs[run["id"]] = run
    return run


def add_artifact(
    state: State, repository: Repository, run: int, name: str, files: Mapping[str, bytes]
) -> Json:
    """A zip of the files. For a hostile one put your own bytes under `zip` of the record."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    artifact: Json = {
        "id": state.new_id(),
        "run": run,
        "name": name,
        "zip": target.getvalue(),
        "expired": False,
        "created_at": timestamp(),
    }
    repository.artifacts[artifact["id"]] = artifact
    return artifact


def digest(artifact: Json) -> str:
    return f"sha256:{hashlib.sha256(artifact['zip']).hexdigest()}"
