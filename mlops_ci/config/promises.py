"""What types alone cannot say about data contracts and robustness."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date

from mlops_ci.config.contract import Column, Contract, Rows, contracts_of
from mlops_ci.config.document import Document, Path
from mlops_ci.config.model import Model
from mlops_ci.config.paths import stays_inside
from mlops_ci.config.robustness import Perturbation, expand_robustness
from mlops_ci.errors import DOCS, ConfigError

YAML = (".yaml", ".yml")
EXAMPLE = "contract: {columns: {age: {min: 0, max: 120, max-null: 0.01}}}"


def check_contract(model: Model, path: Path, document: Document) -> None:
    """Raises ConfigError for a contract that promises nothing, or that nothing can keep."""
    many = isinstance(model.contract, list)
    for number, contract in enumerate(contracts_of(model.contract)):
        place: Path = (*path, "contract", number) if many else (*path, "contract")
        for key, what, fix in _faults(contract, model):
            raise ConfigError(
                f"contract: {what}",
                where=document.where((*place, *key)),
                fix=fix,
                link=f"{DOCS}/config.md#data-contract",
            )


Fault = tuple[Path, str, str]


def _faults(contract: Contract, model: Model) -> Iterator[Fault]:
    if contract.file is None and model.predictions is None:
        yield (), "which file? This model has no `predictions`", "contract: {file: data/train.csv}"
    if contract.file is not None and not stays_inside(contract.file):
        fix = "use a path inside the repository, relative to the configuration file"
        yield ("file",), f"{contract.file!r} leads out of the project", fix
    rows = contract.rows or Rows()
    asked = any(count is not None for count in (rows.min, rows.max, rows.max_change))
    if not (asked or contract.columns or contract.unique or contract.schema):
        yield (), "it promises nothing", EXAMPLE
    if rows.min is not None and rows.max is not None and rows.min > rows.max:
        yield ("rows",), "no file has at least `min` and at most `max` rows", "exchange the two"
    for name, column in contract.columns.items():
        yield from _faults_of_column(name, column)
    if contract.schema is not None:
        yield from _faults_of_schema(contract.schema)


def _faults_of_column(name: str, column: Column) -> Iterator[Fault]:
    place: Path = ("columns", name)
    if column == Column():
        yield place, f"{name}: nothing is promised of this column", f"{name}: {{max-null: 0}}"
    low, high = column.min, column.max
    if any(isinstance(one, float) and not math.isfinite(one) for one in (low, high)):
        yield place, f"{name}: a bound must be finite", "leave it out where there is none"
    if low is None or high is None:
        return
    if isinstance(low, date) != isinstance(high, date):
        yield place, f"{name}: one bound is a day and the other a number", "write two of a kind"
    elif low > high:  # type: ignore[operator]
        yield place, f"{name}: no value is at least `min` and at most `max`", "exchange the two"


def _faults_of_schema(schema: str) -> Iterator[Fault]:
    file, _, name = schema.partition(":")
    if not stays_inside(file):
        yield ("schema",), f"{file!r} leads out of the project", "use a path inside the repository"
    fits = not name if file.endswith(YAML) else file.endswith(".py") and name.isidentifier()
    if not fits:
        fix = "schema: schema.py:Schema\nor, as pandera writes it: schema: schema.yaml"
        yield ("schema",), f"{schema!r} names no schema", fix


def check_robustness(model: Model, path: Path, document: Document) -> None:
    """Raises ConfigError for a perturbation that cannot be made, or that changes nothing."""
    if model.robustness is None:
        return
    for one in expand_robustness(model.robustness):
        for what, fix in _faults_of_perturbation(one, model):
            raise ConfigError(
                f"robustness: {what}",
                where=document.where((*path, "robustness", one.kind)),
                fix=fix,
                link=f"{DOCS}/config.md#robustness",
            )
    if not expand_robustness(model.robustness):
        raise ConfigError(
            "robustness: nothing is changed",
            where=document.where((*path, "robustness")),
            fix="robustness: {noise: {sd: 0.1, max-drop: 0.02}}",
        )


def _faults_of_perturbation(one: Perturbation, model: Model) -> Iterator[tuple[str, str]]:
    if model.predictions is None:
        yield "the drop is measured on rows, and there are no `predictions`", "give `predictions:`"
    if one.max_drop is not None and not math.isfinite(one.max_drop):
        yield "a limit must be finite", "max-drop: 0.02"
    if not math.isfinite(one.amount) or (one.kind == "scale" and one.amount == 1):
        yield f"{one.kind}: {one.amount:g} changes nothing that could be measured", "factor: 1000"
    if one.kind == "prior":
        return
    if model.features is None:
        fix = "features: data/test.parquet  # the rows that `predict` answers"
        yield f"{one.kind} changes the features, and `features` does not name their file", fix
    if model.predict is None and model.model is None:
        fix = "predict: python predict.py  # reads $MLOPS_CI_FEATURES, writes $MLOPS_CI_PREDICTIONS"
        yield f"{one.kind}: who answers the changed rows?", fix
