"""Many tests at once: p-values adjusted for how many there are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values, in the order given: of those at most q, a share of q is expected to be
    noise (Benjamini & Hochberg 1995, "Controlling the false discovery rate: a practical and
    powerful approach to multiple testing", JRSS B 57, 289–300,
    doi:10.1111/j.2517-6161.1995.tb02031.x)."""
    if not p_values:
        return []
    p = np.asarray(p_values)
    order = np.argsort(p, kind="stable")
    steps = p[order] * len(p) / np.arange(1, len(p) + 1)
    adjusted = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    found = np.empty(len(p))
    found[order] = adjusted
    return [float(one) for one in found]
