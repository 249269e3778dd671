"""Rates of positive answers by group of rows, from the counts of a group's eight kinds of rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mlops_ci.verdict.rows import Floats, Ints, Mask
from mlops_ci.verdict.scarcity import Rate
from mlops_ci.verdict.units import Units

DRAWS = 4_000
SEED = 20_261_121
CELLS = 8  # label × base's class × head's class, each positive or not
Counts = Ints | Floats
CODES = np.arange(CELLS)
LABEL, BASE, HEAD = ((CODES >> at & 1).astype(np.bool_) for at in (2, 1, 0))


@dataclass(frozen=True)
class Groups:
    """`counts` [groups, 8] in the order of `names`, or the weights of so many `rows`; `skipped`
    have too few. `units`: what was sampled, where it is not rows; `cell` [n]: where a row counts
    then, −1 for nowhere.
    """

    names: tuple[str, ...]
    counts: Counts
    skipped: tuple[str, ...]
    rows: int
    cell: Ints | None = None
    units: Units | None = None

    def rates(self, of: Mask, side: Mask) -> list[Rate]:
        """Each group's share of positive answers among the rows `of`, and how much it rests on."""
        counts, found = self.counts, []
        for at, share in enumerate(rate_of(counts, of, side)):
            total = counts[at, of].sum()
            rows = float(total)
            if self.units is not None and self.cell is not None:
                rows = self.units.worth(np.isin(self.cell, at * CELLS + CODES[of]))
            moved = (
                counts[at, of & one & ~other].sum() for one, other in ((BASE, HEAD), (HEAD, BASE))
            )
            lost, gained = (float(one / total * rows) if total else 0.0 for one in moved)
            found.append(Rate(float(share), rows, lost, gained))
        return found

    @cached_property
    def drawn(self) -> Counts:
        """[draws, groups, 8]: all rows drawn anew, so the groups' sizes vary too."""
        if self.units is not None and self.cell is not None:
            totals = self.units.draw(self.cell, self.counts.size, DRAWS, SEED)
            return totals.reshape(DRAWS, *self.counts.shape)
        n = self.rows
        rng = np.random.default_rng(SEED)
        drawn = rng.multinomial(n, (self.counts / n).ravel(), size=DRAWS)
        return np.asarray(drawn.reshape(DRAWS, *self.counts.shape))


def spread_of(name: str, counts: Counts, side: Mask) -> Floats:
    """How far the groups' rates lie apart: counts [..., groups, 8] → [...]; NaN where a group has
    no row that a rate is of. Equalized odds is the worse of the two rates, as in fairlearn."""
    kind = name.rpartition("_")[2]
    spreads = [_spread(kind, rate_of(counts, of, side)) for of in rates_of(name)]
    return spreads[0] if len(spreads) == 1 else WORSE[kind](*spreads)


WORSE = {"difference": np.maximum, "ratio": np.minimum}


def rates_of(name: str) -> tuple[Mask, ...]:
    """The rows that a metric's rates are of."""
    return {
        "demographic_parity": (np.ones(CELLS, dtype=np.bool_),),
        "equal_opportunity": (LABEL,),
        "equalized_odds": (LABEL, ~LABEL),
    }[name.rpartition("_")[0]]


def rate_of(counts: Counts, of: Mask, side: Mask) -> Floats:
    """Share of the positive answers among the rows `of`, by group."""
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = counts[..., of & side].sum(axis=-1) / counts[..., of].sum(axis=-1)
    return np.asarray(rate, dtype=np.float64)


def _spread(kind: str, rates: Floats) -> Floats:
    lowest, highest = rates.min(axis=-1), rates.max(axis=-1)
    if kind == "difference":
        return np.asarray(highest - lowest)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(lowest / highest)
