"""The project's own plots and pictures, of head and of base: found, kept beside the records, read.

Base's files come from its commit in Git, from DVC's cache (by the digest in the commit's dvc.lock),
or from what was kept when base was evaluated. Where none of them has the file, head's stands alone.
They judge nothing.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from mlops_ci.config.document import read_yaml
from mlops_ci.config.dvc_plots import Line, PlotDefinition, is_inside, plots_of
from mlops_ci.errors import ConfigError
from mlops_ci.project import Project
from mlops_ci.records.files import write_atomically
from mlops_ci.report.exhibit import Drawing, Exhibit, Image, Series
from mlops_ci.steps.exhibit_files import FOLDER, BaseFiles, HeadFiles

MOST_KEPT = 2_000_000  # of all files of one model
MOST = 6  # plots, and as many pictures
SHOWN = (".png", ".jpg", ".jpeg")
Read = Callable[[str], bytes | None]


@dataclass(frozen=True)
class Wanted:
    """`pictures` are head's files, by the patterns of `pictures:` and by dvc.yaml."""

    plots: tuple[PlotDefinition, ...]
    pictures: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        lines = [line for plot in self.plots for line in plot.lines]
        tables = [path for line in lines for path in (line.file, line.x_file) if path]
        return tuple(dict.fromkeys((*tables, *self.pictures)))


def wanted_of(project: Project, name: str) -> Wanted:
    """What is to be shown of a model; nothing where nothing is asked for."""
    model = project.model(name)
    plots: list[PlotDefinition] = []
    pictures = list(_globbed(project.root, model.pictures))
    notes: list[str] = []
    if model.dvc is not None and (project.root / "dvc.yaml").is_file():
        text = (project.root / "dvc.yaml").read_text("utf-8", "replace")
        folder = partial(_files_of, project.root)
        try:
            plots, named = plots_of(read_yaml(text, "dvc.yaml").data, model.dvc, folder)
        except ConfigError as error:
            plots, named = [], []
            notes.append(f"the plots of dvc.yaml are left out: {error.what}")
        pictures += named
    pictures = list(dict.fromkeys(pictures))
    unseen = [path for path in pictures if not path.lower().endswith(SHOWN)]
    notes += [f"{path} is not shown: a report shows PNG and JPEG alone" for path in unseen]
    seen = [path for path in pictures if path not in unseen]
    for what, found in (("plots", plots), ("pictures", seen)):
        if len(found) > MOST:
            notes.append(f"{len(found) - MOST} more {what} of the project are not shown")
    return Wanted(tuple(plots[:MOST]), tuple(seen[:MOST]), tuple(notes))


def exhibits_of(
    project: Project, name: str, base: str | None, *, same: bool = False
) -> tuple[list[Exhibit], list[str]]:
    """Head's beside those of the commit `base`, and notes on what is missing. `same`: both come
    out of one training."""
    wanted = wanted_of(project, name)
    notes = list(wanted.notes)
    head = HeadFiles(project.root).read
    theirs: Read = head if same else BaseFiles(project, name, base).read if base else _nothing
    found: list[Exhibit] = []
    for plot in wanted.plots:
        try:
            ours = _series(plot, head)
        except ValueError as error:
            notes.append(f"the plot {plot.title} is left out: {error}")
            continue
        found.append(
            Drawing(
                plot.title,
                ours,
                _tolerant(plot, theirs),
                plot.template,
                plot.x_label or plot.lines[0].x or "row",
                plot.y_label or plot.lines[0].y or "",
            )
        )
    for path in wanted.pictures:
        content = head(path)
        if content is None:
            notes.append(f"the picture {path} is left out: there is none, or it is too large")
        else:
            found.append(Image(path, content, theirs(path)))
    alone = [one.title for one in found if one.base is None]
    if alone and base is not None:
        notes.append(f"base's {', '.join(alone[:3])} is not at hand: head's is shown alone")
    return found, notes


