"""What a comparison finds beside metrics and gates: a public contract, read by others."""

from __future__ import annotations

from datetime import date
from typing import Literal

from msgspec import Struct

from mlops_ci.config.contract import TermKind
from mlops_ci.config.robustness import PerturbationKind


class WeakSlice(Struct, frozen=True, kw_only=True):
    """A part of the rows in which the candidate got worse, found by a search.

    `slice` is `region=north` or `plan=basic & region=north`. `loss`: head − base of the rows' mean
    loss there, above 0 is worse (wrong answers a row; the absolute error of a value). `worse`,
    `better` rows of it got so; `worse_of_all` rows got worse anywhere. `q`: the p-value, adjusted
    for the `tried` slices.
    """

    slice: str
    n: int
    loss: float
    worse: int
    worse_of_all: int
    better: int
    q: float
    tried: int


class ColumnDrift(Struct, frozen=True, kw_only=True):
    """One column of base's rows and of head's, where these are not the same rows.

    `column` is `label`, `prediction`, `score` or a column's name. `statistic` is what `method`
    says: the distance of Kolmogorov–Smirnov, or χ². `p`, and `q`, adjusted for all columns.
    `psi`: the population stability index; `jensen_shannon`: 0 to 1; `wasserstein`: in the
    column's unit.
    `base_missing`, `head_missing`: shares. `drifts`: q at most 0.05 and PSI at least 0.1. None: not
    assessed, and `note` says why.
    """

    column: str
    kind: Literal["numeric", "categorical"]
    method: str = ""
    statistic: float | None = None
    p: float | None = None
    q: float | None = None
    psi: float | None = None
    jensen_shannon: float | None = None
    wasserstein: float | None = None
    base_rows: int = 0
    head_rows: int = 0
    base_missing: float | None = None
    head_missing: float | None = None
    drifts: bool = False
    note: str | None = None


class ContractResult(Struct, frozen=True, kw_only=True):
    """One promise about the rows of a file: exact counts, so it holds or it does not.

    `column` None: of the whole file. `value` is what was compared with `limit`: the share of
    missing values, how many rows lie outside or stand twice, the rows, or their change against
    `base_rows` as a part of these. `bad` rows of `rows` break it. `found`: the lowest or highest
    value, three of the values that are not allowed, the type, or what a schema's checks say;
    `allowed`: what may be. `verdict` is `inconclusive` where nothing could be counted, and `note`
    says why. `source`, `waived`: as a gate's.
    """

    file: str
    kind: TermKind
    verdict: Literal["pass", "fail", "inconclusive"]
    blocks: bool
    reason: Literal["holds", "broken", "missing-file", "missing-column", "no-base", "not-assessed"]
    column: str | None = None
    limit: float | date | None = None
    allowed: tuple[str | int | float | bool, ...] = ()
    value: float | None = None
    bad: int | None = None
    rows: int | None = None
    base_rows: int | None = None
    found: tuple[str, ...] = ()
    spec: str | None = None
    required: bool = True
    source: Literal["base", "head", "both"] = "both"
    waived: str | None = None
    note: str | None = None


class RobustnessResult(Struct, frozen=True, kw_only=True):
    """What the candidate loses when its evaluation rows are changed: the same rows, changed and as
    they are.

    `amount`: of `noise` in standard deviations of the column, of `missing` and `swap` a share, of
    `scale` a factor, of `prior` the share of positive rows. `columns` empty: all that fit. `clean`,
    `changed`: the metric; `difference` = changed − clean as it reads, with its bounds.
    `base_difference`, `base_low`, `base_high`: the same of main's model on the same rows, where
    main has measured it. `limit` is the margin (≥ 0) of a gate; without one `verdict` is `ungated`.
    `reason`, `source`, `waived`: as a gate's. None: not assessed, and `note` says why.
    """

    kind: PerturbationKind
    amount: float
    metric: str
    verdict: Literal["pass", "fail", "inconclusive", "ungated"]
    blocks: bool
    reason: str = ""
    columns: tuple[str, ...] = ()
    clean: float | None = None
    changed: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    method: str = ""
    higher_is_better: bool | None = None
    base_difference: float | None = None
    base_low: float | None = None
    base_high: float | None = None
    limit: float | None = None
    required: bool = True
    source: Literal["base", "head", "both"] = "both"
    waived: str | None = None
    note: str | None = None


class Decomposition(Struct, frozen=True, kw_only=True):
    """Why a metric moved, where the evaluation rows changed: by the rows or by the model.

    `base_before`: main's model on its own rows; `base_now`: the same model on head's rows; `head`
    on these too. `data_effect` = base_now − base_before, `model_effect` = head − base_now, as the
    metric reads, with their bounds. Of rows that both sets have the covariance is known by their
    ids; without ids the two are taken as two samples, whose interval is too wide, never too narrow.
    `slice` None: all rows.
    """

    metric: str
    base_before: float | None = None
    base_now: float | None = None
    head: float | None = None
    data_effect: float | None = None
    data_low: float | None = None
    data_high: float | None = None
    model_effect: float | None = None
    model_low: float | None = None
    model_high: float | None = None
    slice: str | None = None


class LeftOut(Struct, frozen=True, kw_only=True):
    """Rows that base was measured on and head was not: how many, base's metrics on them, and on the
    others (`kept`). By name; a metric that such rows do not have is left out."""

    rows: int
    metrics: dict[str, float] = {}
    kept: dict[str, float] = {}


class Retraining(Struct, frozen=True, kw_only=True):
    """Whose retraining noise the intervals of changes hold: `head`, `base` count the trainings it
    was measured by, None where it is not known. `history`: those sides' trainings are main's, of
    one training key each.
    """

    head: int | None = None
    base: int | None = None
    history: tuple[Literal["head", "base"], ...] = ()
