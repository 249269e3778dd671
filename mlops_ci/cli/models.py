"""A command over one or all models: an error in one does not hide the others."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_ci.cli.as_json import to_json
from mlops_ci.engines.owner import with_owners_git
from mlops_ci.errors import MlopsCiError, worst_exit_code
from mlops_ci.project import Project, open_project
from mlops_ci.world import World


def project_here(folder: Path | None) -> Project:
    place = (folder or Path.cwd()).resolve()
    return with_owners_git(open_project(place, World(folder=place)))


def chosen(project: Project, names: Iterable[str]) -> tuple[str, ...]:
    """The models asked for, or all; raises UsageError for one that does not exist."""
    asked = tuple(names)
    for name in asked:
        project.model(name)
    return asked or tuple(project.config.models)


@dataclass
class Results:
    """What a command did for each model, printed at the end."""

    records: list[Any] = field(default_factory=list)
    errors: list[tuple[str, MlopsCiError]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def of(self, names: Iterable[str], work: Callable[[str], tuple[Any, str]]) -> int:
        for name in names:
            try:
                record, line = work(name)
            except MlopsCiError as error:
                self.errors.append((name, error))
                continue
            self.records.append(record)
            self.lines.append(line)
        return worst_exit_code(error.exit_code for _, error in self.errors)

    def show(self, *, as_json: bool) -> None:
        for name, error in self.errors:
            print(f"error: {error.about(name)}", file=sys.stderr)
        if as_json:
            print(to_json(self.records))
            return
        for line in self.lines:
            print(line)
