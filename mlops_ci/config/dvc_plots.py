"""The plots that a `dvc.yaml` defines: which columns of which files, drawn how.

https://dvc.org/doc/user-guide/project-structure/dvcyaml-files#plots
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

PICTURES = (".png", ".jpg", ".jpeg", ".svg", ".gif")
TABLES = (".csv", ".tsv", ".json", ".yaml", ".yml")
SIMPLE = "linear"


@dataclass(frozen=True)
class Line:
    """A column of a file against another; `y` None: its last one, `x` None: the row's number."""

    file: str
    y: str | None = None
    x: str | None = None
    x_file: str | None = None


@dataclass(frozen=True)
class PlotDefinition:
    title: str
    lines: tuple[Line, ...]
    template: str = SIMPLE
    x_label: str = ""
    y_label: str = ""


def plots_of(
    data: Any, stages: list[str] | None = None, files_of: Callable[[str], list[str]] | None = None
) -> tuple[list[PlotDefinition], list[str]]:
    """(definitions, pictures): the pipeline's own, then those of its stages (None or empty: of
    all). What this version of DVC's format cannot mean is left out. `files_of` lists the files of
    a plot that is a folder: each is a plot, or a picture, of its own."""
    found = data if isinstance(data, Mapping) else {}
    entries = list(_entries(found.get("plots")))
    declared = found.get("stages")
    for name, stage in declared.items() if isinstance(declared, Mapping) else ():
        if isinstance(stage, Mapping) and (not stages or name in stages):
            entries += _entries(stage.get("plots"))
    definitions: dict[str, PlotDefinition] = {}
    pictures: list[str] = []
    for name, settings in _unfolded(entries, files_of):
        if name.lower().endswith(PICTURES):
            pictures.append(name)
        elif (plot := _definition(name, settings)) is not None:
            definitions.setdefault(name, plot)
    return list(definitions.values()), list(dict.fromkeys(pictures))


def _unfolded(
    entries: list[tuple[str, Mapping[str, Any]]], files_of: Callable[[str], list[str]] | None
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, settings in entries:
        inside = files_of(name) if files_of is not None else []
        yield from ((path, settings) for path in inside) if inside else [(name, settings)]


def _definition(name: str, settings: Mapping[str, Any]) -> PlotDefinition | None:
    lines = tuple(_lines(name, settings))
    if not lines:
        return None
    return PlotDefinition(
        title=_text(settings.get("title")) or name,
        lines=lines,
        template=_text(settings.get("template")) or SIMPLE,
        x_label=_text(settings.get("x_label")),
        y_label=_text(settings.get("y_label")),
    )


def _lines(name: str, settings: Mapping[str, Any]) -> Iterator[Line]:
    x, y = settings.get("x"), settings.get("y")
    columns = y if isinstance(y, Mapping) else {name: y}
    for file, wanted in columns.items():
        if not _is_table(file):
            continue
        x_file, x_column = _x_of(x, str(file))
        for column in wanted if isinstance(wanted, list) else [wanted]:
            if column is None or isinstance(column, str):
                yield Line(str(file), column, x_column, x_file)


def _x_of(x: Any, file: str) -> tuple[str | None, str | None]:
    """A column of each file, of the file that `x` names for it, or of the only one it names."""
    if isinstance(x, str):
        return None, x
    if not isinstance(x, Mapping) or not x:
        return None, None
    place = file if file in x else next(iter(x))
    column = x[place]
    if isinstance(column, list):
        column = column[0] if column else None
    if not isinstance(column, str) or not _is_table(place):
        return None, None
    return (None if place == file else str(place)), column


def _is_table(path: Any) -> bool:
    return isinstance(path, str) and "${" not in path and is_inside(path) and path.endswith(TABLES)


def is_inside(path: str) -> bool:
    """A plain path below the project: nothing absolute, nothing that climbs."""
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith(("/", "~")) and ".." not in parts


def _entries(entries: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(path or name, settings) of a list, or of a table as `plots:` may be."""
    listed = [{k: v} for k, v in entries.items()] if isinstance(entries, Mapping) else entries
    for entry in listed if isinstance(listed, list) else []:
        for name, settings in entry.items() if isinstance(entry, Mapping) else [(entry, None)]:
            if isinstance(name, str) and is_inside(name):
                yield name, settings if isinstance(settings, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
