"""Of the normal distribution, without numpy: gates are judged by them where no row is read."""

from __future__ import annotations

import math
from functools import cache


def quantile(share: float) -> float:
    """Of the standard normal distribution. The module is slow to import: who asks, waits."""
    from statistics import NormalDist

    return NormalDist().inv_cdf(share)


@cache
def normal_quantile(level: float) -> float:
    """z such that a standard normal lies within ±z with probability `level`."""
    return quantile(0.5 + level / 2)


def two_sided_p(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2))
