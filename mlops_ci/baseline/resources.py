"""What a model costs to hold, train and ask, from its records."""

from __future__ import annotations

from mlops_ci.records import Evaluation, Training

MEGABYTE = 1_000_000


def resources_of(training: Training | None, evaluation: Evaluation) -> dict[str, float]:
    """By name, only what was measured. A training that was reused keeps the time it took."""
    found: dict[str, float | None] = {}
    if evaluation.artifact is not None:  # an empty one has 0, which no gate takes for a size
        found["model_size_mb"] = evaluation.artifact.bytes / MEGABYTE
    if training is not None and training.command and training.exit_code == 0:
        found["training_seconds"] = training.duration_seconds or None
        if training.peak_memory_bytes:
            found["peak_memory_mb"] = training.peak_memory_bytes / MEGABYTE
    found["latency_ms"] = _latency(evaluation)
    return {name: value for name, value in found.items() if value is not None}


def _latency(evaluation: Evaluation) -> float | None:
    """The project's own measurement, else the time of `predict:` a row, its start included."""
    told = evaluation.numbers.get("latency_ms")
    if told is not None:
        return told
    if evaluation.predict_seconds is None or not evaluation.rows:
        return None
    return 1000 * evaluation.predict_seconds / evaluation.rows
