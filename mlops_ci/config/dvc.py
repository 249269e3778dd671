"""A project that has a `dvc.yaml` and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from mlops_ci.config.document import Document
from mlops_ci.config.model import Columns, Config, Model
from mlops_ci.errors import ConfigError

NAME = "model"
CONFUSION = "confusion"
TABLES = (".json", ".csv", ".tsv")
TRAINING = frozenset({"train", "training"})


@dataclass(frozen=True)
class Confusion:
    """A file whose rows are predictions: DVC draws a confusion matrix of them."""

    path: str
    label: str
    prediction: str


def config_from_dvc(document: Document) -> Config:
    """One model: the whole pipeline, its metrics files, and its predictions: an output of that
    name, else the rows of its confusion plot.

    Raises ConfigError when no stage declares metrics or predictions, or it is not clear which.
    """
    data = document.data if isinstance(document.data, dict) else {}
    stages: dict[str, Any] = data.get("stages") or {}
    metrics = [*_paths(data.get("metrics"))]
    outputs: list[str] = []
    plots = list(_confusions(data.get("plots")))
    for stage in stages.values():
        if isinstance(stage, dict):
            metrics += _paths(stage.get("metrics"))
            outputs += _paths(stage.get("outs")) + _paths(stage.get("plots"))
            plots += _confusions(stage.get("plots"))
    predictions = next((out for out in outputs if "prediction" in out.rsplit("/", 1)[-1]), None)
    plot = _evaluation(plots, metrics, document) if predictions is None else None
    if not metrics and predictions is None and plot is None:
        raise ConfigError(
            "dvc.yaml declares neither metrics nor predictions: nothing can be compared",
            where=document.name,
            fix="add to the stage that evaluates:\n    metrics:\n    - metrics.json:\n"
            "        cache: false",
        )
    return Config(
        models={
            NAME: Model(
                dvc=sorted(stages),
                metrics=sorted(set(metrics)) or None,
                predictions=plot.path if plot else predictions,
                columns=Columns(label=plot.label, prediction=plot.prediction)
                if plot
                else Columns(),
                task="classes" if plot else None,
            )
        }
    )


def _paths(entries: Any) -> list[str]:
    """DVC writes an output as a path, or as a table with the path as its only key."""
    return [name for name, _ in _entries(entries) if "${" not in name]


def _entries(entries: Any) -> Iterator[tuple[str, Any]]:
    """(path or name, settings) of a list, or of a table as `plots:` may be."""
    listed = (
        [{name: inner} for name, inner in entries.items()] if isinstance(entries, dict) else entries
    )
    for entry in listed if isinstance(listed, list) else []:
        name = (
            entry
            if isinstance(entry, str)
            else next(iter(entry), "")
            if isinstance(entry, dict)
            else ""
        )
        if isinstance(name, str) and name:
            yield name, entry.get(name) if isinstance(entry, dict) else None


def _confusions(entries: Any) -> Iterator[Confusion]:
    """`x` and `y` name columns, `{file: column}`, or `{file: [column]}`; a plot without a file in
    them is its own file."""
    for name, settings in _entries(entries):
        if not isinstance(settings, Mapping) or settings.get("template") != CONFUSION:
            continue
        labels, predictions = _columns(settings.get("x")), _columns(settings.get("y"))
        for path, prediction in predictions.items():
            label = labels.get(path, labels.get(""))
            place = path or name
            if label and prediction and place.endswith(TABLES) and "${" not in place:
                yield Confusion(place, label, prediction)


def _columns(axis: Any) -> dict[str, str]:
    """File (`""`: the plot's own) → the one column; nothing where there are several."""
    if isinstance(axis, str):
        return {"": axis}
    if not isinstance(axis, Mapping):
        return {}
    single = {
        path: column[0] if isinstance(column, list) and len(column) == 1 else column
        for path, column in axis.items()
    }
    return {str(path): column for path, column in single.items() if isinstance(column, str)}


def _evaluation(plots: list[Confusion], metrics: list[str], document: Document) -> Confusion | None:
    """The plot of the evaluation rows: how a model does on its training rows is no promise.

    Raises ConfigError when more than one remains.
    """
    found = {plot.path: plot for plot in plots}
    if len(found) > 1:
        found = {path: plot for path, plot in found.items() if not _of_training(path)}
    elif found and _of_training(PurePosixPath(next(iter(found))).name):
        return None
    if len(found) <= 1:
        return next(iter(found.values()), None)
    paths = sorted(found)
    first = found[paths[0]]
    numbers = f"    metrics: [{', '.join(sorted(set(metrics)))}]\n" if metrics else ""
    raise ConfigError(
        f"dvc.yaml has {len(paths)} confusion plots: which one holds the evaluation rows?",
        where=f"{document.name}: {', '.join(paths)}",
        fix="put this into mlops-ci.yaml, with the right file:\n"
        f"models:\n  {NAME}:\n    dvc: []\n{numbers}    predictions: {first.path}\n"
        f"    columns: {{label: {first.label}, prediction: {first.prediction}}}\n"
        "    task: classes",
    )


def _of_training(path: str) -> bool:
    return not TRAINING.isdisjoint(re.split(r"[^a-z]+", path.lower()))
