"""Statistics that came from elsewhere: whether they can be those of any rows at all.

All of it raises ValueError.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.verdict.aggregates.cube import PLACES
from mlops_ci.verdict.aggregates.grouped import Atoms, Grouped, gap_pairs
from mlops_ci.verdict.aggregates.losses import PROBABILITIES
from mlops_ci.verdict.aggregates.sufficient import Question, Sufficient
from mlops_ci.verdict.aggregates.totals import Key, Totals, is_even, is_near, keys_of


def check_question(asked: Question) -> None:
    classes = len(asked.classes)
    fits = asked.sides in (1, 2) and math.isfinite(asked.centre)
    if asked.task == "regression":
        fits = fits and not (classes or asked.scored or asked.classed)
    else:
        fits = fits and classes >= 2 and 0 <= asked.positive < classes
    if not fits or (asked.task == "binary" and classes != 2):
        raise ValueError(f"a {asked.task} task of {classes} classes")


def check_counted(found: Sufficient, *, ranked: bool) -> None:
    """What was counted in several ways must agree. `ranked`: whether scores were counted."""
    n, asked = found.n, found.question
    _check_counts(found)
    counts: list[tuple[str, int]] = [("losses", one.n) for one in found.losses.values()]
    if asked.task != "regression":
        counts.append(("classes", int(found.counts.sum())))
    if asked.classed:
        counts.append(("cells", 0 if found.cells is None else found.cells.n))
    if found.joint is not None:
        if not ranked:
            raise ValueError("its scores are missing")
        counts += [("scores", int(one.sum())) for one in found.joint.counts]
        counts += [("bands", int(found.joint.bands.sum()))] if asked.sides > 1 else []
    if asked.scored and not found.improbable.any() and n:
        counts.append(("gaps", 0 if found.gaps is None else found.gaps.n))
    wrong = next((what for what, count in counts if count != n), None)
    if wrong is not None or len(found.counts) != len(asked.classes):
        raise ValueError(f"its {wrong or 'classes'} do not count {n} rows")
    _check_losses(found)
    _check_areas(found)


def _check_areas(found: Sufficient) -> None:
    areas, sides = found.areas, found.question.sides
    if found.crowd is not None and (found.crowd.counts.sum(axis=1) != sides * found.n).any():
        raise ValueError("its scores are not of as many rows")
    if areas is None:
        return
    by_side: tuple[tuple[Any, ...], ...] = (areas.values, areas.blur, areas.placed, areas.constant)
    if found.question.task != "multiclass" or any(len(one) != sides for one in by_side):
        raise ValueError("its areas are not those of the task")
    shares = (*areas.values, *areas.blur)
    counts = (areas.rarest, areas.moved, *areas.placed)
    if not all(0 <= one <= 1 for one in shares) or not all(0 <= one <= found.n for one in counts):
        raise ValueError("its areas are those of no rows")
    totals = areas.totals
    if totals.n != found.n or totals.summed != sides or len(totals.extent.low) != sides:
        raise ValueError(f"its areas do not count {found.n} rows")
    near = is_near(totals.extent, sides)
    if not near or set(totals.sums) != set(keys_of(sides)):
        raise ValueError("its areas have not all of their sums")
    if areas.rarest < 1 or any(is_even(key) and totals.whole(key) < 0 for key in totals.sums):
        raise ValueError("a sum of squares of its areas is below 0")


def _check_counts(found: Sufficient) -> None:
    tables: list[NDArray[Any]] = [found.counts, np.array([found.n, found.zeros])]
    if found.cells is not None:
        tables.append(found.cells.counts)
    if found.joint is not None:
        tables += [found.joint.counts, found.joint.bands]
    if (found.improbable < 0).any() or any((table < 0).any() for table in tables):
        raise ValueError("a count is below 0")
    if any((table > found.n).any() for table in tables):
        raise ValueError(f"a count is more than the {found.n} rows that there are")


def _check_losses(found: Sufficient) -> None:
    asked = found.question
    wanted = set(asked.schemes) - (set(PROBABILITIES) if found.improbable.any() else set())
    if found.n and set(found.losses) != wanted:
        raise ValueError("its losses are not those of the task")
    for name, one in found.losses.items():
        summed = asked.sides + 2 * asked.schemes[name].explains
        columns = summed + (asked.sides > 1)
        ends = (one.extent.low, one.extent.high)
        if one.summed != summed or any(len(end) != columns for end in ends):
            raise ValueError(f"{name} has not {columns} columns")
        near = is_near(one.extent, summed)
        if near and not all(low <= high for low, high in zip(*ends, strict=True)):
            raise ValueError(f"{name} has no extremes")
        if set(one.sums) != set(keys_of(summed) if near else ()):
            raise ValueError(f"{name} has not all of its sums")
        if any(is_even(key) and one.whole(key) < 0 for key in one.sums):
            raise ValueError(f"a sum of squares of {name} is below 0")


def check_groups(found: Sufficient) -> None:
    """Every part has groups or none has, and their sums are those of so many groups."""
    parts = [found, *found.slices.values()]
    if len({part.grouped is None for part in parts}) > 1:
        raise ValueError("its groups are not those of its slices")
    for part in parts:
        if part.grouped is not None:
            _check_grouped(part.grouped, part.n, found.question.sides)


def _check_grouped(found: Grouped, n: int, sides: int) -> None:
    if found.rows != n or not 0 <= found.groups <= n or not 0 <= found.largest <= n:
        raise ValueError(f"{found.groups} groups of {found.rows} rows among {n}")
    if (found.groups == 0) != (n == 0) or found.groups * found.largest < n:
        raise ValueError(f"{found.groups} groups of at most {found.largest} rows have not {n}")
    for name, sums in found.sums.items():
        fits = len(sums.columns) == 2 * sides - 1 and len(sums.reach) == sides
        if not fits or not all(0 <= reach < math.inf for reach in sums.reach):
            raise ValueError(f"sums over groups of {name} are not of {sides} sides")
        for column in sums.columns:
            _check_sums(column.totals, found.groups, keys_of(1))
            if column.atoms is not None:
                _check_atoms(column.atoms, found.groups)
    if found.gaps is not None:
        pairs = len(gap_pairs(sides))
        _check_sums(found.gaps, found.groups, tuple((at,) for at in range(pairs)))


def _check_sums(found: Totals, groups: int, keys: tuple[Key, ...]) -> None:
    columns = max(map(max, keys)) + 1
    ends = (found.extent.low, found.extent.high)
    if found.n != groups or found.summed != columns or any(len(end) != columns for end in ends):
        raise ValueError(f"sums over groups are not of {groups} groups")
    if set(found.sums) != set(keys if is_near(found.extent, columns) else ()):
        raise ValueError("not all sums over groups are there")
    if any(len(key) > 1 and is_even(key) and found.whole(key) < 0 for key in found.sums):
        raise ValueError("a sum of squares over groups is below 0")


def _check_atoms(found: Atoms, groups: int) -> None:
    values, counts = found.values, found.counts
    fits = len(values) == len(counts) and int(counts.sum()) == groups and (counts > 0).all()
    if not fits or not np.isfinite(values).all() or (values[1:] <= values[:-1]).any():
        raise ValueError(f"its sums are not those of {groups} groups")


def check_cube(found: Sufficient) -> None:
    """Its slices must have the rows that each slice has by itself."""
    cube = found.cube
    if cube is None:
        return
    names = [name for column in cube.columns for name in column]
    if not names:
        raise ValueError("it has combinations of no slices")
    if sorted(names) != sorted(found.slices) or math.prod(cube.sizes) > PLACES:
        raise ValueError("its combinations are not those of its slices")
    if cube.lost:
        return
    places, counts = cube.places, cube.counts
    inside = len(places) == 0 or 0 <= places[0] <= places[-1] < math.prod(cube.sizes)
    if not inside or (places[1:] <= places[:-1]).any():
        raise ValueError("its combinations do not rise")
    if (counts < 0).any() or (counts[:, 0] < counts[:, 1] + counts[:, 2]).any():
        raise ValueError("a count of its combinations is below 0")
    if not 0 <= cube.reach < math.inf:
        raise ValueError("its changes of losses have no reach")
    of_slices = {name: int(counts[mask, 0].sum()) for name, mask in cube.masks().items()}
    if cube.n != found.n or any(found.slices[name].n != n for name, n in of_slices.items()):
        raise ValueError("its combinations do not count the rows of its slices")
