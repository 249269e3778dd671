"""What a project wants to be seen of its own, base and head: plots by its definitions, pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Series:
    """One line, `x` and `y` of equal length; of a confusion table actual and predicted class."""

    name: str
    x: tuple[Any, ...]
    y: tuple[Any, ...]


@dataclass(frozen=True)
class Drawing:
    """A plot as the project defines it. `base` None: its data are not at hand."""

    title: str
    head: tuple[Series, ...]
    base: tuple[Series, ...] | None
    template: str = "linear"
    x_label: str = ""
    y_label: str = ""


@dataclass(frozen=True)
class Image:
    """A PNG or JPEG of the project's own."""

    title: str
    head: bytes
    base: bytes | None


Exhibit = Drawing | Image
