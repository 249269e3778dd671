"""`build`: the image of the model that was evaluated; leaves a Build record."""

from __future__ import annotations

import re
import shutil
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from mlops_ci.data import digest_folder
from mlops_ci.errors import ConfigError, DeployError, RecordError
from mlops_ci.images.dependencies import find_dependencies
from mlops_ci.images.engine import architecture, connect
from mlops_ci.images.layout import Layout
from mlops_ci.images.model_image import Contents, assemble, labels_of
from mlops_ci.images.name import ImageName, parse_image
from mlops_ci.images.recipe import read_recipe
from mlops_ci.images.registry import open_repository
from mlops_ci.project import Project
from mlops_ci.records import Artifact, Build, Evaluation

LAYOUT = "image"
MAX_TAG = 128


def build(project: Project, name: str, commit: str | None = None) -> Build:
    """Raises RecordError when the model was not evaluated, DeployError when it is not the one
    that was, ConfigError without `image:`."""
    commit = commit or project.commit
    image = image_name(project, name)
    started = project.world.monotonic()
    artifact = evaluated_model(project, name, commit)
    folder = project.root / artifact.path
    recipe = read_recipe(folder, architecture(project.world))
    with open_repository(image, project.world) as repository:
        dependencies = find_dependencies(
            recipe, repository, partial(connect, project.world), project.world
        )
    contents = Contents(
        name, folder, artifact.digest, commit, _commit_date(project, commit), _source(project)
    )
    place = project.records.of(name, commit) / LAYOUT
    shutil.rmtree(place, ignore_errors=True)
    layout = Layout(place)
    built = assemble(contents, dependencies, layout, tag_of(commit))
    _check(folder, artifact)  # once more: what changed meanwhile was not evaluated
    record = Build(
        model=name,
        commit=commit,
        image=str(image),
        digest=layout.tagged()[tag_of(commit)],
        model_digest=artifact.digest,
        layout=place.relative_to(project.root).as_posix(),
        labels=labels_of(contents),
        size_bytes=built.size,
        seconds=project.world.monotonic() - started,
        dependencies=recipe.tag,
    )
    project.records.write("build", record)
    return record


def image_name(project: Project, name: str) -> ImageName:
    text = project.model(name).image
    if text is None:
        raise ConfigError(
            f"{name} has no `image`: there is nowhere to push to",
            where="mlops-ci.yaml",
            fix=f"add the image's repository:\n    models:\n      {name}:\n"
            f"        image: ghcr.io/OWNER/{name.lower()}",
        )
    return parse_image(text)


def evaluated_model(project: Project, name: str, commit: str) -> Artifact:
    """The model folder as `evaluate` recorded it, still the same on disk."""
    evaluation = project.records.read(name, commit, Evaluation)
    if evaluation.artifact is None:
        raise RecordError(
            f"the evaluation of {name} at {commit[:12]} names no model: what was not evaluated is "
            "not shipped",
            where=str(project.records.file(name, commit, "evaluate")),
            fix="name the folder that training writes, and evaluate again:\n"
            f"    models:\n      {name}:\n        model: out/model",
        )
    _check(project.root / evaluation.artifact.path, evaluation.artifact)
    return evaluation.artifact


def _check(folder: Path, artifact: Artifact) -> None:
    if not folder.is_dir():
        raise DeployError(
            "the model that was evaluated is gone: nothing is built",
            where=str(folder),
            fix="train and evaluate again: mlops-ci run",
        )
    found = digest_folder(folder)
    if found != artifact.digest:
        raise DeployError(
            "the model changed after it was evaluated: nothing is built",
            where=f"{artifact.path}: evaluated {artifact.digest}, found {found}",
            fix="evaluate it as it is now: mlops-ci evaluate",
        )


def tag_of(commit: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "-", commit)[:MAX_TAG]


def _commit_date(project: Project, commit: str) -> str:
    """When the commit was made, so that building it again gives the same digest."""
    return project.git.read("show", "-s", "--format=%cI", commit.removesuffix("-dirty"))


def _source(project: Project) -> str | None:
    """The repository's address, without what somebody may have put before the @."""
    environ = project.world.environ
    if environ.get("GITHUB_SERVER_URL") and environ.get("GITHUB_REPOSITORY"):
        return f"{environ['GITHUB_SERVER_URL']}/{environ['GITHUB_REPOSITORY']}"
    url = urlsplit(project.git.origin_url() or "")
    if url.scheme not in ("http", "https") or url.hostname is None:
        return None
    host = f"{url.hostname}:{url.port}" if url.port else url.hostname
    return urlunsplit((url.scheme, host, url.path.removesuffix(".git"), "", ""))
