"""Tensors of Open Inference V2, in JSON and in the binary extension.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np

from mlops_ci.serve.message import Refusal
from mlops_ci.serve.rows import Array
from mlops_ci.serve.signature import V2_TYPES, v2_type

DTYPES = {v2: np.dtype(name) for name, v2 in V2_TYPES.items()}
LENGTH = struct.Struct("<I")


def decode_json(data: Any, datatype: str, shape: list[int], name: str) -> Array:
    """`data` may be flat or nested; values must be of the datatype, none are bent to it."""
    flat = list(_flatten(data))
    if len(flat) != math.prod(shape):
        raise _wrong_size(name, shape, len(flat))
    if datatype == "BYTES":
        if not all(isinstance(value, str) for value in flat):
            raise Refusal(400, f"input {name!r}: BYTES takes strings")
        array = np.empty(len(flat), dtype=object)
        array[:] = flat
        return array.reshape(shape)
    dtype = _dtype(datatype, name)
    if not all(_is_of(value, dtype.kind) for value in flat):
        raise Refusal(400, f"input {name!r}: not all values are {datatype}")
    try:
        return np.array([np.nan if value is None else value for value in flat], dtype).reshape(
            shape
        )
    except (OverflowError, ValueError) as error:
        raise Refusal(400, f"input {name!r}: {error}") from None


def _wrong_size(name: str, shape: list[int], found: int) -> Refusal:
    wanted = math.prod(shape)
    return Refusal(
        400, f"input {name!r}: shape {shape} asks for {wanted} values, there are {found}"
    )


def _flatten(data: Any) -> Any:
    if not isinstance(data, list):
        yield data
        return
    for item in data:
        if isinstance(item, list):
            yield from _flatten(item)
        else:
            yield item


def _is_of(value: Any, kind: str) -> bool:
    if kind == "b":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind == "f":
        return value is None or isinstance(value, int | float)
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def _dtype(datatype: str, name: str) -> np.dtype[Any]:
    if datatype not in DTYPES:
        known = ", ".join([*DTYPES, "BYTES"])
        raise Refusal(400, f"input {name!r}: datatype {datatype!r} is not one of {known}")
    return DTYPES[datatype]


def decode_binary(block: bytes, datatype: str, shape: list[int], name: str) -> Array:
    """Little-endian values in row-major order; BYTES as 4 bytes of length and the text."""
    if datatype == "BYTES":
        values = list(_texts(block, name))
        array = np.empty(len(values), dtype=object)
        array[:] = values
    else:
        dtype = _dtype(datatype, name).newbyteorder("<")
        if len(block) % dtype.itemsize:
            raise Refusal(400, f"input {name!r}: {len(block)} bytes are no {datatype} values")
        array = np.frombuffer(block, dtype).astype(dtype.newbyteorder("="))
    if array.size != math.prod(shape):
        raise _wrong_size(name, shape, array.size)
    return array.reshape(shape)


def _texts(block: bytes, name: str) -> Any:
    at = 0
    while at < len(block):
        if at + LENGTH.size > len(block):
            raise Refusal(400, f"input {name!r}: the binary strings are cut off")
        (length,) = LENGTH.unpack_from(block, at)
        at += LENGTH.size
        if at + length > len(block):
            raise Refusal(400, f"input {name!r}: the binary strings are cut off")
        try:
            yield block[at : at + length].decode()
        except UnicodeDecodeError:
            yield block[at : at + length]
        at += length


def describe(array: Array) -> tuple[str, list[int]]:
    """Datatype and shape; a 1-D answer is one value per row."""
    return v2_type(array.dtype.name), list(array.shape)


def encode_binary(array: Array) -> bytes:
    if v2_type(array.dtype.name) != "BYTES":
        return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
    texts = [str(value).encode() for value in array.ravel()]
    return b"".join(LENGTH.pack(len(text)) + text for text in texts)
