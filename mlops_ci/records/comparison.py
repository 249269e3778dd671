"""The record of `compare`: a public contract, read by others."""

from __future__ import annotations

from msgspec import Struct

from mlops_ci.config.model import OnInconclusive
from mlops_ci.records.findings import (
    ColumnDrift,
    ContractResult,
    Decomposition,
    LeftOut,
    Retraining,
    RobustnessResult,
    WeakSlice,
)
from mlops_ci.records.results import Evidence, GateResult, MetricResult, RowCounts, Verdict


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


class Comparison(Struct, frozen=True, kw_only=True):
    """`mlops-ci compare --json`. `base` is None on a first run: there is nothing to compare with.

    `policy` is `on-inconclusive`. `blocks` says whether the exit code is 1. `changes` are the
    differences of the yardstick (gates, slices, policy) between base's and head's configuration.
    `weak_slices` are found by a search and judge nothing. `resources`: the model's size and its
    times, against main's runs. `contract`: promises about data
    files. `waiting` counts gates that cannot be judged yet: on a first run those that limit a
    change, which hold as soon as there is something to compare with, and before a merge those on
    the image. `retraining`:
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
