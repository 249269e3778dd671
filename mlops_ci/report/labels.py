"""What metrics, slices, gates and sides are called in a report."""

from __future__ import annotations

from mlops_ci.config.model import FLOORS
from mlops_ci.records import Comparison, GateResult, MetricResult
from mlops_ci.records.comparison import Side
from mlops_ci.report.numbers import (
    NBSP,
    decimals_of,
    decimals_without_interval,
    has_width,
    show_exact,
)
from mlops_ci.report.phrase import Phrase, code, text
from mlops_ci.value import Value

METRICS = {
    "model_size_mb": "model size (MB)",
    "image_size_mb": "image size (MB)",
    "training_seconds": "training time (s)",
    "peak_memory_mb": "training memory (MB)",
    "latency_ms": "latency (ms)",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "precision": "precision",
    "recall": "recall",
    "specificity": "specificity",
    "f1": "F1",
    "mcc": "MCC",
    "roc_auc": "ROC AUC",
    "average_precision": "average precision",
    "log_loss": "log loss",
    "brier": "Brier score",
    "ece": "ECE",
    "mae": "MAE",
    "mse": "MSE",
    "rmse": "RMSE",
    "mape": "MAPE",
    "r2": "R²",
    "demographic_parity_difference": "demographic parity difference",
    "demographic_parity_ratio": "demographic parity ratio",
    "equal_opportunity_difference": "equal opportunity difference",
    "equal_opportunity_ratio": "equal opportunity ratio",
    "equalized_odds_difference": "equalized odds difference",
    "equalized_odds_ratio": "equalized odds ratio",
}
AVERAGES = ("macro", "weighted", "micro")
MARKS = {"pass": "✅", "fail": "❌", "inconclusive": "⚠️", "ungated": "📏"}
WORDS = {"pass": "passed", "fail": "failed", "inconclusive": "undecided", "ungated": "no gate"}
BLOCKED = "⛔"
DIRTY = "-dirty"


class Sides(Value, frozen=True):
    """The two columns of a table: `base` is None on a first run."""

    base: Phrase | None
    head: Phrase


def sides_of(comparison: Comparison, base_name: str, head_name: str) -> Sides:
    """Files are called by their names; commits `main` (as base is called) and `this PR`."""
    base = comparison.base
    head = comparison.head
    return Sides(
        None if base is None else code(base.name if is_file(base) else base.name or base_name),
        code(head.name) if is_file(head) else text(head_name),
    )


def is_file(side: Side) -> bool:
    return side.commit is None


def short(commit: str) -> str:
    """`3f9c2ab`, `3f9c2ab-dirty`."""
    plain = commit.removesuffix(DIRTY)
    return plain[:7] + (DIRTY if plain != commit else "")


def metric_name(metric: str, average: str | None = None) -> Phrase:
    """The field's own term for metrics that we know; another's name as it is."""
    plain, _, ending = metric.rpartition("_")
    if metric not in METRICS and ending in AVERAGES and plain in METRICS:
        metric, average = plain, ending
    if metric not in METRICS:
        return code(metric)
    return text(METRICS[metric] + (f" ({average})" if average else ""))


def full_name(metric: str, slice_name: str | None, average: str | None = None) -> Phrase:
    """`recall for region=north`, in a sentence."""
    name = metric_name(metric, average)
    return name if slice_name is None else name + text(" for ") + code(slice_name)


def cell_name(
    metric: str, slice_name: str | None, found: MetricResult | None, *, arrow: bool = True
) -> Phrase:
    """`log loss ↓`, `recall · region=north`, in a table."""
    name = metric_name(metric, found.average if found else None)
    if arrow and found is not None and found.higher_is_better is False:
        name += text(" ↓")
    return name if slice_name is None else name + text(" · ") + code(slice_name)


def decimals_for(metric: MetricResult | None, gate: GateResult | None = None) -> int:
    """The digits that the interval supports: of the change, else of the candidate's own value."""
    pairs = []
    size = gate.estimate if gate else None
    if metric is not None:
        size = metric.head
        pairs = [(metric.low, metric.high), (metric.head_low, metric.head_high)]
    if gate is not None:
        pairs.insert(0, (gate.low, gate.high))
    for low, high in pairs:
        if low is not None and high is not None and has_width(low, high, size):
            return decimals_of((high - low) / 2)
    if metric is None:
        return decimals_without_interval(gate.estimate if gate else None)
    return decimals_without_interval(metric.difference, metric.head, metric.base)


def gate_limit(gate: GateResult, metric: MetricResult | None, decimals: int) -> str:
    """`≥ −0.010` on the change, `≥ 0.600` on the value."""
    if gate.kind in FLOORS:
        sign = "≥" if gate.kind == "min" else "≤"
        return f"{sign}{NBSP}{show_exact(gate.limit, decimals)}"
    falls = metric is None or metric.higher_is_better is not False
    if gate.kind == "max-drop-relative":
        limit = f"{show_exact(round(100 * gate.limit, 10))}{NBSP}%"
        return f"≥{NBSP}−{limit}" if falls else f"≤{NBSP}+{limit}"
    if not gate.limit:
        return f"≥{NBSP}0" if falls else f"≤{NBSP}0"
    signed = show_exact(-gate.limit if falls else gate.limit, decimals, signed=True)
    return f"{'≥' if falls else '≤'}{NBSP}{signed}"


def gate_words(gate: GateResult, decimals: int) -> str:
    """`at least 0.600`, `a loss of 0.010`: in a sentence."""
    if gate.kind == "max-drop-relative":
        return f"{show_exact(round(100 * gate.limit, 10))}{NBSP}%"
    shown = show_exact(gate.limit, decimals)
    return {"min": f"at least {shown}", "max": f"at most {shown}"}.get(gate.kind, shown)
