"""The settings of a project, as its owner writes them.

Keys are kebab-case in YAML, snake_case here. Every unknown key is an error: a misspelt gate must
not be a gate that never fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from mlops_ci.config.contract import Contract
from mlops_ci.config.robustness import Robustness
from mlops_ci.config.setting import Setting

Task = Literal["binary", "multiclass", "regression"]
AskedTask = Literal["binary", "multiclass", "regression", "classes"]
GateKind = Literal["max-drop", "max-drop-relative", "min", "max"]
DROPS: tuple[GateKind, ...] = ("max-drop", "max-drop-relative")  # against a base
FLOORS: tuple[GateKind, ...] = ("min", "max")  # of the candidate alone
OnInconclusive = Literal["estimate", "warn", "fail"]
Average = Literal["macro", "weighted"]
Better = Literal["higher", "lower"]
Commented = Literal["always", "changes", "none"]
Plots = Literal["auto", "branch", "attachments", "artifact", "mermaid", "none"]
Alarm = Literal["pass", "fail", "inconclusive", "ungated", "error", "deployed"]

# What fairlearn calls them, each as `_difference` and as `_ratio`.
FAIRNESS = ("demographic_parity", "equal_opportunity", "equalized_odds")

# The share of evaluation rows that are training rows: no estimate, so bounded by `max` alone.
LEAKAGE = "leakage"

# Of one run: judged against those of main's runs, so there is no best of them.
MEASURED = ("training_seconds", "peak_memory_mb", "latency_ms")

NonNegative = Annotated[float, Meta(ge=0)]
Level = Annotated[float, Meta(gt=0.5, lt=1)]


class Limits(Setting, frozen=True):
    """What one metric promises, on all rows or on a slice.

    `max_drop` is in the metric's own unit and counts in the bad direction: for `log_loss` it is
    what the metric may rise. `slice` is `column=value`, or `column=*` for every value of a column.
    `max_total_drop` bounds the loss against the best record of the last 90 days, in the unit of
    the drop beside it (`max_drop`, where there are both); its default is twice that drop.
    `accept: point` lets a number without rows decide. `better` tells the direction of a number
    whose name does not.
    """

    max_drop: NonNegative | None = None
    max_drop_relative: NonNegative | None = None
    max_total_drop: NonNegative | None = None
    min: float | None = None
    max: float | None = None
    slice: str | None = None
    required: bool = True
    accept: Literal["rows", "point"] = "rows"
    better: Better | None = None


class Gate(Struct, frozen=True, kw_only=True):
    """One promise: one metric, one slice, one kind of limit.

    `limit` is a margin ≥ 0 for the `max-drop` kinds, a value of the metric for `min` and `max`.
    `max_total_drop` belongs to the `max-drop` kinds alone.
    """

    metric: str
    kind: GateKind
    limit: float
    slice: str | None = None
    required: bool = True
    accept: Literal["rows", "point"] = "rows"
    max_total_drop: float | None = None
    better: Better | None = None


class Waiver(Setting, frozen=True, kw_only=True):
    """Who vouches for a gate that does not pass, why, and until which day (inclusive). Of `kind`
    None every kind of limit is meant."""

    metric: str
    slice: str | None = None
    kind: GateKind | None = None
    owner: Annotated[str, Meta(min_length=1, max_length=100)]
    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    until: date


class Policy(Struct, frozen=True, kw_only=True):
    """How intervals become a verdict. `level` is the coverage of every two-sided interval; where
    `alpha_spending` evaluations of one test set share the error rate, that of each of them."""

    level: float = 0.95
    on_inconclusive: OnInconclusive = "estimate"
    min_rows: int = 30
    primary: str | None = None
    average: Average = "macro"
    alpha_spending: int | None = None


class Columns(Setting, frozen=True):
    """Which columns of the predictions file mean what; None: found by convention.

    `group`: what rows belong together (users, patients, queries). `weight`: how many rows each row
    stands for. `values`: columns of which the mean is a metric, by itself or with what is better of
    it.
    """

    id: str | list[str] | None = None
    label: str | None = None
    prediction: str | None = None
    score: str | None = None
    group: str | None = None
    weight: str | None = None
    values: list[str] | dict[str, Better] = []

    @property
    def directions(self) -> dict[str, bool | None]:
        """Whether more of a value is better; None: by its name."""
        if isinstance(self.values, list):
            return dict.fromkeys(self.values)
        return {name: better == "higher" for name, better in self.values.items()}


class Function(Setting, frozen=True):
    """A metric of the project's own: `function` is `file.py:name`, called with the labels and the
    predictions of some rows (and, where it has such a parameter, `score`)."""

    function: str
    better: Better


class Deploy(Setting, frozen=True):
    """Where the image runs. `host` is a Docker host (`ssh://user@host`); None: DOCKER_HOST."""

    target: Literal["docker", "process"] = "docker"
    host: str | None = None
    port: Annotated[int, Meta(ge=1, le=65535)] = 8080
    name: str | None = None
    health_timeout: Annotated[float, Meta(gt=0)] = 60.0
    bind: str = "0.0.0.0"  # noqa: S104 - a deployed service is meant to be reached


class Store(Setting, frozen=True):
    """Where records and predictions of main are kept between runs."""

    backend: Literal["git", "folder"] = "git"
    path: str | None = None
    max_file_mb: Annotated[float, Meta(gt=0)] = 20.0
    max_total_mb: Annotated[float, Meta(gt=0)] = 200.0
    max_age_days: Annotated[int, Meta(ge=1)] = 90


class Price(Setting, frozen=True):
    """What the machine that trains costs, in a currency by its code of ISO 4217."""

    per_hour: Annotated[float, Meta(ge=0)]
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")] = "USD"


class Alerts(Setting, frozen=True):
    """On which outcomes the places of MLOPS_CI_WEBHOOK_URL, MLOPS_CI_SLACK_URL and
    MLOPS_CI_TEAMS_URL are told."""

    on: tuple[Alarm, ...] = ("fail", "error")


class Reporting(Setting, frozen=True):
    """`templates`: a folder with templates that replace blocks of ours (docs/report.md)."""

    templates: str | None = None


class Model(Setting, frozen=True):
    """One entry under `models:`. Paths are relative to the configuration file's folder."""

    train: str | list[str] | None = None
    dvc: list[str] | None = None
    data: list[str] = []
    params: list[str] | None = None
    code: list[str] | None = None
    requirements: str | None = None
    python: str | None = None
    timeout: Annotated[float, Meta(gt=0)] | None = None
    seeds: Annotated[int, Meta(ge=1, le=100)] = 1
    secrets: list[str] = []
    predictions: str | None = None
    training_rows: str | None = None
    metrics: str | list[str] | None = None
    model: str | None = None
    predict: str | None = None
    columns: Columns = Columns()
    task: AskedTask | None = None
    positive: str | int | bool | None = None
    average: Average = "macro"
    slices: list[str] = []
    fairness: list[str] = []
    functions: dict[str, Function] = {}
    pictures: list[str] = []
    primary: str | None = None
    min_rows: Annotated[int, Meta(ge=1)] = 30
    alpha_spending: Annotated[int, Meta(ge=2, le=100)] | None = None
    gates: dict[str, Limits | list[Limits]] = {}
    waivers: list[Waiver] = []
    contract: Contract | list[Contract] = []
    features: str | None = None
    robustness: Robustness | None = None
    image: str | None = None
    deploy: Deploy | None = None
    price: Price | None = None


