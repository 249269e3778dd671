"""The other side: main's model at the merge-base, from the cheapest place that is right.

    equal training key → head's own outputs serve both
    → records of this clone → the store, by commit, then by key → files that Git keeps
    → else it is trained in a worktree (`base_training`)

All but the last are looked up before head's command runs: it could write into this clone.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mlops_ci.baseline.commit import Base
from mlops_ci.baseline.store import Found, Store, Wanted
from mlops_ci.config import Config, Model
from mlops_ci.errors import ConfigError, MlopsCiError, RecordError
from mlops_ci.project import Project, outputs_of
from mlops_ci.records import Artifact, Evaluation, Training
from mlops_ci.records.files import write_atomically
from mlops_ci.steps.evaluate import evaluation_of
from mlops_ci.steps.exhibits import unpack_exhibits
from mlops_ci.steps.key import command_of, training_key
from mlops_ci.steps.training_keys import keep_training_keys, place_of
from mlops_ci.steps.tree import CommitTree, Tree, WorkTree, content_digest

SLIM = "predictions.parquet"


@dataclass(frozen=True)
class BaseSettings:
    """What base says about the model. `adopted`: base has no such model, so head's own settings
    are tried on base's files. `key` is base's training key, None when it cannot be known."""

    base: Base
    model: Model
    config: Config
    adopted: bool
    key: str | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rescored:
    """Base's model on head's rows: what it is compared by. `source` says in words which model."""

    evaluation: Evaluation
    predictions: Path
    source: str


@dataclass(frozen=True)
class BaseSide:
    """`predictions` is a file of this clone; `source` says in words where it came from. `rescored`
    where head's rows are others; `notes`: why it is not, or what is odd about it."""

    evaluation: Evaluation
    training: Training | None
    predictions: Path | None
    source: str
    rescored: Rescored | None = None
    notes: tuple[str, ...] = ()


def settings_of(project: Project, name: str, base: Base) -> BaseSettings:
    """Base's settings, as they are in its commit."""
    notes: list[str] = []
    try:
        config = project.config_at(base.commit)
    except ConfigError as error:
        config = None
        notes.append(f"base's configuration is broken ({error.what}): head's is used")
    adopted = config is None or name not in config.models
    if config is None or adopted:
        config = project.config
    view = project.with_config(config)
    try:
        key = training_key(view, name, CommitTree(view, base.commit)).key
    except MlopsCiError as error:
        key = None
        notes.append(f"base's training key cannot be told: {error.what}")
    return BaseSettings(base, config.models[name], config, adopted, key, tuple(notes))


def find_side(
    project: Project, name: str, settings: BaseSettings, store: Store | None, notes: list[str]
) -> BaseSide | None:
    """Base's side without training; None when it is not found. `notes` gets what a reader should
    know."""
    found = _in_records(project, name, settings)
    if found is None and store is not None:
        found = _in_store(project, name, settings, store, notes)
    if found is None and not command_of(settings.model) and settings.model.predict is None:
        found = _in_commit(project, name, settings)
    return found


def has_equal_key(project: Project, name: str, settings: BaseSettings) -> bool:
    if settings.key is None or not command_of(settings.model):
        return False
    return training_key(project, name, WorkTree(project)).key == settings.key


def same_as_head(evaluation: Evaluation, training: Training, base: Base, root: Path) -> BaseSide:
    """Head's outputs as base's: nothing that they are made of differs."""
    path = evaluation.predictions.path if evaluation.predictions else None
    return BaseSide(
        msgspec.structs.replace(evaluation, commit=base.commit),
        msgspec.structs.replace(training, commit=base.commit, reused=evaluation.commit),
        root / path if path else None,
        "the training key is equal: nothing that the model is made of changed",
    )


def _in_records(project: Project, name: str, settings: BaseSettings) -> BaseSide | None:
    for path in sorted((project.records.path / name).glob("*/evaluate.json"), reverse=True):
        try:
            evaluation = project.records.read(name, path.parent.name, Evaluation)
            training = project.records.read(name, path.parent.name, Training)
        except RecordError:
            continue
        if settings.key is None or evaluation.key != settings.key or training.exit_code != 0:
            continue
        place = _intact(project, evaluation)
        if evaluation.predictions is not None and place is None:
            continue
        source = f"trained here before, at {path.parent.name[:12]}"
        _bring_keys(project, name, path.parent.name, settings.base.commit)
        return _settle(project, settings.base, BaseSide(evaluation, training, place, source))
    return None


def _bring_keys(project: Project, name: str, commit: str, base: str) -> None:
    origin, place = (place_of(project, name, one) for one in (commit, base))
    if origin.is_file() and origin != place:
        write_atomically(place, origin.read_bytes())


