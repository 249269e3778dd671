"""A project that has a `dvc.yaml` and nothing else."""

from __future__ import annotations

from typing import Any

from mlops_ci.config.document import Document
from mlops_ci.config.model import Config, Model
from mlops_ci.errors import ConfigError

NAME = "model"


def config_from_dvc(document: Document) -> Config:
    """One model: the whole pipeline, its metrics files, and predictions if an output says so.

    Raises ConfigError when no stage declares metrics, plots or predictions.
    """
    data = document.data if isinstance(document.data, dict) else {}
    stages: dict[str, Any] = data.get("stages") or {}
    metrics = [*_paths(data.get("metrics"))]
    outputs: list[str] = []
    for stage in stages.values():
        if isinstance(stage, dict):
            metrics += _paths(stage.get("metrics"))
            outputs += _paths(stage.get("outs")) + _paths(stage.get("plots"))
    predictions = next((out for out in outputs if "prediction" in out.rsplit("/", 1)[-1]), None)
    if not metrics and predictions is None:
        raise ConfigError(
            "dvc.yaml declares neither metrics nor predictions: nothing can be compared",
            where=document.name,
            fix="add to the stage that evaluates:\n    metrics:\n    - metrics.json:\n"
            "        cache: false",
        )
    model = Model(dvc=sorted(stages), metrics=sorted(set(metrics)) or None, predictions=predictions)
    return Config(models={NAME: model})


def _paths(entries: Any) -> list[str]:
    """DVC writes an output as a path, or as a table with the path as its only key."""
    if not isinstance(entries, list):
        return []
    names = [entry if isinstance(entry, str) else next(iter(entry), "") for entry in entries]
    return [name for name in names if isinstance(name, str) and name and "${" not in name]
