"""Plots in a folder: the pictures, and `plots.json` with their titles, order and charts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from mlops_ci.report.model import Chart, Plot

INDEX = "plots.json"


class Entry(Struct, frozen=True):
    name: str
    title: str


class Index(Struct, frozen=True):
    plots: list[Entry] = []
    charts: list[Chart] = []


def album_files(plots: tuple[Plot, ...], charts: tuple[Chart, ...]) -> Iterator[tuple[str, bytes]]:
    """(path in the folder, content); the pictures first."""
    for plot in plots:
        yield f"{plot.name}-light.png", plot.light
        yield f"{plot.name}-dark.png", plot.dark
    if plots or charts:
        index = Index([Entry(plot.name, plot.title) for plot in plots], list(charts))
        yield INDEX, msgspec.json.format(msgspec.json.encode(index), indent=1)


def read_album(folder: Path) -> tuple[tuple[Plot, ...], tuple[Chart, ...]]:
    """What is there and whole; a broken folder is an empty one."""
    try:
        index = msgspec.json.decode((folder / INDEX).read_bytes(), type=Index)
    except (OSError, msgspec.MsgspecError):
        return (), ()
    found = []
    for entry in index.plots:
        files = [folder / f"{Path(entry.name).name}-{tone}.png" for tone in ("light", "dark")]
        if all(file.is_file() for file in files):
            light, dark = (file.read_bytes() for file in files)
            found.append(Plot(entry.name, entry.title, light, dark))
    return tuple(found), tuple(index.charts)
