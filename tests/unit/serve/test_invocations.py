"""MLflow's bodies: what is understood is what was sent; what is broken is refused, never a crash."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.serve.inference import parse_inference
from mlops_ci.serve.invocations import parse_csv, parse_invocation, parse_json
from mlops_ci.serve.message import Refusal, Request
from mlops_ci.serve.signature import Schema, read_schema
from mlops_ci.serve.tensors import decode_binary, decode_json, encode_binary

NUMBERS = read_schema('[{"type": "double", "name": "a"}, {"type": "double", "name": "b"}]')
MIXED = read_schema('[{"type": "double", "name": "a"}, {"type": "string", "name": "b"}]')
TENSOR = read_schema('[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 2]}}]')
SCHEMAS = [Schema(), NUMBERS, MIXED, TENSOR]
FINITE = st.floats(allow_nan=False, allow_infinity=False, width=64)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | FINITE | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)
KEYS = ("dataframe_split", "dataframe_records", "instances", "inputs", "params", "columns", "data")


def post(body: bytes, kind: str = "application/json") -> Request:
    return Request("POST", "/invocations", {"content-type": kind}, body)


@given(st.lists(st.tuples(FINITE, FINITE), min_size=1, max_size=5))
def test_every_format_gives_the_same_matrix(table: list[tuple[float, float]]) -> None:
    expected = np.array(table)
    records = [{"a": a, "b": b} for a, b in table]
    for content in (
        {"dataframe_split": {"columns": ["a", "b"], "data": table}},
        {"dataframe_split": {"columns": ["b", "a"], "data": [row[::-1] for row in table]}},
        {"dataframe_records": records},
        {"instances": records},
        {"instances": table},
        {"inputs": {"a": [a for a, _ in table], "b": [b for _, b in table]}},
    ):
        rows, _ = parse_json(json.dumps(content).encode(), NUMBERS)
        assert rows.names == ("a", "b")
        assert np.array_equal(rows.matrix(), expected), content
    rows, _ = parse_json(json.dumps({"inputs": table}).encode(), TENSOR)
    assert np.array_equal(rows.matrix(), expected)
    lines = "\n".join(["a,b", *(f"{a!r},{b!r}" for a, b in table)])
    assert np.array_equal(parse_csv(lines.encode(), NUMBERS).matrix(), expected)


@given(st.dictionaries(st.sampled_from(KEYS), ANY, max_size=3), st.sampled_from(SCHEMAS))
def test_whatever_comes_is_rows_or_a_refusal(content: dict[str, Any], schema: Schema) -> None:
    try:
        rows, params = parse_invocation(post(json.dumps(content).encode()), schema)
    except Refusal as refusal:
        assert refusal.status in (400, 415)
        return
    assert len(rows) >= 0
    assert isinstance(params, dict)


@given(
    st.binary(max_size=200),
    st.sampled_from(SCHEMAS),
    st.sampled_from(["text/csv", "application/json"]),
)
def test_whatever_bytes_come(body: bytes, schema: Schema, kind: str) -> None:
    try:
        parse_invocation(post(body, kind), schema)
    except Refusal as refusal:
        assert refusal.status == 400


@given(ANY, st.sampled_from(SCHEMAS))
def test_whatever_open_inference_is_sent(content: Any, schema: Schema) -> None:
    tensor = {"name": "a", "shape": [1], "datatype": "FP64", "data": content}
    for body in (content, {"inputs": content}, {"inputs": [tensor]}):
        try:
            parse_inference(post(json.dumps(body).encode()), schema)
        except Refusal as refusal:
            assert refusal.status == 400


@pytest.mark.parametrize(
    ("content", "schema", "words"),
    [
        ({"instances": [[1.0, "x"]]}, NUMBERS, "instances"),
        ({"instances": [[1.0, True]]}, NUMBERS, "bool"),
        ({"dataframe_records": [{"a": 1.0}]}, NUMBERS, "`b`"),
        ({"inputs": [[1.0, 2.0, 3.0]]}, TENSOR, "shape"),
        ({"inputs": [[1.0], [2.0, 3.0]]}, TENSOR, "tensor"),
        ({"inputs": {"z": [[1.0, 2.0]]}}, TENSOR, "takes the tensor"),
        ({"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}, NUMBERS, "twice"),
    ],
)
def test_what_is_wrong_is_named(content: Any, schema: Schema, words: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse_json(json.dumps(content).encode(), schema)
    assert words in caught.value.message


def test_csv() -> None:
    rows = parse_csv(b"b,a\nx,1\n,\n", MIXED)
    assert rows.columns is not None
    assert rows.columns[1].tolist() == ["x", None]
    assert np.isnan(rows.columns[0][1])
    for body in (b"", b"a\n1,2\n", b"a,a\n1,2\n", b"a,b\nold,x\n", b"\xff\xfe\x00", b'a,b\n"1,x\n'):
        with pytest.raises(Refusal):
            parse_csv(body, MIXED)


DTYPES = {"FP64": "<f8", "FP32": "<f4", "INT64": "<i8", "INT8": "i1", "UINT16": "<u2", "BOOL": "?"}


@given(st.sampled_from(list(DTYPES)), st.binary(max_size=64))
def test_binary_tensors_come_back(datatype: str, block: bytes) -> None:
    size = np.dtype(DTYPES[datatype]).itemsize
    whole = block[: len(block) // size * size]
    if datatype == "BOOL":
        whole = bytes(byte & 1 for byte in whole)
    array = decode_binary(whole, datatype, [len(whole) // size], "x")
    assert encode_binary(array) == whole
    if len(whole) != len(block):
        with pytest.raises(Refusal):
            decode_binary(block, datatype, [len(block) // size], "x")


@given(st.lists(st.text(max_size=10), max_size=5))
def test_binary_strings_come_back(texts: list[str]) -> None:
    array = decode_json(texts, "BYTES", [len(texts)], "x")
    block = encode_binary(array)
    assert decode_binary(block, "BYTES", [len(texts)], "x").tolist() == texts
    if block:
        with pytest.raises(Refusal):
            decode_binary(
                block[:-1] if len(block) > 4 else block + b"\1", "BYTES", [len(texts)], "x"
            )