class Config(Setting, frozen=True):
    """The whole file. `comment: changes` begins none while both models answer the same. `plots`:
    how the comment shows them; `auto` is `branch` where the job's token may write it, else
    `attachments` where there is a token for them, else `mermaid`, which draws them as text.
    `artifact` keeps them behind a link."""

    models: dict[str, Model]
    level: Level = 0.95
    on_inconclusive: OnInconclusive = "estimate"
    store: Store = Store()
    tracking_uri: str | None = None
    comment: Commented = "always"
    plots: Plots = "auto"
    report: Reporting = Reporting()
    alerts: Alerts = Alerts()
    price: Price | None = None

    @property
    def prices(self) -> dict[str, Price]:
        """By model; a model's own goes before that of all."""
        found = {name: model.price or self.price for name, model in self.models.items()}
        return {name: price for name, price in found.items() if price is not None}

    def policy(self, name: str) -> Policy:
        model = self.models[name]
        return Policy(
            level=round(1 - (1 - self.level) / (model.alpha_spending or 1), 12),
            on_inconclusive=self.on_inconclusive,
            min_rows=model.min_rows,
            primary=model.primary,
            average=model.average,
            alpha_spending=model.alpha_spending,
        )


KINDS: Mapping[GateKind, str] = {
    "max-drop": "max_drop",
    "max-drop-relative": "max_drop_relative",
    "min": "min",
    "max": "max",
}


def expand_gates(gates: Mapping[str, Limits | list[Limits]]) -> tuple[Gate, ...]:
    """The promises one by one, in the order in which they are written.

    An entry with several limits is as many gates: all must hold, so the stricter decides.
    """
    return tuple(
        gate
        for metric, entry in gates.items()
        for limits in (entry if isinstance(entry, list) else [entry])
        for gate in _gates_of(metric, limits)
    )


def _gates_of(metric: str, limits: Limits) -> Iterator[Gate]:
    for kind, attribute in KINDS.items():
        limit = getattr(limits, attribute)
        if limit is None:
            continue
        yield Gate(
            metric=metric,
            kind=kind,
            limit=limit,
            slice=limits.slice,
            required=limits.required,
            accept=limits.accept,
            better=limits.better,
            max_total_drop=_total_drop(limits, kind, limit) if kind in DROPS else None,
        )


def _total_drop(limits: Limits, kind: GateKind, limit: float) -> float:
    other = kind == "max-drop-relative" and limits.max_drop is not None
    return 2 * limit if limits.max_total_drop is None or other else limits.max_total_drop


def config_schema() -> dict[str, object]:
    return msgspec.json.schema(Config)
