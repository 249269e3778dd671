"""Names of metrics: ours, scikit-learn's scorers, what training scripts write; and directions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from mlops_ci.config.model import FAIRNESS as FAIRNESS_OF_GROUPS
from mlops_ci.config.model import FLOORS, Gate, Task
from mlops_ci.errors import ConfigError
from mlops_ci.value import Value
from mlops_ci.verdict.structs import replaced

Needs = Literal["prediction", "score", "value", "group"]
CLASSES: tuple[Task, ...] = ("binary", "multiclass")


class Metric(Value, frozen=True):
    """`by_class`: it stands or falls with the rows of each class. `average`: fixed by its name.
    What follows the @ in its name: a `number`, or the class of which it is (`label`).
    """

    name: str
    higher_is_better: bool | None
    tasks: tuple[Task, ...]
    needs: Needs = "prediction"
    by_class: bool = False
    averaged: bool = False
    average: str | None = None
    number: float | None = None
    label: str | None = None


def _averages() -> tuple[Metric, ...]:
    return tuple(
        Metric(f"{name}_{average}", True, CLASSES, by_class=average != "micro", average=average)  # noqa: FBT003 - the second field is the direction
        for name in ("precision", "recall", "f1")
        for average in ("macro", "weighted", "micro")
    )


UP, DOWN = True, False
# In the order in which a reader meets them.
DEFAULT: tuple[Metric, ...] = (
    Metric("accuracy", UP, CLASSES),
    Metric("balanced_accuracy", UP, CLASSES, by_class=True),
    Metric("precision", UP, CLASSES, by_class=True, averaged=True),
    Metric("recall", UP, CLASSES, by_class=True, averaged=True),
    Metric("specificity", UP, ("binary",), by_class=True),
    Metric("f1", UP, CLASSES, by_class=True, averaged=True),
    Metric("mcc", UP, CLASSES, by_class=True),
    Metric("roc_auc", UP, CLASSES, needs="score", by_class=True),
    Metric("average_precision", UP, ("binary",), needs="score", by_class=True),
    Metric("log_loss", DOWN, CLASSES, needs="score"),
    Metric("brier", DOWN, CLASSES, needs="score"),
    Metric("ece", DOWN, CLASSES, needs="score"),
    Metric("mae", DOWN, ("regression",)),
    Metric("mse", DOWN, ("regression",)),
    Metric("rmse", DOWN, ("regression",)),
    Metric("mape", DOWN, ("regression",)),
    Metric("r2", UP, ("regression",)),
)
# Between the groups of a column; as fairlearn has them. A ratio of 1 is a difference of 0.
FAIRNESS: dict[str, Metric] = {
    f"{name}_{kind}": Metric(f"{name}_{kind}", kind == "ratio", ("binary",))
    for name in FAIRNESS_OF_GROUPS
    for kind in ("difference", "ratio")
}
TASKS: tuple[Task, ...] = (*CLASSES, "regression")
# Asked for by name. Of grouped rows, each group being one query.
ASKED = (
    Metric("pinball_loss", DOWN, ("regression",)),
    Metric("ndcg", UP, ("binary", "regression"), needs="group"),
    Metric("mrr", UP, ("binary", "regression"), needs="group"),
)
METRICS = {metric.name: metric for metric in (*DEFAULT, *_averages(), *ASKED, *FAIRNESS.values())}

ALIASES = {
    "acc": "accuracy",
    "accuracy_score": "accuracy",
    "balanced_accuracy_score": "balanced_accuracy",
    "precision_score": "precision",
    "recall_score": "recall",
    "sensitivity": "recall",
    "tpr": "recall",
    "tnr": "specificity",
    "f1_score": "f1",
    "matthews_corrcoef": "mcc",
    "auc": "roc_auc",
    "auroc": "roc_auc",
    "rocauc": "roc_auc",
    "roc_auc_score": "roc_auc",
    "roc_auc_ovr": "roc_auc",
    "ap": "average_precision",
    "pr_auc": "average_precision",
    "average_precision_score": "average_precision",
    "logloss": "log_loss",
    "brier_score": "brier",
    "brier_score_loss": "brier",
    "expected_calibration_error": "ece",
    "mean_absolute_error": "mae",
    "mean_squared_error": "mse",
    "root_mean_squared_error": "rmse",
    "mean_absolute_percentage_error": "mape",
    "r2_score": "r2",
    "mean_pinball_loss": "pinball_loss",
    "ndcg_score": "ndcg",
    "mean_reciprocal_rank": "mrr",
    "r_squared": "r2",
}
# Scorers that scikit-learn turns round, so that more is better.
NEGATED = {
    "neg_log_loss": "log_loss",
    "neg_brier_score": "brier",
    "neg_mean_absolute_error": "mae",
    "neg_mean_squared_error": "mse",
    "neg_root_mean_squared_error": "rmse",
    "neg_mean_absolute_percentage_error": "mape",
}
# Numbers in metrics files whose direction nobody doubts, although we cannot compute them.
KNOWN_UP = frozenset({
    "score", "ndcg", "map", "mrr", "jaccard", "iou", "dice", "kappa", "bleu", "rouge", "hit_rate",
    "top_k_accuracy", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy",
    "explained_variance", "throughput", "lift", "gini", "ks",
})  # fmt: skip
KNOWN_DOWN = frozenset({
    "loss", "error", "err", "perplexity", "wer", "cer", "latency", "duration", "time", "seconds",
    "bytes", "size", "memory", "cost", "median_absolute_error", "max_error", "hamming_loss",
    "zero_one_loss", "pinball_loss", "fpr", "fnr",
})  # fmt: skip
# What the last word may say after the one that tells the direction: `latency_ms`.
UNITS = frozenset({
    "ns", "us", "ms", "s", "sec", "min", "b", "kb", "mb", "gb", "kib", "mib", "gib", "usd", "eur",
})  # fmt: skip
# Metrics with a number in their name: `pinball_loss@0.9` of the 90 % quantile, `ndcg@10`.
_PARAMETER = r"(?P<name>[a-z_]+)@(?P<number>[0-9]+(?:\.[0-9]+)?)"
# Of one class: `recall@cat`. What follows the @ is the class as the rows have it.
_OF_CLASS = r"\s*(?P<name>precision|recall|f1)@(?P<label>.+)"
# Words before a metric's name that say of which rows it is.
ROWS = frozenset({
    "train", "training", "val", "valid", "validation", "test", "eval", "holdout", "dev", "cv",
    "mean", "avg",
})  # fmt: skip


def askable(names: Iterable[str], *, grouped: bool = True) -> tuple[str, ...]:
    """Of the names that gates speak of our names of those that rows can be measured by, beside what
    is measured anyhow. `grouped`: whether metrics of queries are wanted.
    """
    found = {metric.name: metric for metric in map(known_metric, names) if metric is not None}
    return tuple(
        name
        for name, metric in sorted(found.items())
        if name not in FAIRNESS and metric not in DEFAULT and (grouped or metric.needs != "group")
    )


def canonical_metric(name: str) -> str:
    """Our name of a metric. Raises ConfigError, with the nearest name, for an unknown one."""
    plain = _plain(name)
    if plain in METRICS:
        return plain
    particular = _particular(name)
    if particular is not None:
        return particular.name
    known = NEGATED.get(plain) or ALIASES.get(plain)
    if known is None:
        raise unknown_metric(name, ())
    return known


def known_metric(name: str) -> Metric | None:
    plain = _plain(name)
    return METRICS.get(NEGATED.get(plain) or ALIASES.get(plain, plain)) or _particular(name)


def _particular(name: str) -> Metric | None:
    """A metric with an @ in its name."""
    if "@" not in name:
        return None
    of_class = re.fullmatch(_OF_CLASS, name)
    if of_class is not None:
        label, metric = of_class["label"], METRICS[of_class["name"]]
        return replaced(metric, name=f"{metric.name}@{label}", averaged=False, label=label)
    plain = _plain(name)
    match = re.fullmatch(_PARAMETER, plain)
    if match is None or match["name"] not in ("pinball_loss", "ndcg"):
        return None
    number = float(match["number"])
    quantile = match["name"] == "pinball_loss"
    fits = 0 < number < 1 if quantile else number >= 1 and number.is_integer()
    return replaced(METRICS[match["name"]], name=plain, number=number) if fits else None


def metric_of(name: str, values: Mapping[str, bool | None]) -> Metric:
    """One of ours, or the mean of a column of `values`: its direction is told or known by name."""
    if name in values:
        told = values[name]
        known = told if told is not None else higher_is_better(name)
        return Metric(name, known, TASKS, needs="value")
    found = known_metric(name)
    if found is None:
        raise unknown_metric(name, tuple(values))
    return found


def is_negated(name: str) -> bool:
    return _plain(name) in NEGATED


def canonical_gate(gate: Gate) -> Gate:
    """The same promise under our name: `neg_log_loss: {min: -0.4}` is `log_loss: {max: 0.4}`."""
    name = canonical_metric(gate.metric)
    if not is_negated(gate.metric) or gate.kind not in FLOORS:
        return replaced(gate, metric=name)
    turned: Literal["min", "max"] = "max" if gate.kind == "min" else "min"
    return replaced(gate, metric=name, kind=turned, limit=-gate.limit)


def higher_is_better(name: str) -> bool | None:
    """Direction of a metric, also of a number named `eval/val_loss` or `test.roc_auc`.

    None: not known. A negated scorer reads upwards, as scikit-learn has it.
    """
    whole = _particular(name)
    if whole is not None:
        return whole.higher_is_better
    last = _plain(last_part(name))
    for plain in dict.fromkeys((last, _without_rows(last))):
        if is_negated(plain):
            return True
        metric = known_metric(plain)
        if metric is not None:
            return metric.higher_is_better
        words = plain.split("_")
        ending = words[-2] if words[-1] in UNITS and len(words) > 1 else words[-1]
        for word in (plain, ending):
            if word in KNOWN_UP or word in KNOWN_DOWN:
                return word in KNOWN_UP
    return None


def unknown_metric(name: str, present: tuple[str, ...]) -> ConfigError:
    names = sorted({*METRICS, *ALIASES, *NEGATED, *present})
    from difflib import get_close_matches

    near = get_close_matches(_plain(name), names, n=1, cutoff=0.5)
    fix = f"did you mean `{near[0]}`?\n" if near else ""
    shown = ", ".join(sorted(set(present)) or [metric.name for metric in DEFAULT])
    return ConfigError(f"{name!r} is not a known metric", fix=f"{fix}known here: {shown}")


def last_part(name: str) -> str:
    """`roc_auc` of `test.roc_auc`, `eval/roc_auc` and `churn:roc_auc`."""
    return name.replace("/", ".").replace(":", ".").rsplit(".", 1)[-1]


def _without_rows(plain: str) -> str:
    while "_" in plain and plain[: plain.index("_")] in ROWS:
        plain = plain[plain.index("_") + 1 :]
    return plain


def _plain(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(" ", "_")
