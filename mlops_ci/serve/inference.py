"""Open Inference V2: POST /v2/models/M/infer, with Triton's binary tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from mlops_ci.serve.message import Refusal, Request, Response, encode_json
from mlops_ci.serve.rows import Array, Rows
from mlops_ci.serve.signature import Schema, check_tensor, rows_from_columns
from mlops_ci.serve.tensors import decode_binary, decode_json, describe, encode_binary

HEADER_LENGTH = "inference-header-content-length"
MAX_RANK = 8


class Input(msgspec.Struct):
    name: str
    shape: list[int]
    datatype: str
    data: Any = None
    parameters: dict[str, Any] = {}


class Output(msgspec.Struct):
    name: str
    parameters: dict[str, Any] = {}


class Inference(msgspec.Struct):
    """The body. `outputs` empty: the model's default."""

    inputs: list[Input]
    id: str | None = None
    parameters: dict[str, Any] = {}
    outputs: list[Output] = []


@dataclass(frozen=True)
class Question:
    """A body that was understood: what to ask the model, and how to put the answer."""

    rows: Rows
    id: str | None
    outputs: tuple[str, ...]
    binary: tuple[bool, ...]
    binary_default: bool


def parse_inference(request: Request, schema: Schema) -> Question:
    """Raises Refusal 400 with what does not fit."""
    header, tail = _cut(request)
    try:
        body = msgspec.json.decode(header, type=Inference)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, f"the body does not fit: {error}") from None
    default = bool(body.parameters.get("binary_data_output", False))
    return Question(
        rows=_rows(_arrays(body.inputs, tail), schema),
        id=body.id,
        outputs=tuple(output.name for output in body.outputs),
        binary=tuple(bool(o.parameters.get("binary_data", default)) for o in body.outputs),
        binary_default=default,
    )


def _cut(request: Request) -> tuple[bytes, bytes]:
    """JSON and the binary tensors behind it."""
    length = request.headers.get(HEADER_LENGTH)
    if length is None:
        return request.body, b""
    if not length.isdigit() or int(length) > len(request.body):
        raise Refusal(400, f"{HEADER_LENGTH}: {length!r} is not within the body")
    return request.body[: int(length)], request.body[int(length) :]


def _arrays(inputs: list[Input], tail: bytes) -> dict[str, Array]:
    if not inputs:
        raise Refusal(400, "there are no inputs")
    arrays: dict[str, Array] = {}
    at = 0
    for tensor in inputs:
        if tensor.name in arrays:
            raise Refusal(400, f"input {tensor.name!r} stands twice")
        if len(tensor.shape) > MAX_RANK or any(size < 0 for size in tensor.shape):
            raise Refusal(400, f"input {tensor.name!r}: {tensor.shape} is no shape")
        size = tensor.parameters.get("binary_data_size")
        if size is None:
            arrays[tensor.name] = decode_json(
                tensor.data, tensor.datatype, tensor.shape, tensor.name
            )
            continue
        if not isinstance(size, int) or size < 0 or at + size > len(tail):
            raise Refusal(400, f"input {tensor.name!r}: binary_data_size is not within the body")
        block = tail[at : at + size]
        arrays[tensor.name] = decode_binary(block, tensor.datatype, tensor.shape, tensor.name)
        at += size
    if at != len(tail):
        raise Refusal(400, f"{len(tail) - at} bytes of the body belong to no input")
    return arrays


def _rows(arrays: dict[str, Array], schema: Schema) -> Rows:
    """One tensor that is the whole table, or one tensor per column."""
    only = next(iter(arrays.values())) if len(arrays) == 1 else None
    if schema.tensors:
        if only is None:
            raise Refusal(400, f"the model takes one tensor, this request has {len(arrays)}")
        return Rows(array=check_tensor(only, schema.tensors[0]))
    names = schema.names
    width = len(schema.columns)
    whole = only is not None and only.ndim == 2
    if only is not None and whole and (not schema.columns or only.shape[1] == width != 1):
        if names is None:
            return Rows(array=only)
        return rows_from_columns({name: only[:, n] for n, name in enumerate(names)}, schema)
    if only is not None and not schema.columns:
        return Rows(array=only)
    if only is not None and whole and width > 1:
        raise Refusal(400, f"the model takes {width} columns, this tensor has {only.shape[1]}")
    return rows_from_columns({name: _flat(name, a) for name, a in arrays.items()}, schema)


def _flat(name: str, array: Array) -> Array:
    if array.ndim == 1:
        return array
    if array.ndim == 2 and array.shape[1] == 1:
        return array[:, 0]
    raise Refusal(400, f"input {name!r}: a column has shape [n] or [n, 1], not {list(array.shape)}")


def answer_inference(
    model: dict[str, str], question: Question, answers: list[tuple[str, Array]]
) -> Response:
    """`answers` are the outputs in the order in which they were asked for."""
    outputs: list[dict[str, Any]] = []
    blocks: list[bytes] = []
    for n, (name, array) in enumerate(answers):
        datatype, shape = describe(array)
        output: dict[str, Any] = {"name": name, "datatype": datatype, "shape": shape}
        binary = question.binary[n] if n < len(question.binary) else question.binary_default
        if binary:
            blocks.append(encode_binary(array))
            output["parameters"] = {"binary_data_size": len(blocks[-1])}
        else:
            output["data"] = array.ravel().tolist()
        outputs.append(output)
    content = {**model, "outputs": outputs}
    if question.id is not None:
        content["id"] = question.id
    header = encode_json(content)
    rows = len(question.rows)
    if not blocks:
        return Response(200, header, rows=rows)
    return Response(
        200,
        header + b"".join(blocks),
        content_type="application/octet-stream",
        headers=(("Inference-Header-Content-Length", str(len(header))),),
        rows=rows,
    )


def arrays_of(name: str, result: Any) -> list[tuple[str, Array]]:
    """What a model returned, as named arrays: a DataFrame has one per column."""
    if hasattr(result, "columns") and hasattr(result, "to_numpy"):
        return [(str(column), result[column].to_numpy()) for column in result.columns]
    return [(name, np.asarray(result))]
