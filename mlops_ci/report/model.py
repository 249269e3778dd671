"""What a report says, before anything is rendered: facts in records, no words, no markup."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from mlops_ci.config import Price
from mlops_ci.errors import CommandError, MlopsCiError
from mlops_ci.records import (
    Build,
    Comparison,
    Deployment,
    Evaluation,
    GateResult,
    MetricResult,
    Push,
    Training,
)
from mlops_ci.value import Value

State = Literal["compared", "first", "failed", "untouched", "live"]
PROPOSED = "this PR"  # what head is called where merging it is the question
MOST_PLOTS = 4  # of a model in a comment; the page shows all
FORESTS = ("gates", "slices")
ABOUT = {  # plot → the metrics that it explains
    "roc": {"roc_auc"},
    "precision-recall": {"average_precision", "precision", "recall", "f1"},
    "calibration": {"brier", "log_loss", "ece"},
    "confusion": {"accuracy", "balanced_accuracy", "mcc", "specificity"},
}


class Failure(Value, frozen=True):
    """An error as a document. `tail` holds the last lines that the user's command printed."""

    step: str
    what: str
    where: str = ""
    fix: str = ""
    link: str = ""
    tail: str = ""
    exit_code: int = 70


@dataclass(frozen=True)
class Plot:
    """One picture, drawn twice. The URLs are set where it is hosted."""

    name: str
    title: str
    light: bytes
    dark: bytes
    light_url: str | None = None
    dark_url: str | None = None


class Chart(Value, frozen=True):
    """Curves as text: Mermaid's source, and a sparkline for each side, base first."""

    name: str
    title: str
    mermaid: str
    sparks: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """One model. `shipped` maps `build`, `push`, `deploy` to their records; `why` says in a line
    what made the plan look at this model, or leave it alone.
    """

    model: str
    state: State
    comparison: Comparison | None = None
    training: Training | None = None
    base_training: Training | None = None
    evaluation: Evaluation | None = None
    base_evaluation: Evaluation | None = None
    failure: Failure | None = None
    shipped: Mapping[str, Any] = field(default_factory=dict)
    plots: tuple[Plot, ...] = ()
    charts: tuple[Chart, ...] = ()
    notes: tuple[str, ...] = ()
    why: str = ""

    @property
    def build(self) -> Build | None:
        return self.shipped.get("build")

    @property
    def push(self) -> Push | None:
        return self.shipped.get("push")

    @property
    def deployment(self) -> Deployment | None:
        return self.shipped.get("deploy")

    @property
    def gates(self) -> tuple[GateResult, ...]:
        """Worst first: what blocks, what failed, what is undecided; then as they were written."""
        comparison = self.comparison
        return () if comparison is None else tuple(sorted(comparison.gates, key=severity))

    @cached_property
    def telling_plots(self) -> tuple[Plot, ...]:
        """What a comment shows of the plots, in their order: forests, then what a gate speaks of
        that did not pass, then what any gate speaks of."""
        stopped = {gate.metric for gate in self.gates if gate.verdict != "pass"}
        asked = {gate.metric for gate in self.gates}

        def rank(plot: Plot) -> int:
            if plot.name in FORESTS:
                return 0
            about = ABOUT.get(plot.name, asked)  # the project's own are about what it asks for
            return 1 if about & stopped else 2 if about & asked else 3

        chosen = sorted(self.plots, key=rank)[:MOST_PLOTS]
        return tuple(plot for plot in self.plots if plot in chosen)

    @property
    def metrics(self) -> tuple[MetricResult, ...]:
        if self.comparison is not None:
            return self.comparison.metrics
        return self.evaluation.metrics if self.evaluation is not None else ()

    @cached_property
    def whole(self) -> tuple[MetricResult, ...]:
        """On all rows, as they come."""
        return tuple(metric for metric in self.metrics if metric.slice is None)

    @cached_property
    def sliced(self) -> tuple[MetricResult, ...]:
        """On slices, the worst first."""
        return worst_first(metric for metric in self.metrics if metric.slice is not None)

    def metric_of(self, gate: GateResult) -> MetricResult | None:
        """What the gate was judged on; of the anchor's comparison only the direction is known."""
        return self._found.get((gate.metric, gate.slice))

    @cached_property
    def _found(self) -> dict[tuple[str, str | None], MetricResult]:
        """Of several with one name, the first."""
        measured = (*self.metrics, *self.resources)
        return {(m.metric, m.slice): m for m in reversed(measured)}

    @property
    def resources(self) -> tuple[MetricResult, ...]:
        """The model's size and times."""
        return self.comparison.resources if self.comparison is not None else ()


