"""The record of `compare`: a public contract, read by others."""

from __future__ import annotations

from datetime import date
from typing import Literal

from msgspec import Struct

from mlops_ci.config.contract import TermKind
from mlops_ci.config.model import GateKind, OnInconclusive
from mlops_ci.config.robustness import PerturbationKind

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


class Decomposition(Struct, frozen=True, kw_only=True):
    """Why a metric moved, where the evaluation rows changed: by the rows or by the model.

    `base_before`: main's model on its own rows; `base_now`: the same model on head's rows; `head`
    on these too. `data_effect` = base_now − base_before, `model_effect` = head − base_now, as the
    metric reads, with their bounds. The rows of the first are taken as two samples, so where they
    share some its interval is too wide, never too narrow.
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


class LeftOut(Struct, frozen=True, kw_only=True):
    """Rows that base was measured on and head was not: how many, base's metrics on them, and on the
    others (`kept`). By name; a metric that such rows do not have is left out."""

    rows: int
    metrics: dict[str, float] = {}
    kept: dict[str, float] = {}


class RobustnessResult(Struct, frozen=True, kw_only=True):
    """What the candidate loses when its evaluation rows are changed: the same rows, changed and as
    they are.

    `amount`: of `noise` in standard deviations of the column, of `missing` and `swap` a share, of
    `scale` a factor, of `prior` the share of positive rows. `columns` empty: all that fit. `clean`,
    `changed`: the metric; `difference` = changed − clean as it reads, with its bounds.
    `base_difference`: the same of main's model, where main has measured it. `limit` is the margin
    (≥ 0) of a gate; without one `verdict` is `ungated`. `reason`, `source`, `waived`: as a gate's.
    None: not assessed, and `note` says why.
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
    limit: float | None = None
    required: bool = True
    source: Literal["base", "head", "both"] = "both"
    waived: str | None = None
    note: str | None = None


class Resolution(Struct, frozen=True, kw_only=True):
    """How a predictions file was understood, for the record and for the reader.

    `columns` maps a role (id, label, prediction, score, slice names) to the columns used; `found`
    maps the role to how: `option`, `config` or `convention`. `written_by`: another tool's format,
    and by what it was told.
    """

    task: str
    task_from: str
    columns: dict[str, list[str]] = {}
    found: dict[str, str] = {}
    classes: list[str] = []
    positive: str | None = None
    threshold: float | None = None
    average: str | None = None
    written_by: str | None = None


class Side(Struct, frozen=True, kw_only=True):
    """One of the two that were compared. `name` is what a reader sees: `main`, a file's name.
    `behind`: how many commits main is further than this one; `days` before head's it was measured;
    None where that is none, or not known."""

    name: str
    commit: str | None = None
    predictions_digest: str | None = None
    model_digest: str | None = None
    training_key: str | None = None
    source: str | None = None
    behind: int | None = None
    days: int | None = None


class Retraining(Struct, frozen=True, kw_only=True):
    """Whose retraining noise the intervals of changes hold: `head`, `base` count the trainings it
    was measured by, None where it is not known. `history`: those sides' trainings are main's, of
    one training key each.
    """

    head: int | None = None
    base: int | None = None
    history: tuple[Literal["head", "base"], ...] = ()


class Comparison(Struct, frozen=True, kw_only=True):
    """`mlops-ci compare --json`. `base` is None on a first run: there is nothing to compare with.

    `policy` is `on-inconclusive`. `blocks` says whether the exit code is 1. `changes` are the
    differences of the yardstick (gates, slices, policy) between base's and head's configuration.
    `weak_slices` are found by a search and judge nothing. `resources`: the model's size and its
    times, against main's runs. `contract`: promises about data
    files. `waiting` counts gates on a first run
    that limit a change: they hold as soon as there is something to compare with. `retraining`:
    None where retraining noise is not measured. `evaluations`: which use of this evaluation set it
    is, by the commits of main that were measured on it; None without a store. `decomposition`:
    where main's model was asked about head's rows because these are others than its own; it judges
    nothing. `left_out`: rows of base that head does not have.
    """

    schema: str = "mlops-ci/comparison/1"
    model: str
    base: Side | None
    head: Side
    rows: RowCounts
    level: float
    policy: OnInconclusive
    verdict: Verdict
    blocks: bool
    metrics: tuple[MetricResult, ...] = ()
    gates: tuple[GateResult, ...] = ()
    primary: str | None = None
    evidence: Evidence = "point"
    resolution: Resolution | None = None
    changes: tuple[str, ...] = ()
    weak_slices: tuple[WeakSlice, ...] = ()
    waiting: int = 0
    drift: tuple[ColumnDrift, ...] = ()
    resources: tuple[MetricResult, ...] = ()
    contract: tuple[ContractResult, ...] = ()
    robustness: tuple[RobustnessResult, ...] = ()
    decomposition: tuple[Decomposition, ...] = ()
    left_out: LeftOut | None = None
    retraining: Retraining | None = None
    evaluations: int | None = None
    notes: tuple[str, ...] = ()
