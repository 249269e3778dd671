"""MLflow's protocol: POST /invocations.

https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally/#json-input
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from mlops_ci.serve.message import JSON, Refusal, Request, encode_json
from mlops_ci.serve.rows import Rows
from mlops_ci.serve.signature import (
    Schema,
    array_of,
    check_tensor,
    record_type,
    rows_from_columns,
    same_block,
)

CSV = "text/csv"
BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
TRUE, FALSE = {"true", "True", "TRUE", "1"}, {"false", "False", "FALSE", "0"}


@dataclass(frozen=True)
class Split:
    """pandas' `split` orientation; the row labels in `index` change nothing."""

    data: msgspec.Raw
    columns: list[str] | None = None
    index: Any = None


def parse_invocation(request: Request, schema: Schema) -> tuple[Rows, dict[str, Any]]:
    """Rows and `params`. Raises Refusal: 415 for another content type, 400 for a bad body."""
    kind = request.content_type
    if kind == CSV:
        return parse_csv(request.body, schema), {}
    if kind != JSON:
        raise Refusal(
            415, f"content type {kind or 'none'!r} is not supported; send {JSON} or {CSV}"
        )
    return parse_json(request.body, schema)


def parse_json(body: bytes, schema: Schema) -> tuple[Rows, dict[str, Any]]:
    """Raises Refusal 400 that names the place in the body."""
    try:
        content = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except BROKEN as error:
        raise Refusal(400, f"the body is not a JSON object: {error}") from None
    given = [name for name in READERS if name in content]
    if len(given) != 1:
        raise Refusal(
            400,
            f"the body must hold exactly one of {', '.join(READERS)}; it holds "
            f"{', '.join(map(repr, content)) or 'nothing'}",
        )
    try:
        params = content.get("params")
        values = msgspec.json.decode(params, type=dict[str, Any]) if params is not None else {}
        return READERS[given[0]](content[given[0]], schema), values
    except BROKEN as error:
        raise Refusal(400, f"{given[0]} does not fit the model: {error}") from None


def parse_split(raw: msgspec.Raw, schema: Schema) -> Rows:
    split = msgspec.json.decode(raw, type=Split)
    names = tuple(split.columns) if split.columns is not None else None
    if names is None or not schema.names:
        return parse_table(split.data, schema, names)
    if names == schema.names:
        return parse_table(split.data, schema, names)
    table = msgspec.json.decode(split.data, type=list[list[Any]])
    if len(set(names)) != len(names):
        raise Refusal(400, "a column stands twice")
    if any(len(row) != len(names) for row in table):
        raise Refusal(400, f"every row must have {len(names)} values, one per column")
    records = [dict(zip(names, row, strict=True)) for row in table]
    return _records(msgspec.convert(records, type=list[record_type(schema)]), schema)  # type: ignore[misc]


def parse_records(raw: msgspec.Raw, schema: Schema) -> Rows:
    if schema.names:
        return _records(msgspec.json.decode(raw, type=list[record_type(schema)]), schema)  # type: ignore[misc]
    records = msgspec.json.decode(raw, type=list[dict[str, Any]])
    names = list(dict.fromkeys(name for record in records for name in record))
    columns = {name: _infer([record.get(name) for record in records]) for name in names}
    return rows_from_columns(columns, schema)


def _records(records: list[Any], schema: Schema) -> Rows:
    table = [[getattr(record, f"c{n}") for n in range(len(schema.columns))] for record in records]
    return _table(table, schema)


def parse_table(raw: msgspec.Raw, schema: Schema, names: tuple[str, ...] | None) -> Rows:
    """A list of rows, each a list of values, in the schema's order where there is one."""
    if schema.columns:
        row: Any = tuple[tuple(column.json_type for column in schema.columns)]  # type: ignore[misc]
        return _table(msgspec.json.decode(raw, type=list[row]), schema)
    if schema.tensors:
        return parse_values(raw, schema)
    table = msgspec.json.decode(raw, type=list[list[Any]])
    width = len(names) if names is not None else len(table[0]) if table else 0
    if any(len(row) != width for row in table):
        raise Refusal(400, f"every row must have {width} values")
    if names is None:
        return Rows(array=_infer(table))
    columns = [_infer(list(column)) for column in zip(*table, strict=True)] or [
        np.empty(0) for _ in names
    ]
    return rows_from_columns(dict(zip(names, columns, strict=True)), schema)


def _table(table: list[Any], schema: Schema) -> Rows:
    block = same_block(schema)
    if block is not None:
        width = len(schema.columns)
        return Rows(schema.names, array=np.array(table, dtype=block).reshape(len(table), width))
    columns = list(zip(*table, strict=True)) if table else [()] * len(schema.columns)
    arrays = tuple(
        array_of(list(values), column.dtype, column.name or str(n))
        for n, (values, column) in enumerate(zip(columns, schema.columns, strict=True))
    )
    return Rows(schema.names, columns=arrays)


