"""Open a model folder in MLflow's format."""

from __future__ import annotations

import importlib
import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from mlops_ci.serve.rows import Array, Rows
from mlops_ci.serve.signature import Schema, Tensor, read_schema

Ask = Callable[[Rows, dict[str, Any]], Any]


class ModelError(Exception):
    """The folder cannot be served; the message says what to do."""


@dataclass(frozen=True)
class Model:
    """`methods` maps an output's name to what computes it; the first is the default.

    `joinable`: rows of several requests may be predicted together, because each row's answer
    depends on that row alone.
    """

    flavor: str
    version: str
    inputs: Schema
    outputs: Schema
    methods: dict[str, Ask]
    joinable: bool

    @property
    def default(self) -> str:
        return next(iter(self.methods))


def open_model(folder: Path) -> Model:
    """Raises ModelError. Opening runs code of the model: only do it where the model may run."""
    text = _read(folder / "MLmodel")
    flavors = text.get("flavors") or {}
    signature = text.get("signature") or {}
    inputs, outputs = read_schema(signature.get("inputs")), read_schema(signature.get("outputs"))
    version = str(text.get("mlflow_version", "unknown"))
    if "sklearn" in flavors:
        generic = flavors.get("python_function") or {}
        _add_code(folder, flavors["sklearn"].get("code") or generic.get("code"))
        methods = _sklearn(folder, flavors["sklearn"], generic, inputs)
        return Model("sklearn", version, inputs, outputs, methods, joinable=True)
    if "python_function" in flavors:
        methods = {"predict": _python_function(folder)}
        return Model("python_function", version, inputs, outputs, methods, joinable=False)
    raise ModelError(
        f"{folder / 'MLmodel'} has neither the flavour sklearn nor python_function: "
        f"{', '.join(flavors) or 'none'}"
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path} is not an MLmodel file")
    return content


def _add_code(folder: Path, code: str | None) -> None:
    """Modules that were saved with the model (`code_paths`)."""
    if code:
        sys.path.insert(0, str(folder / code))


def _sklearn(
    folder: Path, flavor: dict[str, Any], generic: dict[str, Any], inputs: Schema
) -> dict[str, Ask]:
    estimator = _unpickle(folder / str(flavor["pickled_model"]), flavor)
    named = inputs.names is not None or hasattr(estimator, "feature_names_in_")
    default = str(generic.get("predict_fn") or "predict")
    names = [default, *(n for n in ("predict", "predict_proba", "transform") if n != default)]
    methods = {n: _method(estimator, n, named=named) for n in names if hasattr(estimator, n)}
    if default not in methods:
        raise ModelError(f"the model has no method {default!r}")
    return methods


def _method(estimator: Any, name: str, *, named: bool) -> Ask:
    call = getattr(estimator, name)

    def ask(rows: Rows, params: dict[str, Any]) -> Any:
        if params:
            raise ValueError("a scikit-learn model takes no params")
        return call(rows.frame() if named else rows.matrix())

    return ask


def _unpickle(path: Path, flavor: dict[str, Any]) -> Any:
    try:
        return _load(path, flavor)
    except ModuleNotFoundError as error:
        raise ModelError(
            f"the model needs the package of {error.name!r}, which is not installed: "
            "add it to the model's requirements.txt"
        ) from error
    except Exception as error:
        raise ModelError(
            f"{path.name} cannot be opened: {type(error).__name__}: {error}"
        ) from error


def _load(path: Path, flavor: dict[str, Any]) -> Any:
    style = str(flavor.get("serialization_format", "pickle"))
    if style == "skops":
        io = importlib.import_module("skops.io")
        return io.load(path, trusted=list(flavor.get("skops_trusted_types") or ()))
    if path.suffix == ".joblib":
        return importlib.import_module("joblib").load(path)
    loader = importlib.import_module("cloudpickle") if style == "cloudpickle" else pickle
    with path.open("rb") as file:
        return loader.load(file)


def _python_function(folder: Path) -> Ask:
    try:
        pyfunc = importlib.import_module("mlflow.pyfunc")
    except ModuleNotFoundError as error:
        raise ModelError(
            "a python_function model needs mlflow: add it to the model's requirements.txt"
        ) from error
    loaded = pyfunc.load_model(str(folder))

    def ask(rows: Rows, params: dict[str, Any]) -> Any:
        return loaded.predict(rows.frame(), params=params or None)

    return ask


def sample_rows(schema: Schema, count: int = 1) -> Rows | None:
    """Rows that fit a numeric schema, to warm the model up; None when none can be made up."""
    if schema.tensors and len(schema.tensors) == 1:
        tensor: Tensor = schema.tensors[0]
        shape = [count, *(max(size, 1) for size in tensor.shape[1:])]
        return Rows(array=np.zeros(shape, tensor.dtype)) if _numeric(tensor.dtype) else None
    if not schema.columns or not all(_numeric(column.dtype) for column in schema.columns):
        return None
    columns: tuple[Array, ...] = tuple(np.zeros(count, c.dtype) for c in schema.columns)
    return Rows(schema.names, columns=columns)


def _numeric(dtype: str) -> bool:
    return dtype.startswith(("float", "int", "uint", "bool"))
