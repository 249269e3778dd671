"""Bounds of the largest of several differences, and of how far two such largest lie apart.

The largest difference that is seen is biased upwards: of groups that are all alike, one is seen to
be worst. Whichever truly is the largest, a bound of its own bounds it, and so does the largest of
all bounds (intersection–union: Berger 1982, doi:10.1080/00401706.1982.10487790). From below it is
at least any of the others, so these bounds must hold together (union–intersection): by the quantile
of their largest error (max-t: Westfall & Young 1993, "Resampling-based multiple testing", Wiley,
ISBN 978-0-471-55761-6, ch. 2). The same two steps bound the change of a largest; Chernozhukov, Lee
& Rosen 2013, "Intersection bounds: estimation and inference" (Econometrica 81, 667–737,
doi:10.3982/ECTA8718), whose selection of the bounds that may be the highest `_near` is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlops_ci.verdict.quantiles import normal_quantile
from mlops_ci.verdict.rows import Floats, Ints

MOST = 12  # differences whose bounds may be the highest
NEAR = 3.5  # standard errors below the largest: what lies lower is not the largest


@dataclass(frozen=True)
class Estimates:
    """`seen` [k] and `errors` [draws, k]: of drawn samples, the difference less the one seen."""

    seen: Floats
    errors: Floats

    @property
    def se(self) -> Floats:
        return np.asarray(np.sqrt(np.square(self.errors).mean(axis=0)))

    def largest(self, level: float) -> tuple[float, float]:
        """The interval of the largest of the true differences; of none 0 to 1, of shares."""
        if not len(self.seen):
            return 0.0, 1.0
        se = self.se
        near = _near(self.seen, se)
        off = _together(self.errors[:, near], se[near], level) * se[near]
        upper = float((self.seen + normal_quantile(level) * se).max())
        return float((self.seen[near] - off).max()), upper


def _near(seen: Floats, se: Floats) -> Ints:
    """Those that may be the largest. To leave out more would be to choose by luck."""
    top = int(np.argmax(seen))
    return np.flatnonzero(seen + NEAR * (se + se[top]) >= seen[top])


def _together(errors: Floats, se: Floats, level: float) -> float:
    """By how many of their standard errors all are too large at once in but half of 1 − level."""
    z = normal_quantile(level)
    sound = se > 0
    if not sound.any():
        return z
    highest = (errors[:, sound] / se[sound]).max(axis=1)
    return max(z, float(np.quantile(highest, 1 - (1 - level) / 2)))


def largest_rose(base: Estimates, head: Estimates, level: float) -> tuple[float, float]:
    """The interval of head's true largest difference less base's; the same samples drawn."""
    if not len(base.seen) or not len(head.seen):
        return -1.0, 1.0
    return -_rise(head, base, level), _rise(base, head, level)


def _rise(before: Estimates, after: Estimates, level: float) -> float:
    """At most so much higher. Whichever difference is `after`'s largest, it lies at most so far
    above each of `before`'s, and so above their largest."""
    held = _near(before.seen, before.se)
    found = []
    z = normal_quantile(level)
    for at in np.argsort(-(after.seen + z * after.se), kind="stable")[:MOST]:
        errors = before.errors[:, held] - after.errors[:, [at]]  # of the rise, turned
        se = np.sqrt(np.square(errors).mean(axis=0))
        rise = after.seen[at] - before.seen[held]
        found.append(float((rise + _together(errors, se, level) * se).min()))
    return max(found)