def parse_values(raw: msgspec.Raw, schema: Schema) -> Rows:
    """`instances` and `inputs`: rows, records, or one list per column, as TensorFlow Serving."""
    first = bytes(raw).lstrip()[:1]
    if first == b"{":
        return _columns(raw, schema)
    if schema.columns or not schema.tensors:
        inner = bytes(raw).lstrip()[1:].lstrip()[:1]
        if inner == b"{":
            return parse_records(raw, schema)
        if schema.columns:
            return parse_table(raw, schema, None)
        return Rows(array=_infer(msgspec.json.decode(raw, type=list[Any])))
    if len(schema.tensors) > 1:
        raise Refusal(400, "the model takes several tensors: send them by name")
    return Rows(array=_tensor(raw, schema))


def _tensor(raw: msgspec.Raw, schema: Schema) -> Any:
    tensor = schema.tensors[0]
    kind: Any = {"f": float | None, "i": int, "u": int, "b": bool}.get(_kind(tensor.dtype), Any)
    for _ in tensor.shape:
        kind = list[kind]
    values = msgspec.json.decode(raw, type=kind)
    dtype = tensor.dtype if _kind(tensor.dtype) in "fiub" else "object"
    try:
        array = np.array(values, dtype=dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise Refusal(400, f"the values are no {dtype} tensor: {error}") from None
    if not len(array):
        array = array.reshape(0, *(max(size, 0) for size in tensor.shape[1:]))
    return check_tensor(array, tensor)


def _kind(dtype: str) -> str:
    try:
        return np.dtype(dtype).kind
    except TypeError:
        return "O"


def _columns(raw: msgspec.Raw, schema: Schema) -> Rows:
    lists = msgspec.json.decode(raw, type=dict[str, list[Any]])
    if schema.tensors:
        tensor = schema.tensors[0]
        if len(schema.tensors) > 1 or list(lists) != [tensor.name]:
            raise Refusal(400, f"the model takes the tensor {tensor.name or 'without name'!r}")
        return Rows(array=_tensor(msgspec.Raw(encode_json(lists[str(tensor.name)])), schema))
    if not schema.names:
        return rows_from_columns({n: _infer(v) for n, v in lists.items()}, schema)
    if len({len(values) for values in lists.values()}) > 1:
        raise Refusal(400, "the columns have different lengths")
    records = [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
    return _records(msgspec.convert(records, type=list[record_type(schema)]), schema)  # type: ignore[misc]


def _infer(values: list[Any]) -> Any:
    """Values without a schema: numbers as numbers, all else as it is."""
    try:
        array = np.array(values)
    except ValueError as error:
        raise Refusal(400, f"the rows have different lengths: {error}") from None
    if array.dtype.kind in "biuf":
        return array
    if array.dtype.kind == "O":
        try:
            return np.array(values, dtype="float64")
        except (TypeError, ValueError):
            return array
    return np.array(values, dtype=object)


def parse_csv(body: bytes, schema: Schema) -> Rows:
    """The first line names the columns. An empty cell is a missing value."""
    try:
        lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refusal(400, f"the body is not CSV: {error}") from None
    lines = [line for line in lines if line]
    if not lines:
        raise Refusal(400, "the body is empty; the first line must name the columns")
    names, rows = lines[0], lines[1:]
    if len(set(names)) != len(names):
        raise Refusal(400, "a column stands twice")
    for number, row in enumerate(rows, 2):
        if len(row) != len(names):
            raise Refusal(400, f"line {number} has {len(row)} values, not {len(names)}")
    kinds = {column.name: column.type for column in schema.columns}
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    arrays = {
        name: _cells(list(cells), kinds.get(name), name)
        for name, cells in zip(names, columns, strict=True)
    }
    if schema.tensors:
        return Rows(array=check_tensor(np.column_stack(list(arrays.values())), schema.tensors[0]))
    if schema.columns and not schema.names:
        return Rows(columns=tuple(arrays.values()))
    return rows_from_columns(arrays, schema)


def _cells(cells: list[str], kind: str | None, name: str) -> Any:
    if kind in {"string", "datetime"}:
        dtype = "object" if kind == "string" else "datetime64[ns]"
        return array_of([cell or None for cell in cells], dtype, name)
    if kind == "boolean":
        if not all(cell in TRUE | FALSE for cell in cells):
            raise Refusal(400, f"column {name!r} does not hold boolean values")
        return np.array([cell in TRUE for cell in cells], dtype=bool)
    try:
        if kind in {"integer", "long"}:
            return array_of(
                [int(cell) for cell in cells], "int64" if kind == "long" else "int32", name
            )
        return np.array([float(cell) if cell else np.nan for cell in cells], dtype="float64")
    except ValueError as error:
        if kind is not None:
            raise Refusal(400, f"column {name!r} takes {kind}: {error}") from None
        return array_of([cell or None for cell in cells], "object", name)


READERS = {
    "dataframe_split": parse_split,
    "dataframe_records": parse_records,
    "instances": parse_values,
    "inputs": parse_values,
}
