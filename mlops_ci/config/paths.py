"""Paths in the configuration file."""

from __future__ import annotations

from pathlib import PurePosixPath


def stays_inside(value: str) -> bool:
    """Whether a path, relative to the configuration file, leads nowhere outside of the project."""
    path = PurePosixPath(value)
    return bool(value) and not path.is_absolute() and ".." not in path.parts and "\0" not in value