class Links(Value, frozen=True):
    """Where a reader can go from here. All of it varies by run, so all of it is in the footer."""

    report: str | None = None
    run: str | None = None
    log: str | None = None
    environment: str | None = None


@dataclass(frozen=True)
class Report:
    """`base_name`, `head_name` are what a reader calls the two sides where records name commits.
    `templates`: the project's own, by the name of ours that each stands for. `charts`: whether
    plots that have no address are shown as text; `plots_note`: why, where a picture was asked for;
    `plots_url`: where a reader finds all of them. `prices`: of an hour of training, by model.
    """

    models: tuple[Section, ...]
    links: Links = field(default_factory=Links)
    base_name: str = "main"
    head_name: str = PROPOSED
    templates: Mapping[str, str] = field(default_factory=dict)
    charts: bool = False
    plots_note: str = ""
    plots_url: str | None = None
    prices: Mapping[str, Price] = field(default_factory=dict)


def worst_first(metrics: Iterable[MetricResult]) -> tuple[MetricResult, ...]:
    """By the change in standard errors; what has no better or worse comes last."""
    placed = [(standing(metric.difference, metric), metric) for metric in metrics]
    placed.sort(key=lambda one: (one[0] is None, one[0] or 0.0))
    return tuple(metric for _, metric in placed)


def standing(change: float | None, metric: MetricResult | None) -> float | None:
    """A change in standard errors (in its own unit without any), + is better."""
    if change is None or metric is None or metric.higher_is_better is None:
        return None
    turned = change if metric.higher_is_better else -change
    return turned / metric.se if metric.se else turned


def severity(gate: GateResult) -> tuple[int, float]:
    """Sorts the gate that decides to the top; the further beyond its limit, the higher."""
    ranks = {"fail": 0, "inconclusive": 2, "pass": 4}
    rank = ranks[gate.verdict] + (0 if gate.required else 1)
    if gate.verdict == "inconclusive" and not gate.blocks:
        rank = 3
    return rank, _room(gate) if gate.verdict != "pass" else 0.0


def _room(gate: GateResult) -> float:
    """How far inside its limit the estimate lies, in margins (or in the limit's own size)."""
    if gate.estimate is None:
        return float("-inf")
    if gate.quantity == "value":
        room = gate.estimate - gate.limit
        return (room if gate.kind == "min" else -room) / (abs(gate.limit) or 1.0)
    return -abs(gate.estimate) / (gate.margin or 1.0)


def failure_of(error: MlopsCiError, step: str) -> Failure:
    tail = error.tail if isinstance(error, CommandError) else ""
    return Failure(step, error.what, error.where, error.fix, error.link, tail, error.exit_code)


def section_of(comparison: Comparison, **facts: Any) -> Section:
    """The section of a model that was compared, or that ran for the first time."""
    state: State = "compared" if comparison.base is not None else "first"
    return Section(comparison.model, state, comparison, **facts)


def report_of(
    sections: Sequence[Section],
    links: Links | None = None,
    *,
    base_name: str = "main",
    head_name: str = PROPOSED,
) -> Report:
    """Sections in the order that a reader needs: what stops the change, then by name."""
    order = {"failed": 0, "compared": 2, "first": 3, "live": 4, "untouched": 5}

    def place(section: Section) -> tuple[int, int, str]:
        comparison = section.comparison
        blocks = section.state != "failed" and comparison is not None and comparison.blocks
        open_ = comparison is not None and comparison.verdict == "inconclusive"
        return (1 if blocks else order[section.state]), (0 if open_ else 1), section.model

    return Report(tuple(sorted(sections, key=place)), links or Links(), base_name, head_name)
