"""How far apart groups' rates may lie where few rows tell: what a bootstrap cannot draw.

A rate of 0 of 40, or of 2 of 2, is drawn again as itself each time, as if it were certain; and two
rates that happen to be equal lie apart in nearly every draw, which a correction for bias takes for
an excess of all of them, as if their being equal were certain. There a rate's own interval is
Wilson's (1927, doi:10.1080/01621459.1927.10502953), two of them make the interval of their distance
by MOVER (Zou & Donner 2008, "Construction of confidence limits about effect measures: a general
approach", Statistics in Medicine 27, 1693–1702, doi:10.1002/sim.3095); and the change of a rate has
Tango's (1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<891::AID-SIM780>3.0.CO;2-B).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from mlops_ci.verdict.intervals import Atoms, score_interval, wilson

FEW = 10
FEW_CHANGED = 30

Ends = tuple[float, float, float]  # low, estimate, high


@dataclass(frozen=True)
class Rate:
    """`share` of a group's `rows` (of equal weight) is answered positively; head `lost` so many of
    base's and `gained` others."""

    share: float
    rows: float
    lost: float = 0.0
    gained: float = 0.0

    @property
    def scarce(self) -> bool:
        return self.rows * min(self.share, 1 - self.share) < FEW


def reach_of_spread(kind: str, rates: Sequence[Rate], level: float) -> tuple[float, float] | None:
    """The interval of the rates' distance (`difference` or `ratio`); None where rows are many, and
    tell which rate is the higher one.
    """
    own = [wilson(rate.share * rate.rows, rate.rows, level) for rate in rates]
    ends = [(one.low, rate.share, one.high) for one, rate in zip(own, rates, strict=True)]
    pairs = list(permutations(ends, 2))
    seen = max(pairs, key=lambda pair: pair[0][1] - pair[1][1])
    if _apart(*seen)[0] > 0 and not any(rate.scarce for rate in rates):
        return None
    if kind == "difference":
        return max(0.0, _apart(*seen)[0]), max(_apart(*pair)[1] for pair in pairs)
    highest, lowest = seen
    high = min(1.0, lowest[2] / highest[0]) if highest[0] > 0 else 1.0
    return min(other[0] / one[2] for one, other in pairs if one[2] > 0), high


def _apart(one: Ends, other: Ends) -> tuple[float, float]:
    moved = one[1] - other[1]
    low = moved - math.hypot(one[1] - one[0], other[2] - other[1])
    return low, moved + math.hypot(one[2] - one[1], other[1] - other[0])


def reach_of_change(
    kind: str, rates: tuple[Sequence[Rate], Sequence[Rate]], level: float, *, drawn: bool
) -> tuple[float, float] | None:
    """How far below and above the estimate the change of the distance from base's `rates` to head's
    may lie; None where many rows changed in every group. `drawn`: whether the draws differed."""
    base, head = rates
    many = all(rate.lost + rate.gained >= FEW_CHANGED for rate in head)
    if drawn and many and not any(rate.scarce for rate in (*base, *head)):
        return None
    found = [_of_change(rate, level) for rate in head]
    ranked = [np.argsort([rate.share for rate in side], kind="stable") for side in (base, head)]
    top, bottom = {int(order[-1]) for order in ranked}, {int(order[0]) for order in ranked}
    pairs = [(found[i], found[j]) for i in top for j in bottom if i != j]
    arms = [_arms(*pair) for pair in pairs or permutations(found, 2)]
    down, up = max(arm[0] for arm in arms), max(arm[1] for arm in arms)
    if kind == "difference":
        return down, up
    half = max(down, up) / max(rate.share for rate in (*base, *head))
    return half, half


def _of_change(rate: Rate, level: float) -> Ends:
    same = max(rate.rows - rate.lost - rate.gained, 0.0)
    counts = np.array([rate.lost, same, rate.gained])
    found = score_interval(Atoms(np.array([-1.0, 0.0, 1.0]), counts, -1.0, 1.0), level)
    return found.low, (rate.gained - rate.lost) / rate.rows, found.high


def _arms(one: Ends, other: Ends) -> tuple[float, float]:
    low, high = _apart(one, other)
    moved = one[1] - other[1]
    return moved - low, high - moved
