"""McNemar's test of the rows that one model alone has right. It is shown and decides nothing: the
interval says how much, a p-value only whether.

The mid-p of Fagerland, Lydersen & Laake 2013, "The McNemar test for binary matched-pairs data:
mid-p and asymptotic are better than exact conditional" (BMC Medical Research Methodology 13, 91,
doi:10.1186/1471-2288-13-91); the test itself: McNemar 1947 (Psychometrika 12, 153–157,
doi:10.1007/BF02295996).
"""

from __future__ import annotations

import math

import numpy as np

from mlops_ci.verdict.aggregates.cells import Cells
from mlops_ci.verdict.quantiles import two_sided_p

# Of more rows the normal distribution says the same to four digits.
EXACT = 2_000


def mcnemar_of(cells: Cells) -> float | None:
    """None where every row is right in both or wrong in both."""
    moved = cells.correct(1) - cells.correct(0)
    lost, gained = (int(np.sum(cells.counts[moved == way])) for way in (-1, 1))
    return mid_p(lost, gained) if lost + gained else None


def mid_p(lost: int, gained: int) -> float:
    """Two-sided: as if a coin had been tossed for each of these rows."""
    few, tossed = min(lost, gained), lost + gained
    if tossed > EXACT:
        return two_sided_p((lost - gained) / math.sqrt(tossed))
    ways = total = 1
    for heads in range(1, few + 1):
        ways = ways * (tossed - heads + 1) // heads
        total += ways
    if lost == gained:
        return 1 - ways / (1 << (tossed + 1))
    return (2 * total - ways) / (1 << tossed)
