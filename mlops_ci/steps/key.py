"""The training key: equal key, same training.

SHA-256 over command, tracked code, data digests, parameters, lock, Python and platform, as
canonical JSON. Both a work tree and a commit have one, so that base's is known without a checkout.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

from mlops_ci.config import Model
from mlops_ci.engines.python import Lock, find_lock, platform_name, python_version
from mlops_ci.project import Project, is_within, outputs_of
from mlops_ci.records.files import FOLDER
from mlops_ci.steps.tree import Tree, data_digest

Scalar = str | int | float | bool | None

PARAMS = ("params.yaml", "params.json", "params.toml")
# Text about the project, and the gates: they change nothing in a training.
NO_CODE = ("*.md", "*.rst", ".github", "docs", "LICENSE*", ".gitignore", ".gitattributes")
SETTINGS = ("mlops-ci.yaml", "dvc.lock", FOLDER)
MAX_PARAMETERS = 2_000


@dataclass(frozen=True)
class Ingredients:
    """What the key is made of, for the record."""

    key: str
    command: list[str]
    parameters: dict[str, Scalar]
    data: dict[str, str]
    lock: Lock | None


def training_key(project: Project, name: str, tree: Tree) -> Ingredients:
    """Raises UsageError when Git cannot say what is in the tree, or `data:` is missing."""
    model = project.model(name)
    parameters = read_parameters(model, tree)
    data = {entry: data_digest(project, tree, entry) for entry in model.data}
    lock = find_lock(model, tree.read)
    document = {
        "version": 1,
        "command": command_of(model),
        "predict": model.predict,
        "code": _code_digest(model, tree),
        "data": data,
        "parameters": parameters,
        "lock": lock.digest if lock else None,
        "python": python_version(model),
        "platform": platform_name(),
        "outputs": sorted(outputs_of(model)),
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    key = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    return Ingredients(key, command_of(model), parameters, data, lock)


def command_of(model: Model) -> list[str]:
    """As the user wrote it; empty when nothing is trained here."""
    if model.dvc is not None:
        return ["dvc", "repro", *model.dvc]
    if model.train is None:
        return []
    return [model.train] if isinstance(model.train, str) else list(model.train)


def is_code(model: Model, path: str) -> bool:
    """Whether a file of the project is code for this model: `code:`, else all but the rest."""
    if any(is_within(path, place) for place in (*outputs_of(model), *model.data, *SETTINGS)):
        return False
    if model.code is not None:
        return any(is_within(path, place) for place in model.code)
    name = PurePosixPath(path).name
    return not any(is_within(path, place) or is_within(name, place) for place in NO_CODE)


def _code_digest(model: Model, tree: Tree) -> str:
    total = hashlib.sha256()
    for path, entry in sorted(tree.files().items()):
        if is_code(model, path):
            total.update(f"{entry}\0{path}\0".encode())
    return f"sha256:{total.hexdigest()}"


def read_parameters(model: Model, tree: Tree) -> dict[str, Scalar]:
    """Values of params.yaml, or of the files that `params:` names, by nested name."""
    found: dict[str, Scalar] = {}
    for path in model.params if model.params is not None else PARAMS:
        content = tree.read(path)
        if content is not None:
            values = parse_parameters(path, content)
            found |= values if not found else {f"{path}:{k}": v for k, v in values.items()}
    return found


def parse_parameters(path: str, content: bytes) -> dict[str, Scalar]:
    """A file that cannot be read as parameters counts by its digest alone."""
    try:
        text = content.decode()
        data = tomllib.loads(text) if path.endswith(".toml") else yaml.safe_load(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, yaml.YAMLError, RecursionError):
        data = None
    if not isinstance(data, Mapping):
        return {path: f"sha256:{hashlib.sha256(content).hexdigest()}"}
    flat: dict[str, Scalar] = {}
    _flatten(data, "", flat)
    return flat


def _flatten(value: Any, name: str, flat: dict[str, Scalar]) -> None:
    if len(flat) >= MAX_PARAMETERS:
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            _flatten(item, f"{name}.{key}" if name else str(key), flat)
    elif isinstance(value, (str, int, float, bool)) or value is None:
        flat[name] = value if not isinstance(value, float) or value == value else "nan"  # noqa: PLR0124
    else:
        flat[name] = json.dumps(value, default=str)
