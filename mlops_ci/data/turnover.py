"""What became of main's evaluation rows: kept, gone, new, or with another label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlops_ci.data.keys import Rows, match
from mlops_ci.data.overlap import rest_of
from mlops_ci.data.pairing import common_classes, label_of, single_rows
from mlops_ci.data.predictions import Predictions
from mlops_ci.verdict.rows import SingleRows
from mlops_ci.verdict.shared import Shared
from mlops_ci.verdict.uncommon import ALL_COMMON, Lost, Uncommon

CLOSE = 1e-6  # of a score: what one model says of one row


@dataclass(frozen=True)
class Turnover:
    """One model's answers before and now, each on its own rows. `gone`, `added`, `relabelled`,
    `reweighed` count rows; None where there are no ids and the old rows are not the first of the
    new ones. `left_out`, `stayed`: its answers on those of its rows that are gone, and on the
    others. `shared`: the rows of both sets that have one id. `uncommon`: what the verdict lacks."""

    before: SingleRows
    now: SingleRows
    gone: int | None = None
    added: int | None = None
    relabelled: int = 0
    reweighed: int = 0
    left_out: SingleRows | None = None
    stayed: SingleRows | None = None
    shared: Shared | None = None
    uncommon: Uncommon = ALL_COMMON

    @property
    def replaced(self) -> bool:
        """No row of the old ones is left."""
        return self.gone == len(self.before.label)


def turn_over(before: Predictions, now: Predictions) -> Turnover:
    classes = common_classes(before, now)
    sides = single_rows(before, classes), single_rows(now, classes)
    if before.keys is None or now.keys is None:
        if not _goes_on(*sides):
            return Turnover(*sides, uncommon=Uncommon(unknown=True))
        return Turnover(*sides, 0, now.rows - before.rows)
    left, right = match(before.keys, now.keys)
    kept = before.rows if isinstance(left, slice) else len(left)
    relabelled = label_of(before, classes)[left] != label_of(now, classes)[right]
    reweighed = _reweighed((before, now), (left, right), kept)
    rest = rest_of(before, left)
    left_out = single_rows(before, classes, rest) if rest is not None else None
    weighs = before.weight is None or bool(before.weight[left].any())
    stayed = single_rows(before, classes, left) if kept and weighs else None
    return Turnover(
        *sides,
        before.rows - kept,
        now.rows - kept,
        int(relabelled.sum()),
        int(reweighed.sum()),
        left_out,
        stayed,
        Shared(np.arange(before.rows)[left], np.arange(now.rows)[right]),
        _edited(sides, (left, right), relabelled | reweighed),
    )


def _goes_on(before: SingleRows, now: SingleRows) -> bool:
    """Whether the first rows are the old ones, as far as labels and one model's answers tell."""
    rows = len(before.label)
    if len(now.label) < rows or not np.array_equal(before.label, now.label[:rows]):
        return False
    told = [
        (one, other)
        for one, other in (
            (before.outputs.score, now.outputs.score),
            (before.outputs.prediction, now.outputs.prediction),
            (before.weight, now.weight),
        )
        if one is not None or other is not None
    ]
    return all(
        one is not None
        and other is not None
        and one.shape[1:] == other.shape[1:]
        and np.allclose(one, other[:rows], rtol=CLOSE, atol=CLOSE)
        for one, other in told
    )


def _reweighed(
    sides: tuple[Predictions, Predictions], rows: tuple[Rows, Rows], kept: int
) -> NDArray[np.bool_]:
    """Rows that count more or less than they did: a row of weight 0 is as good as gone."""
    found = [
        side.weight[at] if side.weight is not None else np.ones(kept)
        for side, at in zip(sides, rows, strict=True)
    ]
    return np.asarray(found[0] != found[1])


def _edited(
    sides: tuple[SingleRows, SingleRows], rows: tuple[Rows, Rows], changed: NDArray[np.bool_]
) -> Uncommon:
    """Nothing is lost of a set that was replaced as a whole: the new one is a new yardstick.
    `changed`: of the rows that both have."""
    before, now = sides
    total, kept = len(before.label), len(changed)
    if not kept:
        return ALL_COMMON
    return Uncommon(
        unscored=total - kept,
        relabelled=int(changed.sum()),
        slices=_lost_of_slices(before.slices, now.slices, rows, changed),
    )


def _lost_of_slices(
    before: Mapping[str, NDArray[np.bool_]],
    now: Mapping[str, NDArray[np.bool_]],
    rows: tuple[Rows, Rows],
    changed: NDArray[np.bool_],
) -> dict[str, Lost]:
    """Of each slice of base: a row that moved into another one is gone from it."""
    left, right = rows
    found = {}
    for name, mask in before.items():
        stayed = mask[left] & now[name][right] if name in now else np.zeros_like(changed)
        found[name] = Lost(int(mask.sum() - stayed.sum()), int((stayed & changed).sum()))
    return found
