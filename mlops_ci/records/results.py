"""A metric that was measured, and a gate that was judged: a public contract, read by others."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from mlops_ci.config.model import GateKind

Verdict = Literal["pass", "fail", "inconclusive", "ungated"]
Evidence = Literal["paired", "unpaired", "point", "history"]
Paired = Literal["id", "position", "none"]


class RowCounts(Struct, frozen=True, kw_only=True):
    """`paired` counts the rows that both scored. `base` is None when there is no baseline."""

    head: int | None = None
    base: int | None = None
    paired: int | None = None
    paired_by: Paired = "none"


class MetricResult(Struct, frozen=True, kw_only=True):
    """One metric on one slice (None: all rows).

    `difference` is head − base as the metric reads, so for `log_loss` a positive one is worse;
    `low`, `high` bound it at the comparison's level. `se` is its standard error. `n` counts the
    rows that entered. A field is None where it was not or could not be assessed, and `note` then
    says why. `average` names the averaging of a multiclass metric.

    `se` is that of the rows alone. Where retraining noise is known, `low` and `high` hold it too:
    `seed_sd` is its standard deviation (of both sides together), from `seeds` trainings, and
    `seed_df` are Satterthwaite's degrees of freedom of the whole.

    `mcnemar`: of a paired accuracy the mid-p of McNemar's test. It decides nothing.
    """

    metric: str
    slice: str | None = None
    base: float | None = None
    head: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    se: float | None = None
    method: str = ""
    evidence: Evidence = "point"
    higher_is_better: bool | None = None
    base_low: float | None = None
    base_high: float | None = None
    head_low: float | None = None
    head_high: float | None = None
    average: str | None = None
    better: bool = False
    note: str | None = None
    seeds: int | None = None
    seed_sd: float | None = None
    seed_df: float | None = None
    mcnemar: float | None = None


class GateResult(Struct, frozen=True, kw_only=True):
    """One promise, judged.

    `limit` is the margin (≥ 0, in the bad direction) of a `max-drop` gate, absolute or as a part of
    |base|; the bound itself of `min` and `max`. `quantity` says what `estimate`, `low`, `high` are:
    the `difference` (head − base as the metric reads) or the candidate's own `value`. `margin` is
    the absolute margin that was used. `rows_needed`: at 80 % power, for no true change and for the
    change as seen; None where more rows cannot tell. `against` is `base`, or `anchor` for the creep
    check. `source` says whose file asked for it: base's, head's, or both (`base`, `head`, `both`),
    or an `option`. `waived`: by whom, until when and why it does not count.
    """

    metric: str
    kind: GateKind
    limit: float
    quantity: Literal["difference", "value"]
    verdict: Literal["pass", "fail", "inconclusive"]
    blocks: bool
    reason: str
    slice: str | None = None
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    margin: float | None = None
    evidence: Evidence = "point"
    required: bool = True
    rows_needed: tuple[int, int] | None = None
    against: Literal["base", "anchor"] = "base"
    source: Literal["base", "head", "both", "option"] = "option"
    waived: str | None = None
