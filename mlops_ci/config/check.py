"""What types alone cannot say about a configuration."""

from __future__ import annotations

import math
import re

from mlops_ci.config.document import Document
from mlops_ci.config.model import FAIRNESS, LEAKAGE, MEASURED, Config, Limits, Model
from mlops_ci.config.paths import stays_inside
from mlops_ci.config.promises import check_contract, check_robustness
from mlops_ci.errors import DOCS, ConfigError

MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def check_config(config: Config, document: Document) -> None:
    """Raises ConfigError for what would otherwise fail late, or open a hole."""
    if not config.models:
        raise ConfigError(
            "no model is named: nothing would be judged",
            where=document.where(("models",)),
            fix="models: {NAME: {predictions: out/predictions.parquet}}",
            link=f"{DOCS}/config.md",
        )
    for name, model in config.models.items():
        path = ("models", name)
        if not MODEL_NAME.fullmatch(name):
            raise ConfigError(
                f"{name!r} cannot be a model's name",
                where=document.where(path),
                fix="use letters, digits, `-`, `_` and `.`, at most 64 of them",
            )
        _check_inputs(model, path, document)
        _check_paths(model, path, document)
        _check_pictures(model, path, document)
        _check_gates(model, path, document)
        _check_waivers(model, path, document)
        _check_fairness(model, path, document)
        _check_functions(model, path, document)
        check_contract(model, path, document)
        check_robustness(model, path, document)


def _check_inputs(model: Model, path: tuple[str, ...], document: Document) -> None:
    if model.train is not None and model.dvc is not None:
        raise ConfigError(
            "`train` and `dvc` are both given",
            where=document.where((*path, "dvc")),
            fix="keep one: `train` runs your command, `dvc` runs `dvc repro` on the stages named",
        )
    if model.predictions is None and not model.metrics:
        raise ConfigError(
            f"{path[-1]}: neither `predictions` nor `metrics` is given: nothing can be compared",
            where=document.where(path),
            fix="name the file that training or `predict` writes, for example:\n"
            "    predictions: out/predictions.parquet",
        )
    if model.seeds > 1 and model.train is None:
        raise ConfigError(
            f"seeds: {model.seeds} needs `train`: "
            + (
                "DVC runs no stage again whose files did not change"
                if model.dvc
                else "nothing is trained here"
            ),
            where=document.where((*path, "seeds")),
            fix="give the command that trains, and let it read MLOPS_CI_SEED:\n"
            "    train: python train.py",
            link=f"{DOCS}/verdict.md#retraining-noise",
        )


def _check_paths(model: Model, path: tuple[str, ...], document: Document) -> None:
    metrics = [model.metrics] if isinstance(model.metrics, str) else model.metrics or []
    for key, values in (
        ("predictions", [model.predictions]),
        ("training-rows", [model.training_rows]),
        ("metrics", metrics),
        ("model", [model.model]),
        ("features", [model.features]),
        ("data", model.data),
        ("params", model.params or []),
        ("code", model.code or []),
        ("requirements", [model.requirements]),
        ("pictures", model.pictures),
    ):
        for value in values:
            if value is not None and not stays_inside(value):
                raise ConfigError(
                    f"{key}: {value!r} leads out of the project",
                    where=document.where((*path, key)),
                    fix="use a path inside the repository, relative to the configuration file",
                )


def _check_pictures(model: Model, path: tuple[str, ...], document: Document) -> None:
    """SVG can hold scripts and addresses of others, and GitHub shows none of it."""
    for pattern in model.pictures:
        if not pattern.lower().endswith((".png", ".jpg", ".jpeg")):
            raise ConfigError(
                f"pictures: {pattern!r} is neither PNG nor JPEG",
                where=document.where((*path, "pictures")),
                fix='let training write PNG, for example `figure.savefig("out/roc.png")`:\n'
                "    pictures: [out/*.png]",
                link=f"{DOCS}/config.md",
            )


def _check_gates(model: Model, path: tuple[str, ...], document: Document) -> None:
    for metric, entry in model.gates.items():
        place = (*path, "gates", metric)
        for limits in entry if isinstance(entry, list) else [entry]:
            _check_limits(limits, model, place, document)


def _check_limits(limits: Limits, model: Model, place: tuple[str, ...], document: Document) -> None:
    values = (limits.max_drop, limits.max_drop_relative, limits.min, limits.max)
    if all(value is None for value in values):
        raise ConfigError(
            f"{place[-1]}: this gate has no limit",
            where=document.where(place),
            fix="give `max-drop`, `max-drop-relative`, `min` or `max`",
        )
    total = limits.max_total_drop
    if total is not None and values[:2] == (None, None):
        raise ConfigError(
            f"{place[-1]}: `max-total-drop` bounds many small drops, and no single one is bounded",
            where=document.where(place),
            fix=f"{place[-1]}: {{max-drop: {total / 2:g}, max-total-drop: {total:g}}}",
            link=f"{DOCS}/config.md",
        )
    if any(value is not None and not math.isfinite(value) for value in (*values, total)):
        raise ConfigError(f"{place[-1]}: a limit must be finite", where=document.where(place))
    _check_together(limits, place, document)
    _check_total(limits, place, document)
    if place[-1] == LEAKAGE and (limits.slice is not None or set(values[:3]) != {None}):
        raise ConfigError(
            f"{LEAKAGE} is a share of all rows, which has a ceiling and nothing else",
            where=document.where(place),
            fix=f"{LEAKAGE}: {{max: 0}}",
            link=f"{DOCS}/verdict.md#leakage",
        )
    if place[-1].startswith(FAIRNESS):
        _check_groups(limits, model, place, document)
        return
    if limits.slice is None:
        return
    column, equals, value = limits.slice.partition("=")
    if not equals or not column or not value:
        raise ConfigError(
            f"{place[-1]}: {limits.slice!r} is not a slice",
            where=document.where(place),
            fix="write `slice: column=value`, or `slice: column=*` for every value",
        )
    if column not in model.slices and column.strip() in model.slices:
        raise ConfigError(
            f"{place[-1]}: {limits.slice!r} has spaces around its equals sign",
            where=document.where(place),
            fix=f"write `slice: {column.strip()}={value.strip()}`",
        )
    if column not in model.slices:
        raise ConfigError(
            f"{place[-1]}: {column!r} is not declared as a slice",
            where=document.where(place),
            fix=f"add it to the model: `slices: [{', '.join([*model.slices, column])}]`",
        )


