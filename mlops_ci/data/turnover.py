"""What became of main's evaluation rows: kept, gone, new, or with another label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlops_ci.data.keys import match
from mlops_ci.data.overlap import rest_of
from mlops_ci.data.pairing import common_classes, label_of, single_rows
from mlops_ci.data.predictions import Predictions
from mlops_ci.verdict.rows import SingleRows
from mlops_ci.verdict.shared import Shared


@dataclass(frozen=True)
class Turnover:
    """One model's answers before and now, each on its own rows. `gone`, `added`, `relabelled` count
    rows; None where there are no ids. `left_out`, `stayed`: its answers on those of its rows that
    are gone, and on the others. `shared`: the rows of both sets that have one id."""

    before: SingleRows
    now: SingleRows
    gone: int | None = None
    added: int | None = None
    relabelled: int | None = None
    left_out: SingleRows | None = None
    stayed: SingleRows | None = None
    shared: Shared | None = None


def turn_over(before: Predictions, now: Predictions) -> Turnover:
    classes = common_classes(before, now)
    sides = single_rows(before, classes), single_rows(now, classes)
    if before.keys is None or now.keys is None:
        return Turnover(*sides)
    left, right = match(before.keys, now.keys)
    kept = before.rows if isinstance(left, slice) else len(left)
    moved = label_of(before, classes)[left] != label_of(now, classes)[right]
    rest = rest_of(before, left)
    left_out = single_rows(before, classes, rest) if rest is not None else None
    weighs = before.weight is None or bool(before.weight[left].any())
    stayed = single_rows(before, classes, left) if kept and weighs else None
    changed = before.rows - kept, now.rows - kept, int(moved.sum())
    shared = Shared(np.arange(before.rows)[left], np.arange(now.rows)[right])
    return Turnover(*sides, *changed, left_out, stayed, shared)
