"""A function's values on rows that were drawn anew: the bootstrap, where rows are few.

Leaving out a block tells little of a function that jumps from row to row, such as a median; drawing
all rows anew does (Bickel & Freedman 1981, "Some asymptotic theory for the bootstrap", Annals of
Statistics 9, 1196–1217; doi:10.1214/aos/1176345637). Each arm is the longer one of Student's t with
the draws' deviation and of the draws' own quantile, which knows of skewness (Efron 1979, "Bootstrap
methods: another look at the jackknife", Annals of Statistics 7, 1–26; doi:10.1214/aos/1176344552).
The longer one of both is our choice.
"""

from __future__ import annotations

import math

import numpy as np

from mlops_ci.verdict.aggregates.exact import sum_of
from mlops_ci.verdict.intervals import Interval, student_quantile
from mlops_ci.verdict.part import Part
from mlops_ci.verdict.rows import Floats

DRAWS = 400
# Of so many rows the jackknife's blocks are large enough, and a call takes long.
MOST_ROWS = 20_000
# Slices, and all rows: of more, slices have the jackknife alone.
MOST_PARTS = 50


def redrawn_interval(value: float, drawn: Floats, units: float, level: float) -> Interval:
    """`drawn` [draws]: the value on as many `units` (rows, groups) drawn from these anew."""
    off = np.sort(drawn) - value
    mean = sum_of(off) / len(off)
    deviation = math.sqrt(sum_of(np.square(off - mean)) / (len(off) - 1))
    # Of n units the draws' variance is that of n − 1.
    se = deviation * math.sqrt(units / (units - 1))
    half = student_quantile(level, units - 1) * se
    low, high = np.quantile(off, [(1 - level) / 2, (1 + level) / 2])
    ends = value + min(float(low), -half), value + max(float(high), half)
    return Interval(*ends, se, f"bootstrap, {len(off)} draws")


def units_of(part: Part) -> float:
    """How many independent ones were drawn."""
    return part.effective if part.clusters is None else float(part.clusters.groups)
