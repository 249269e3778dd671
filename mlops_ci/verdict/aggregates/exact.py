"""Sums that do not depend on the order of what is summed."""

from __future__ import annotations

import numpy as np

from mlops_ci.verdict.rows import Floats, Ints

# Whole units below 2⁵³ add up without rounding.
BITS = 52


def sum_by(where: Ints, values: Floats, size: int) -> Floats:
    """Of `values` [n] by their place in 0 … size − 1, [size]. In two passes of whole units, so that
    what is lost lies some twenty digits below the largest value.
    """
    room = 2.0 ** (BITS - len(values).bit_length())
    found, rest = np.zeros(size), values
    for _ in range(2):
        scale = float(np.abs(rest).max(initial=0.0))
        if scale == 0:
            break
        unit = 2.0 ** np.ceil(np.log2(scale)) / room
        whole = np.rint(rest / unit)
        found += np.bincount(where, weights=whole, minlength=size) * unit
        rest = rest - whole * unit
    return found


def sum_of(values: Floats) -> float:
    return float(sum_by(np.zeros(len(values), dtype=np.int64), values, 1)[0])


def effective_rows(weight: Floats) -> float:
    """How many rows of equal weight are worth as much (Kish 1965, "Survey sampling", Wiley, ISBN
    978-0-471-10949-5: (Σw)²/Σw²): n when all are equal."""
    squares = sum_of(np.square(weight / weight.max()))
    return sum_of(weight / weight.max()) ** 2 / squares
