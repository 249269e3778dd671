"""The record of `evaluate`."""

from __future__ import annotations

from msgspec import Struct

from mlops_ci.records.comparison import Resolution
from mlops_ci.records.findings import RobustnessResult
from mlops_ci.records.results import MetricResult


class Artifact(Struct, frozen=True, kw_only=True):
    """A file or folder, by its path in the project and its SHA-256 (`sha256:…`)."""

    path: str
    digest: str
    bytes: int


class SeedValues(Struct, frozen=True, kw_only=True):
    """One metric of every training: of seed 0, 1, …"""

    metric: str
    slice: str | None = None
    values: tuple[float, ...] = ()


class Seeds(Struct, frozen=True, kw_only=True):
    """What `trainings` that differ only in MLOPS_CI_SEED came to, on the same rows. `same`: they
    answer alike, so training does not follow the seed and nothing is known of its noise; `values`
    is empty then."""

    trainings: int
    same: bool = False
    values: tuple[SeedValues, ...] = ()


class Evaluation(Struct, frozen=True, kw_only=True):
    """What head's (or base's) model does on the evaluation rows.

    `predictions` is the file as evaluated; `slim` its short form out of the store, in this clone.
    `rows_digest` identifies the evaluation data: the row keys with their labels, whatever the model
    said. `numbers` are the metrics files' values, by nested name (`test.auc`); `refused` says of
    the others why they are no numbers. `file_rows`: rows of the files
    that the contract speaks of. `group`, `weight` name the columns that were used.
    `predict_seconds`: how long `predict:` took.
    """

    schema: str = "mlops-ci/evaluate/1"
    model: str
    commit: str
    evaluated: str
    key: str | None = None
    predictions: Artifact | None = None
    slim: Artifact | None = None
    artifact: Artifact | None = None
    rows: int | None = None
    rows_digest: str | None = None
    resolution: Resolution | None = None
    metrics: tuple[MetricResult, ...] = ()
    numbers: dict[str, float] = {}
    refused: dict[str, str] = {}
    file_rows: dict[str, int] = {}
    robustness: tuple[RobustnessResult, ...] = ()
    group: str | None = None
    weight: str | None = None
    predict_seconds: float | None = None
    seeds: Seeds | None = None
    notes: tuple[str, ...] = ()
