"""Pictures drawn by a process of their own, which is warm when the training ends.

matplotlib takes half a second to import and most of one to draw: here the one is done while the
user's command keeps another core busy, the other while the rows are compared.
"""

from __future__ import annotations

import contextlib
import os
import threading
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

from mlops_ci.records import Comparison
from mlops_ci.report.model import Plot
from mlops_ci.report.plots import draw_curves, draw_forests, draw_plots

if TYPE_CHECKING:
    from mlops_ci.data import Predictions

MOST_ROWS = 200_000  # of a side; more are not sent to another process
Rows = tuple["Predictions | None", "Predictions"]


@dataclass(frozen=True)
class Studio:
    """`head_name` is what a reader calls head."""

    executor: ProcessPoolExecutor
    head_name: str

    def close(self) -> None:
        self.executor.shutdown(wait=False, cancel_futures=True)

    def begin(self, rows: Rows, base_name: str) -> Drawing | None:
        """Draw what needs no comparison. None where the caller has to draw."""
        if any(side is not None and side.rows > MOST_ROWS for side in rows):
            return None
        base, head = (_slim(side) if side is not None else None for side in rows)
        names = (base_name, self.head_name)
        try:
            curves = self.executor.submit(draw_curves, base, head, names)
        except (BrokenExecutor, OSError):
            return None
        return Drawing(self, rows, names, curves)


@dataclass(frozen=True)
class Drawing:
    """One model's plots, on their way."""

    studio: Studio
    rows: Rows
    names: tuple[str, str]
    curves: Future[tuple[Plot, ...]]

    def plots(self, comparison: Comparison | None) -> tuple[Plot, ...]:
        """As `draw_plots`, and by it where the process has died. Raises what that raises."""
        try:
            forests = self.studio.executor.submit(draw_forests, comparison)
            curves = self.curves.result()
            return (*forests.result(), *curves)
        except (BrokenExecutor, OSError):
            return draw_plots(*self.rows, self.names, comparison)


def open_studio(head_name: str) -> Studio | None:
    """None without matplotlib, or on a machine without shared semaphores."""
    if find_spec("matplotlib") is None:
        return None
    from multiprocessing import get_context

    try:
        # A fork of a process with threads may stand still for ever.
        executor = ProcessPoolExecutor(1, get_context("spawn"), _begin)
        executor.submit(_warm_up)
    except (BrokenExecutor, ImportError, OSError):
        return None
    return Studio(executor, head_name)


def _slim(rows: Predictions) -> Predictions:
    """Without what no curve needs: it is sent to another process."""
    return replace(rows, keys=None, slices={}, group=None, values={}, directions={})


def _begin() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    from multiprocessing.connection import wait

    wait([sentinel])
    os._exit(1)


def _warm_up() -> None:
    """The first picture costs twice as much as those after it: fonts are read, paths compiled."""
    from mlops_ci.report.canvas import Picture, paint

    with contextlib.suppress(Exception):  # who needs the pictures is told why there are none
        paint(Picture("warm", "Warm", lambda canvas: canvas.legend(_lines(canvas), "best")))


def _lines(canvas: object) -> object:
    axes = canvas.axes((3, 1))[0]  # type: ignore[attr-defined]
    axes.plot([0, 1], [0, 1], label="line")
    axes.set(xlabel="x", ylabel="y")
    return axes
