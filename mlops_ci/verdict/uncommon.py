"""The evaluation rows that base's verdict rests on, and that this one lacks: then nothing passes.

Head may have left rows of base unanswered, or the pull request may have edited the rows themselves
while base's model answered head's: rows that are gone can be those that head's model gets wrong,
and a label that is another one can make a wrong answer right. What is left then says at most that
a gate is broken. A set that shares no row with base's is no edited one: it is a new yardstick.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from mlops_ci.value import Value
from mlops_ci.verdict.structs import replaced

Doubt = Literal["unscored", "relabelled", "unknown-rows", "new-rows"]


class Lost(Value, frozen=True):
    """Rows of base without their counterpart: `unscored` were not answered or are gone,
    `relabelled` have another label."""

    unscored: int = 0
    relabelled: int = 0


class Uncommon(Value, frozen=True):
    """Rows that both sides do not have alike: `unscored` of base, `added` of head, `relabelled` of
    both. `apart`: the two files have no common rows as far as anybody can tell; `unknown`: base's
    model has answered head's rows, but nobody can tell which of base's own these are. `slices`:
    what a slice of base has lost; None where nobody has counted, so that each may have lost all.
    """

    unscored: int = 0
    added: int = 0
    apart: bool = False
    relabelled: int = 0
    unknown: bool = False
    slices: Mapping[str, Lost] | None = None

    @property
    def doubt(self) -> Doubt | None:
        """Why no gate on these rows passes."""
        if self.unscored > 0:
            return "unscored"
        if self.relabelled > 0:
            return "relabelled"
        if self.unknown:
            return "unknown-rows"
        return "new-rows" if self.added > 0 else None

    @property
    def nothing(self) -> bool:
        return self.doubt is None and not self.apart

    def within(self, name: str | None) -> Uncommon:
        """What concerns the rows of this slice, by base's columns; None: all rows."""
        if name is None or self.slices is None:
            return self
        column = name.partition("=")[0]
        if all(known.partition("=")[0] != column for known in self.slices):
            return self
        lost = self.slices.get(name, Lost())
        return replaced(self, unscored=lost.unscored, relabelled=lost.relabelled)

    def joined(self, other: Uncommon) -> Uncommon:
        """What the one lacks and what the other one does."""
        return Uncommon(
            self.unscored + other.unscored,
            self.added + other.added,
            self.apart or other.apart,
            self.relabelled + other.relabelled,
            self.unknown or other.unknown,
            _slices_of(self, other),
        )


ALL_COMMON = Uncommon()


def _slices_of(one: Uncommon, other: Uncommon) -> Mapping[str, Lost] | None:
    """Who has lost nothing has nothing to count."""
    counted = [side for side in (one, other) if side.unscored or side.relabelled]
    known = [side.slices for side in counted if side.slices is not None]
    if len(known) < len(counted) or not known:
        return None
    return {
        name: Lost(
            sum(slices.get(name, Lost()).unscored for slices in known),
            sum(slices.get(name, Lost()).relabelled for slices in known),
        )
        for name in dict.fromkeys(name for slices in known for name in slices)
    }
