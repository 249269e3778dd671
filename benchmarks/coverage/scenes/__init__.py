"""Simulated repositories, by what their models answer."""

from __future__ import annotations

from benchmarks.coverage.scenes import (
    binary,
    classes,
    fairness,
    functions,
    queries,
    regression,
    streams,
)
from benchmarks.coverage.tally import Scene


def every_scene(*, quick: bool) -> list[Scene]:
    rooms = (binary, regression, classes, queries, functions, streams, fairness)
    return [scene for room in rooms for scene in room.scenes(quick=quick)]
