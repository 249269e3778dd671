"""Columns of small files, whatever they are written in."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.data.series import MOST_ROWS, read_columns

TABLE = {"epoch": ["0", "1"], "loss": ["1.5", "0.5"]}
ROWS = [{"epoch": 0, "loss": 1.5}, {"epoch": 1, "loss": 0.5}]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("a.csv", b"epoch,loss\n0,1.5\n1,0.5\n"),
        ("a.csv", b"\xef\xbb\xbfepoch,loss\r\n0,1.5\r\n1,0.5\r\n"),
        ("a.tsv", b"epoch\tloss\n0\t1.5\n1\t0.5\n"),
        ("a.json", json.dumps(ROWS).encode()),
        ("a.json", json.dumps({"meta": 1, "train": {"rows": ROWS}}).encode()),
        ("a.yaml", b"- {epoch: 0, loss: 1.5}\n- {epoch: 1, loss: 0.5}\n"),
    ],
)
def test_each_form_gives_the_same_columns(path: str, content: bytes) -> None:
    found = read_columns(content, path)
    assert {name: [str(v) for v in values] for name, values in found.items()} == TABLE


def test_a_row_without_a_value_has_none() -> None:
    assert read_columns(b'[{"a": 1}, {"b": 2}]', "x.json") == {"a": [1, None], "b": [None, 2]}


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("a.csv", b""),
        ("a.json", b"{}"),
        ("a.json", b"[1, 2]"),
        ("a.json", b"not JSON"),
        ("a.json", b"[" * 100_000),
        ("a.yaml", b"a: &a [*a]"),
        ("a.csv", b"\xff\xfe\x00"),
        ("a.csv", b'a\n"' + b"x" * 200_000),
    ],
)
def test_what_is_no_table_is_said_to_be_none(path: str, content: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_columns(content, path)


def test_rows_are_bounded() -> None:
    content = b"a\n" + b"1\n" * (MOST_ROWS + 5)
    assert len(read_columns(content, "a.csv")["a"]) == MOST_ROWS


@given(st.binary(max_size=200), st.sampled_from(["a.csv", "a.tsv", "a.json", "a.yaml"]))
def test_any_bytes_are_a_table_or_a_value_error(content: bytes, path: str) -> None:
    with contextlib.suppress(ValueError):
        columns = read_columns(content, path)
        assert len({len(values) for values in columns.values()}) <= 1
