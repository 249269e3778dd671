"""Which models a shipping command is about when none is named."""

from __future__ import annotations

from collections.abc import Iterable

from mlops_ci.cli.models import chosen
from mlops_ci.project import Project


def with_image(project: Project, names: Iterable[str]) -> tuple[str, ...]:
    """Those asked for; else those with an `image`; else all, and the step says what is missing."""
    asked = tuple(names)
    shipped = tuple(name for name in project.config.models if project.model(name).image)
    return chosen(project, asked or shipped)


def with_place(project: Project, names: Iterable[str]) -> tuple[str, ...]:
    """The same for `deploy`."""
    asked = tuple(names)
    shipped = tuple(name for name in project.config.models if project.model(name).deploy)
    return chosen(project, asked or shipped)
