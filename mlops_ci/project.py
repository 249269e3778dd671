"""A user's project: its folder, configuration, repository and records."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path, PurePosixPath

from mlops_ci.config import Config, Model, find_config, load_config, parse_config
from mlops_ci.config.load import FILE
from mlops_ci.errors import DOCS, ConfigError, UsageError
from mlops_ci.git import Git
from mlops_ci.records import Folder
from mlops_ci.records.files import FOLDER
from mlops_ci.world import World

DIRTY = "-dirty"


@dataclass(frozen=True)
class Project:
    """`root` holds the configuration; the repository may begin above it."""

    root: Path
    config: Config
    git: Git
    records: Folder
    world: World

    @cached_property
    def prefix(self) -> str:
        """Path of `root` in the repository: empty, or `models/churn/`."""
        inside = self.root.relative_to(self.git.root).as_posix()
        return "" if inside == "." else f"{inside}/"

    @cached_property
    def commit(self) -> str:
        """HEAD, with `-dirty` when code in the work tree differs from it.

        Outputs of a run are no code: training must not make its own commit dirty.
        """
        head = self.git.head()
        return f"{head}{DIRTY}" if self.edited else head

    @cached_property
    def edited(self) -> list[str]:
        """Files of the project, tracked or new Python code, that differ from HEAD."""
        new = [path for path in self.git.untracked() if path.endswith(".py")]
        paths = [*self.git.modified(), *new]
        return sorted(path for path in paths if self._counts(path))

    def _counts(self, path: str) -> bool:
        if not path.startswith(self.prefix):
            return False
        inside = path.removeprefix(self.prefix)
        models = self.config.models.values()
        produced = [path for model in models for path in (*outputs_of(model), *model.pictures)]
        data = [entry for model in models for entry in model.data]
        if inside == "dvc.lock" or inside.startswith(f"{FOLDER}/"):
            return False
        return not any(is_within(inside, place) for place in [*produced, *data])

    def model(self, name: str) -> Model:
        """Raises UsageError for a name that is not in the configuration."""
        if name not in self.config.models:
            raise UsageError(
                f"there is no model {name!r}",
                where=str(self.root),
                fix=f"choose one of: {', '.join(sorted(self.config.models))}",
            )
        return self.config.models[name]

    def config_at(self, commit: str) -> Config | None:
        """The configuration as it is in a commit; None when it has none.

        Raises ConfigError when that one is broken.
        """
        for name in (FILE, "pyproject.toml", "dvc.yaml"):
            content = self.git.show(commit, f"{self.prefix}{name}")
            if content is None or (name == "pyproject.toml" and b"[tool.mlops-ci" not in content):
                continue
            return parse_config(content.decode("utf-8", "replace"), name)
        return None

    def with_config(self, config: Config) -> Project:
        return replace(self, config=config)


def open_project(folder: Path, world: World) -> Project:
    """Find configuration and repository at `folder` or above it, up to the repository's top.

    Raises ConfigError without a configuration, UsageError outside Git, ConfigError when the
    records' folder is under version control: a pull request could bring forged records.
    """
    start = folder.resolve()
    if not start.is_dir():
        raise UsageError(f"there is no folder {folder}", where=str(start))
    git = Git.find(start, world)
    root = _find_root(start, git.root.resolve())
    if (path := find_config(root)) is not None:
        refuse_outside(path, git.root)
    else:
        _refuse_elsewhere(start, git)
    config = load_config(root)
    project = Project(root, config, Git(git.root.resolve(), world), Folder(root), world)
    _refuse_tracked_records(project)
    return project


def refuse_outside(path: Path, top: Path) -> None:
    """Raises ConfigError for a link that leads out of the repository: settings are the commit's,
    and an error about them would show a stranger's file."""
    if path.is_symlink() and not path.resolve().is_relative_to(top.resolve()):
        raise ConfigError(
            f"{path.name} is a link that leads out of the repository",
            where=str(path),
            fix="commit the file itself",
        )


def _refuse_elsewhere(start: Path, git: Git) -> None:
    """Raises ConfigError where the repository has its configurations in folders of their own."""
    found = git.names("ls-files", "-z", "--full-name", "--", f":(top,glob)**/{FILE}")
    there = [path for path in found if (git.root / path).is_file()]
    folders = sorted({PurePosixPath(path).parent.as_posix() for path in there})
    if folders:
        some = ", ".join(folders[:5]) + (", …" if len(folders) > 5 else "")
        raise ConfigError(
            f"there is no {FILE} here, but in {some}",
            where=str(start),
            fix=f"name the folder: `--folder {folders[0]}`, or in a workflow:\n"
            f"  with:\n    folder: {folders[0]}",
            link=f"{DOCS}/config.md",
        )


def _find_root(start: Path, top: Path) -> Path:
    for folder in (start, *start.parents):
        if find_config(folder) is not None:
            return folder
        if folder == top:
            break
    return start


def _refuse_tracked_records(project: Project) -> None:
    tracked = project.git.names("ls-files", "-z", "--", f"{project.prefix}{FOLDER}")
    if tracked:
        raise ConfigError(
            f"{FOLDER}/ is under version control: records must come from runs, not from commits",
            where=tracked[0],
            fix=f"git rm -r --cached {FOLDER}",
        )


def outputs_of(model: Model) -> tuple[str, ...]:
    """What training (or `predict`) writes, as the configuration names it."""
    metrics = [model.metrics] if isinstance(model.metrics, str) else model.metrics or []
    named = [model.predictions, *metrics, model.model]
    return tuple(output for output in named if output is not None)


def is_within(path: str, place: str) -> bool:
    """Whether `path` is `place`, lies in it, or matches it as a pattern."""
    clean = PurePosixPath(place).as_posix()
    if clean in {".", ""}:
        return True
    return path == clean or path.startswith(f"{clean}/") or fnmatchcase(path, clean)