def _intact(project: Project, evaluation: Evaluation) -> Path | None:
    """The predictions of a record while they are still those that were evaluated."""
    artifact = evaluation.slim or evaluation.predictions
    if artifact is None:
        return None
    place = project.root / artifact.path
    intact = place.is_file() and content_digest(place, artifact.path) == artifact.digest
    return place if intact else None


def _in_store(
    project: Project, name: str, settings: BaseSettings, store: Store, notes: list[str]
) -> BaseSide | None:
    """A store that is broken or away costs a training, not the comparison."""
    wanted = Wanted(name, settings.base.commit, settings.key)
    try:
        found = store.get(wanted)
    except MlopsCiError as error:
        notes.append(f"the store was not used: {error.what}")
        return None
    if found is None:
        return None
    if found.header.too_large is not None:
        megabytes = found.header.too_large / 1e6
        notes.append(f"main's predictions are too large for the store ({megabytes:.0f} MB)")
        if command_of(settings.model):
            return None
    if _lacks_slices(settings.model, found) and command_of(settings.model):
        notes.append("main's predictions were stored without a slice that base declares")
        return None
    return _unpack(project, settings, found)


def _lacks_slices(model: Model, found: Found) -> bool:
    resolution = found.entry.evaluation.resolution
    known = resolution.columns.get("slice", []) if resolution is not None else []
    return found.entry.predictions is not None and not set(model.slices) <= set(known)


def _unpack(project: Project, settings: BaseSettings, found: Found) -> BaseSide:
    entry, place = found.entry, None
    if entry.predictions is not None:
        place = project.records.of(found.header.model, settings.base.commit) / SLIM
        project.records.ignore()
        write_atomically(place, entry.predictions)
    if entry.exhibits is not None:
        unpack_exhibits(project, found.header.model, settings.base.commit, entry.exhibits)
    if entry.training_keys is not None:
        keys = place_of(project, found.header.model, settings.base.commit)
        write_atomically(keys, entry.training_keys)
    slim = None
    if place is not None:
        inside = place.relative_to(project.root).as_posix()
        slim = Artifact(path=inside, digest=content_digest(place, SLIM), bytes=place.stat().st_size)
    evaluation = msgspec.structs.replace(entry.evaluation, slim=slim)
    how = "by commit" if settings.base.commit in found.header.commits else "by training key"
    side = BaseSide(evaluation, entry.training, place, f"the store, {how}")
    return _settle(project, settings.base, side)


def _settle(project: Project, base: Base, side: BaseSide) -> BaseSide:
    """Base's records stand under base's commit, wherever they came from."""
    evaluation = msgspec.structs.replace(side.evaluation, commit=base.commit)
    training = side.training
    if training is not None:
        reused = None if training.commit == base.commit else training.commit
        training = msgspec.structs.replace(training, commit=base.commit, reused=reused)
        project.records.write("train", training)
    evaluation, place = _apart(project, evaluation, side.predictions)
    project.records.write("evaluate", evaluation)
    return BaseSide(evaluation, training, place, side.source)


def _apart(
    project: Project, evaluation: Evaluation, place: Path | None
) -> tuple[Evaluation, Path | None]:
    """Predictions among head's outputs move beside base's records: head's run replaces them."""
    artifact = evaluation.predictions
    if place is None or artifact is None or place.is_relative_to(project.records.path):
        return evaluation, place
    suffix = "".join(place.suffixes[-2:])
    target = project.records.of(evaluation.model, evaluation.commit) / f"predictions{suffix}"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(place, target)
    inside = target.relative_to(project.root).as_posix()
    moved = msgspec.structs.replace(artifact, path=inside)
    return msgspec.structs.replace(evaluation, predictions=moved), target


def _in_commit(project: Project, name: str, settings: BaseSettings) -> BaseSide | None:
    """Outputs that Git itself keeps, as many projects keep metrics.json."""
    tree: Tree = CommitTree(project.with_config(settings.config), settings.base.commit)
    folder = project.records.of(name, settings.base.commit) / "files"
    for path in outputs_of(settings.model):
        if path == settings.model.model:
            continue
        content = tree.read(path)
        if content is None or content.startswith(b"version https://git-lfs"):
            return None
        write_atomically(folder / path, content)
    project.records.ignore()
    view = Project(folder, settings.config, project.git, project.records, project.world)
    evaluation = evaluation_of(view, name, settings.base.commit, None)
    rows = settings.model.training_rows
    content = tree.read(rows) if rows is not None else None
    if rows is not None and content is not None:
        write_atomically(folder / rows, content)
    keep_training_keys(view, name, settings.base.commit)
    place = folder / settings.model.predictions if settings.model.predictions else None
    return BaseSide(evaluation, None, place, "the files in base's commit")