def keep_exhibits(project: Project, name: str, commit: str) -> None:
    """Beside the records, for the comparisons in which this commit is base."""
    read, left = HeadFiles(project.root).read, MOST_KEPT
    for path in wanted_of(project, name).files:
        content = read(path)
        if content is None or len(content) > left:
            continue
        left -= len(content)
        write_atomically(project.records.of(name, commit) / FOLDER / path, content)


def pack_exhibits(project: Project, name: str, commit: str) -> bytes | None:
    """What was kept, as one file; None when nothing was."""
    folder = project.records.of(name, commit) / FOLDER
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    if not files:
        return None
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for path in files:
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
            made.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def unpack_exhibits(project: Project, name: str, commit: str, content: bytes) -> None:
    """What a store gives is not trusted: plain paths, within the limits, or nothing."""
    folder, left = project.records.of(name, commit) / FOLDER, MOST_KEPT
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for entry in packed.infolist():
                left -= entry.file_size
                if left < 0 or not is_inside(entry.filename) or entry.is_dir():
                    return
                with packed.open(entry) as file:
                    write_atomically(folder / entry.filename, file.read(entry.file_size))
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, RuntimeError):
        return


def _nothing(path: str) -> bytes | None:  # noqa: ARG001
    return None


def _globbed(root: Path, patterns: Sequence[str]) -> Iterator[str]:
    for pattern in patterns:
        found = sorted(path for path in root.glob(pattern) if path.is_file())
        yield from _inside(root, found)


def _files_of(root: Path, folder: str) -> list[str]:
    """Of a plot that is a folder, as DVCLive writes them; nothing of a file."""
    place = root / folder
    if not place.is_dir():
        return []
    return list(_inside(root, sorted(path for path in place.rglob("*") if path.is_file())))


def _inside(root: Path, found: Sequence[Path]) -> Iterator[str]:
    """Names behind a folder that leads elsewhere are nobody's business."""
    top = root.resolve()
    for path in found[: 10 * MOST]:
        if path.parent.resolve().is_relative_to(top):
            yield path.relative_to(root).as_posix()


def _tolerant(plot: PlotDefinition, read: Read) -> tuple[Series, ...] | None:
    """Base's; None when it lacks any of it, as one that had no such plot yet does."""
    try:
        return _series(plot, read)
    except ValueError:
        return None


def _series(plot: PlotDefinition, read: Read) -> tuple[Series, ...]:
    """Raises ValueError for a file that is missing, is no table, or has no such column."""
    tables = _Tables(read)
    return tuple(_line(line, tables) for line in plot.lines)


@dataclass(frozen=True)
class _Tables:
    read: Read
    known: dict[str, dict[str, list[Any]]] = field(default_factory=dict)

    def of(self, path: str) -> dict[str, list[Any]]:
        from mlops_ci.data.series import read_columns

        if path not in self.known:
            content = self.read(path)
            if content is None:
                raise ValueError(f"{path} is not there, or is too large")
            try:
                self.known[path] = read_columns(content, path)
            except (ValueError, json.JSONDecodeError) as error:
                raise ValueError(f"{path} cannot be read as a table: {error}") from error
        return self.known[path]


def _line(line: Line, tables: _Tables) -> Series:
    table = tables.of(line.file)
    name = line.y or list(table)[-1]
    y = _column(table, name, line.file)
    place = line.x_file or line.file
    x = _column(tables.of(place), line.x, place) if line.x else list(range(len(y)))
    length = min(len(x), len(y))
    label = name if line.x_file is None else f"{PurePosixPath(line.file).stem} {name}"
    return Series(label, tuple(x[:length]), tuple(y[:length]))


def _column(table: dict[str, list[Any]], name: str, path: str) -> list[Any]:
    if name not in table:
        raise ValueError(f"{path} has no column {name}")
    return table[name]
