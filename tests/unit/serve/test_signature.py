"""MLflow's signatures: what a model takes, and what does not fit."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mlops_ci.serve.message import Refusal
from mlops_ci.serve.signature import (
    Schema,
    Tensor,
    array_of,
    check_tensor,
    read_schema,
    rows_from_columns,
    same_block,
)


def columns(**types: str) -> Schema:
    return read_schema(json.dumps([{"type": t, "name": n} for n, t in types.items()]))


def test_columns_and_tensors() -> None:
    assert columns(age="double", plan="string").names == ("age", "plan")
    spec = {"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 3]}}
    assert read_schema(json.dumps([spec])).tensors == (Tensor(None, "float64", (-1, 3)),)
    assert read_schema(None) == Schema()
    unnamed = read_schema('[{"type": "double"}, {"type": "long"}]')
    assert unnamed.names is None
    optional = read_schema('[{"type": "long", "name": "a", "required": false}]')
    assert not optional.columns[0].required


def test_metadata_in_the_words_of_open_inference() -> None:
    described = columns(age="double", visits="long", plan="string", new="boolean").metadata("x")
    assert [entry["datatype"] for entry in described] == ["FP64", "INT64", "BYTES", "BOOL"]


def test_a_matrix_only_where_all_numbers_are_of_one_type() -> None:
    assert same_block(columns(a="double", b="double")) == "float64"
    assert same_block(columns(a="double", b="float")) is None
    assert same_block(columns(a="long", b="long")) is None  # a missing value would not fit
    assert same_block(columns(a="string")) is None


def test_values_of_a_column() -> None:
    assert np.isnan(array_of([1.0, None], "float64", "a")[1])
    assert array_of(["x", None], "object", "a").tolist() == ["x", None]
    assert array_of([[1], [2, 3]], "object", "a").tolist() == [[1], [2, 3]]
    with pytest.raises(Refusal, match="column 'a'"):
        array_of([2**40], "int32", "a")
    with pytest.raises(Refusal, match="column 'a'"):
        array_of(["no date"], "datetime64[ns]", "a")


@pytest.mark.parametrize(
    ("array", "fits"),
    [
        (np.zeros((2, 3)), True),
        (np.zeros((2, 3), dtype="float32"), True),
        (np.zeros((2, 3), dtype="int64"), True),
        (np.zeros((2, 4)), False),
        (np.zeros(3), False),
        (np.array([["a"] * 3]), False),
        (np.array([["a"] * 3], dtype=object), False),
    ],
)
def test_tensors(array: np.ndarray, fits: bool) -> None:
    tensor = Tensor(None, "float64", (-1, 3))
    if fits:
        assert check_tensor(array, tensor).dtype == np.float64
        return
    with pytest.raises(Refusal) as caught:
        check_tensor(array, tensor)
    assert caught.value.status == 400


def test_named_arrays_are_put_in_the_model_s_order() -> None:
    schema = columns(a="double", b="string")
    rows = rows_from_columns({"b": np.array(["x"], dtype=object), "a": np.array([1])}, schema)
    assert rows.names == ("a", "b")
    assert rows.columns is not None
    assert rows.columns[0].dtype == np.float64
    with pytest.raises(Refusal, match="missing: 'b'"):
        rows_from_columns({"a": np.array([1.0])}, schema)
    with pytest.raises(Refusal, match="different lengths"):
        rows_from_columns({"a": np.zeros(1), "b": np.zeros(2)}, schema)
    with pytest.raises(Refusal, match="column 'a' takes double"):
        rows_from_columns({"a": np.array(["1"], dtype=object), "b": np.array(["x"])}, schema)