def _check_total(limits: Limits, place: tuple[str, ...], document: Document) -> None:
    if limits.max_total_drop is not None and place[-1] in MEASURED:
        raise ConfigError(
            f"{place[-1]} has no best record: every run of main takes another time or memory, and "
            "`max-total-drop` could not be held",
            where=document.where(place),
            fix=f"say what it may come to at most, by a number of yours:\n"
            f"    {place[-1]}: {{max: 100}}",
            link=f"{DOCS}/config.md#gates",
        )


def _check_groups(limits: Limits, model: Model, place: tuple[str, ...], document: Document) -> None:
    """Fairness is a matter between the groups of a column, which its gate names."""
    column = (limits.slice or "").partition("=")[0] or next(iter(model.fairness), "COLUMN")
    if column in model.fairness and limits.slice == column:
        return
    said = (
        f"no column says between which groups {place[-1]} is measured"
        if limits.slice is None
        else f"{place[-1]}: {limits.slice!r} is not a column under `fairness`"
    )
    slices, fairness = (
        list(dict.fromkeys([*had, column])) for had in (model.slices, model.fairness)
    )
    raise ConfigError(
        said,
        where=document.where(place),
        fix=f"write of the model:\n    slices: [{', '.join(slices)}]\n"
        f"    fairness: [{', '.join(fairness)}]\n    gates:\n"
        f"      {place[-1]}: {{max: 0.1, slice: {column}}}",
        link=f"{DOCS}/config.md",
    )


def _check_together(limits: Limits, place: tuple[str, ...], document: Document) -> None:
    """Limits that are each right, and make no sense side by side."""
    low, high, total = limits.min, limits.max, limits.max_total_drop
    key = "max-drop" if limits.max_drop is not None else "max-drop-relative"
    drop = limits.max_drop if limits.max_drop is not None else limits.max_drop_relative
    what = fix = ""
    if low is not None and high is not None and low > high:
        what = f"no value is at least {low:g} and at most {high:g}"
        fix = f"{place[-1]}: {{min: {high:g}, max: {low:g}}}"
    elif total is not None and drop is not None and total < drop:
        what = f"one change may lose {drop:g}, and all of them together {total:g}"
        fix = f"{place[-1]}: {{{key}: {total:g}, max-total-drop: {drop:g}}}"
    if what:
        raise ConfigError(
            f"{place[-1]}: {what}",
            where=document.where(place),
            fix=fix,
            link=f"{DOCS}/config.md#gates",
        )


def _check_waivers(model: Model, path: tuple[str, ...], document: Document) -> None:
    for waiver in model.waivers:
        for key, value in (("owner", waiver.owner), ("reason", waiver.reason)):
            if not value.strip():
                raise ConfigError(
                    f"waivers: that of {waiver.metric} has no {key}",
                    where=document.where((*path, "waivers")),
                    fix="say who vouches for it, and why:\n"
                    f"    waivers: [{{metric: {waiver.metric}, owner: ana, "
                    f"reason: labels are audited, until: {waiver.until.isoformat()}}}]",
                    link=f"{DOCS}/config.md#waivers",
                )


def _check_fairness(model: Model, path: tuple[str, ...], document: Document) -> None:
    for column in model.fairness:
        if column not in model.slices:
            raise ConfigError(
                f"fairness: {column!r} is not declared as a slice",
                where=document.where((*path, "fairness")),
                fix=f"its values are the groups: `slices: [{column}]`",
            )


def _check_functions(model: Model, path: tuple[str, ...], document: Document) -> None:
    for name, one in model.functions.items():
        file, _, function = one.function.partition(":")
        if not (file.endswith(".py") and function.isidentifier() and stays_inside(file)):
            raise ConfigError(
                f"functions: {one.function!r} names no function of this project",
                where=document.where((*path, "functions", name)),
                fix=f"functions: {{{name}: {{function: metrics.py:{name}, better: higher}}}}",
                link=f"{DOCS}/config.md#functions-of-your-own",
            )
        if not MODEL_NAME.fullmatch(name) or name in model.columns.directions:
            raise ConfigError(
                f"functions: {name!r} cannot be a function's name",
                where=document.where((*path, "functions", name)),
                fix="use letters, digits, `-`, `_` and `.`, and no name of a column under `values`",
            )
        if model.predictions is None:
            raise ConfigError(
                f"functions: {name} needs rows, and this model has no `predictions`",
                where=document.where((*path, "functions", name)),
                fix="predictions: out/predictions.parquet",
            )
