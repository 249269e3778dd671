"""The schema of a model, as MLflow writes it into the MLmodel file.

https://mlflow.org/docs/latest/ml/model/signatures/
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
import numpy as np

from mlops_ci.serve.message import Refusal
from mlops_ci.serve.rows import Array, Rows

# MLflow's name → (Python type of a JSON value, numpy dtype)
TYPES: dict[str, tuple[Any, str]] = {
    "boolean": (bool, "bool"),
    "integer": (int, "int32"),
    "long": (int, "int64"),
    "float": (float | None, "float32"),
    "double": (float | None, "float64"),
    "string": (str | None, "object"),
    "datetime": (str | int, "datetime64[ns]"),
}
V2_TYPES = {
    "bool": "BOOL",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
}


def v2_type(dtype: str) -> str:
    return V2_TYPES.get(dtype, "BYTES")


@dataclass(frozen=True)
class Column:
    name: str | None
    type: str
    required: bool = True

    @property
    def json_type(self) -> Any:
        known = TYPES.get(self.type)
        if known is None:
            return Any
        return known[0] if self.required else known[0] | None

    @property
    def dtype(self) -> str:
        return TYPES[self.type][1] if self.type in TYPES else "object"


@dataclass(frozen=True)
class Tensor:
    """A dimension of −1 is free."""

    name: str | None
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Schema:
    """Columns, or tensors, or neither (nothing is known, nothing is checked)."""

    columns: tuple[Column, ...] = ()
    tensors: tuple[Tensor, ...] = ()

    @property
    def names(self) -> tuple[str, ...] | None:
        """None when the columns have no names: they are known by their order."""
        names = tuple(column.name for column in self.columns if column.name is not None)
        return names if names and len(names) == len(self.columns) else None

    def metadata(self, unnamed: str) -> list[dict[str, Any]]:
        """As Open Inference V2 writes the inputs or outputs of a model."""
        columns = [
            {"name": c.name or f"{unnamed}-{n}", "datatype": v2_type(c.dtype), "shape": [-1]}
            for n, c in enumerate(self.columns)
        ]
        tensors = [
            {"name": t.name or unnamed, "datatype": v2_type(t.dtype), "shape": list(t.shape)}
            for t in self.tensors
        ]
        return columns + tensors


def read_schema(text: str | None) -> Schema:
    """The JSON text that MLflow keeps under `signature.inputs` or `.outputs`."""
    entries = json.loads(text) if text else []
    if entries and entries[0].get("type") == "tensor":
        specs = [(entry.get("name"), entry["tensor-spec"]) for entry in entries]
        return Schema(tensors=tuple(Tensor(n, s["dtype"], tuple(s["shape"])) for n, s in specs))
    return Schema(columns=tuple(_column(entry) for entry in entries))


def _column(entry: dict[str, Any]) -> Column:
    required = bool(entry.get("required", True)) and not entry.get("optional", False)
    return Column(entry.get("name"), str(entry["type"]), required)


@cache
def record_type(schema: Schema) -> type[msgspec.Struct]:
    """A struct with one field per column: what one row is as a JSON object."""
    required = [c for c in schema.columns if c.required]
    optional = [c for c in schema.columns if not c.required]
    fields: list[Any] = [(f"c{schema.columns.index(c)}", c.json_type) for c in required]
    fields += [(f"c{schema.columns.index(c)}", c.json_type, None) for c in optional]
    rename = {f"c{n}": str(c.name) for n, c in enumerate(schema.columns)}
    return msgspec.defstruct("Row", fields, rename=rename, kw_only=True)


def array_of(values: Any, dtype: str, name: str) -> Array:
    """One column; a missing value is NaN among numbers, None among objects."""
    try:
        if dtype == "object":
            array = np.empty(len(values), dtype=object)
            array[:] = values
            return array
        if dtype.startswith(("int", "bool")) and any(value is None for value in values):
            return np.array([np.nan if v is None else float(v) for v in values], dtype="float64")
        if dtype.startswith("datetime"):
            values = [np.datetime64("NaT") if value is None else value for value in values]
        return np.array(values, dtype=dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise Refusal(400, f"column {name!r} does not hold {dtype} values: {error}") from None


def same_block(schema: Schema) -> str | None:
    """The one number type of all columns: such rows stay a matrix; None when they differ."""
    dtypes = {column.dtype for column in schema.columns}
    dtype = dtypes.pop() if len(dtypes) == 1 else None
    plain = dtype in {"float64", "float32"} and all(c.required for c in schema.columns)
    return dtype if plain else None


def check_tensor(array: Array, tensor: Tensor) -> Array:
    """Raises Refusal unless the array can be this tensor without losing anything of its kind."""
    wanted = tensor.shape
    fits = array.ndim == len(wanted) and all(
        want in (-1, have) for want, have in zip(wanted, array.shape, strict=True)
    )
    if not fits:
        raise Refusal(
            400, f"the model takes shape {list(wanted)}, this request has {list(array.shape)}"
        )
    dtype = np.dtype("object" if tensor.dtype in ("str", "string") else tensor.dtype)
    if array.dtype == dtype:
        return array
    if not np.can_cast(array.dtype, dtype, "same_kind"):
        raise Refusal(400, f"the model takes {tensor.dtype}, this request has {array.dtype}")
    return array.astype(dtype)


def rows_from_columns(named: dict[str, Array], schema: Schema) -> Rows:
    """Named arrays of one length, checked against the schema and put in its order."""
    lengths = {len(column) for column in named.values()}
    if len(lengths) > 1:
        raise Refusal(400, f"the columns have different lengths: {sorted(lengths)}")
    if not schema.names:
        return Rows(tuple(named), columns=tuple(named.values()))
    missing = [c.name for c in schema.columns if c.required and c.name not in named]
    if missing:
        raise Refusal(400, f"columns are missing: {', '.join(map(repr, missing))}")
    present = [c for c in schema.columns if c.name in named]
    columns = [_cast(named[str(c.name)], c) for c in present]
    return Rows(tuple(str(c.name) for c in present), columns=tuple(columns))


def _cast(array: Array, column: Column) -> Array:
    dtype = np.dtype(column.dtype)
    if array.dtype == dtype or dtype.kind in "OM":
        return array
    if array.dtype.kind == "O" or not np.can_cast(array.dtype, dtype, "same_kind"):
        raise Refusal(400, f"column {column.name!r} takes {column.type}, not {array.dtype} values")
    return array.astype(dtype)
