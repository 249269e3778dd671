"""What a model costs to hold, train and ask: one measurement, against those of main's past runs.

Times and memory are noisy and skewed, so they are looked at on a log scale: a run of the same code
would lie within mean ± t · s · √(1 + 1/n) of the past ones (the prediction interval of a normal
sample; Hahn 1969, "Factors for calculating two-sided prediction intervals for samples from a normal
distribution", JASA 64, from page 878, for one future run; Meeker, Hahn & Escobar 2017, "Statistical
intervals", ch. 4, doi:10.1002/9781118594841). A size has no noise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mlops_ci.records.results import MetricResult
from mlops_ci.value import Value

LEAST_RUNS, MOST_RUNS = 5, 30
IMAGE = "image_size_mb"
EXACT = ("model_size_mb", IMAGE)
RESOURCES = {
    "model_size_mb": "head's model is no file here: name it, `model: PATH`",
    IMAGE: "no image was built",
    "training_seconds": "head was not trained here",
    "peak_memory_mb": "the memory of head's training was not measured",
    "latency_ms": "there is no `predict:` to measure, and no `latency_ms` in the metrics files",
}


class Past(Value, frozen=True):
    """Of one quantity: main's measurements, the newest last; base's own, where it is known."""

    values: Sequence[float] = ()
    base: float | None = None


def compare_resource(name: str, head: float | None, past: Past, level: float) -> MetricResult:
    """`evidence` is `history`, or `point` where main has too few runs to tell noise."""
    known: dict[str, Any] = {"metric": name, "head": head, "higher_is_better": False}
    why = _unmeasured(name, head)
    if why is not None or head is None:
        return MetricResult(**{**known, "head": None}, note=f"not measured: {why}")
    if name in EXACT:
        return _exact(known, head, past)
    values = [one for one in past.values if one > 0 and math.isfinite(one)][-MOST_RUNS:]
    if len(values) < LEAST_RUNS:
        return _alone(known, head, past, f"{len(values)} runs of main, fewer than {LEAST_RUNS}")
    logs = [math.log(one) for one in values]
    n, mean = len(logs), math.fsum(logs) / len(logs)
    deviation = math.sqrt(math.fsum((one - mean) ** 2 for one in logs) / (n - 1))
    if deviation == 0:
        return _alone(
            known, head, past, f"{n} runs of main that took exactly the same tell no noise"
        )
    quantile, base = _student(level, n - 1), math.exp(mean)
    reach, own = quantile * deviation * math.sqrt(1 + 1 / n), quantile * deviation
    return MetricResult(
        **known,
        base=base,
        difference=head - base,
        low=head * math.exp(-reach) - base,
        high=head * math.exp(reach) - base,
        se=base * deviation * math.sqrt(1 + 1 / n),
        base_low=base * math.exp(-reach),
        base_high=base * math.exp(reach),
        head_low=head * math.exp(-own),
        head_high=head * math.exp(own),
        method=f"prediction interval, {n} runs of main",
        evidence="history",
    )


def _unmeasured(name: str, head: float | None) -> str | None:
    """Nothing weighs nothing, and nothing is done in no time."""
    if head is None:
        return RESOURCES[name]
    if not math.isfinite(head):
        return f"{head} is not a finite number"
    if head > 0:
        return None
    return "head's model is empty" if name == "model_size_mb" else f"{head:g} is no measurement"


def _exact(known: dict[str, Any], head: float, past: Past) -> MetricResult:
    base = _newest(past)
    change = None if base is None else head - base
    return MetricResult(
        **known,
        base=base,
        difference=change,
        low=change,
        high=change,
        base_low=base,
        base_high=base,
        head_low=head,
        head_high=head,
        method="exact",
        evidence="history",
    )


def _newest(past: Past) -> float | None:
    values = (past.base, *reversed(past.values))
    return next((one for one in values if one is not None and one > 0), None)


def _alone(known: dict[str, Any], head: float, past: Past, why: str) -> MetricResult:
    base = _newest(past)
    return MetricResult(
        **known,
        base=base,
        difference=None if base is None else head - base,
        method="one run",
        note=f"{why}: no interval",
    )


def _student(level: float, df: int) -> float:
    """Exact also for few runs."""
    from scipy.special import stdtrit

    return float(stdtrit(df, 0.5 + level / 2))
