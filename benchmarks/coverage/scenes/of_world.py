"""What a scene of two classes takes from the world that it is drawn from."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.coverage.worlds import World


@dataclass(frozen=True)
class OfWorld:
    world: World

    @property
    def n(self) -> int:
        return self.world.n

    @property
    def units(self) -> int:
        return self.world.units

    @property
    def region(self) -> str:
        return f"rarer class {self.world.share:.0%}"
