"""One figure: ours, the peer's, their ratio, and the goal that it is held against."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """`ours` and `peer` in `unit`; `ratio` is ours / peer, or None where there is no peer. `cpu`:
    seconds of CPU that ours took, where a whole process was measured."""

    name: str
    ours: float
    unit: str
    goal: str
    holds: bool
    peer: float | None = None
    peer_name: str = ""
    cpu: float | None = None

    @property
    def ratio(self) -> float | None:
        return None if not self.peer else self.ours / self.peer

    def line(self) -> str:
        """The last line that a benchmark prints: one JSON object."""
        ratio = None if self.ratio is None else round(self.ratio, 5)
        return json.dumps({**asdict(self), "ratio": ratio}, ensure_ascii=False)

    def row(self, what: str) -> str:
        peer = f"{self.peer:.3g} {self.unit} ({self.peer_name})" if self.peer else "–"
        ratio = "–" if self.ratio is None else f"{self.ratio:.2f}"
        if self.ratio and self.ratio < 0.01:
            ratio = f"1/{1 / self.ratio:,.0f}"
        mark = "yes" if self.holds else "**no**"
        cpu = f" (CPU {self.cpu:.2f} s)" if self.cpu is not None else ""
        ours = f"{self.ours:.3g} {self.unit}{cpu}"
        return f"| {self.name}: {what} | {ours} | {peer} | {ratio} | {self.goal} | {mark} |\n"


def print_table(rows: list[tuple[str, ...]]) -> None:
    """Rows of equal length; the first is the heading."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
