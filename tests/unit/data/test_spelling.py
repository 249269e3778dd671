"""Keys that one side writes in another way: found, told, and mended by what is pasted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.data.identity import SEPARATOR
from mlops_ci.data.spelling import compare_spelling, show_keys

Write = Callable[[int], Any]


def keys(write: Write, n: int = 50) -> np.ndarray:
    return np.array([write(number) for number in range(n)])


PAIRS: list[tuple[Write, Write, str]] = [
    (int, lambda n: f"{n:04d}", "leading zeros"),
    (lambda n: f"p{n}", lambda n: f"p{n} ", "spaces around it"),
    (int, lambda n: f'"{n}"', "quotes around it"),
    (lambda n: f"A{n}x", lambda n: f"a{n}X", "upper and lower case"),
    (int, lambda n: f"user_{n}", "'user_' in front"),
    (lambda n: f"u-{n}", lambda n: f"eu/u-{n}", "'eu/' in front"),
    (int, lambda n: f"{n}@x.org", "'@x.org' behind"),
    (lambda n: f"{n}x", lambda n: f"{n % 3}/{n}x", "a folder in front"),
    (lambda n: f"{n}x", lambda n: f"{n}x{'.png' if n % 2 else '.jpg'}", "a file's ending"),
    (lambda n: f"{n}x", lambda n: f"{n}x.jpg", "'.jpg' behind"),
    (lambda n: f"caf\u00e9{n}", lambda n: f"cafe\u0301{n}", "another Unicode form"),
    (
        lambda n: n or "none",
        lambda n: f"{n}.0" if n else "NONE",
        "upper and lower case, a decimal point",
    ),
    (
        lambda n: f"{n}x",
        lambda n: f"{n % 3}/{n}X.png ",
        "spaces around it, upper and lower case, a folder in front, a file's ending",
    ),
]


def mended(ids: np.ndarray, name: str, lines: tuple[str, ...]) -> list[str]:
    frames = {side: pd.DataFrame({"id": ids}) for side in ("base", "head")}
    for line in lines:
        if line.startswith(name):
            exec(line, {}, frames)
    return [str(one) for one in frames[name]["id"]]


@pytest.mark.parametrize(("one", "other", "words"), PAIRS)
def test_what_is_pasted_makes_them_one(one: Write, other: Write, words: str) -> None:
    for base, head in ((keys(one), keys(other)), (keys(other), keys(one))):
        found = compare_spelling(base, head)
        assert found is not None
        assert found.words == words
        assert mended(base, "base", found.mend) == mended(head, "head", found.mend)
        assert found.mend


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (int, lambda n: n + 1000),
        (int, lambda n: f"1{n:03d}"),  # digits in common are no prefix
        (lambda n: f"2024-01-{n}", lambda n: f"2024-02-{n}"),  # other days
        (lambda n: f"x{n * 7919 % 97}", lambda n: f"y{n}z{n * n}"),
        (lambda n: f"{n % 5}/{n}", lambda n: str(n % 5)),
        (lambda n: f"a{SEPARATOR}{n}", str),
    ],
)
def test_other_rows_are_other_rows(one: Write, other: Write) -> None:
    assert compare_spelling(keys(one), keys(other)) is None
    assert compare_spelling(keys(other), keys(one)) is None


def test_what_tells_rows_apart_is_no_spelling() -> None:
    base = keys(lambda n: f"{'aA'[n % 2]}{n // 2}")
    assert compare_spelling(base, keys(lambda n: f"a{n}")) is None


def test_of_a_key_of_two_columns_the_one_is_named() -> None:
    base = keys(lambda n: f"7{SEPARATOR}{n:03d}")
    head = keys(lambda n: f"7{SEPARATOR}{n}")
    found = compare_spelling(base, head, ("shop", "item"))
    assert found is not None
    assert found.sentence == "'7, 000' in base is '7, 0' in head (leading zeros)"
    assert [line.split(" = ")[0] for line in found.mend] == ["base['item']"]


def test_keys_that_have_a_partner_are_passed_over() -> None:
    base, head = keys(lambda n: f"r{n}"), keys(lambda n: f"r{n + 20}")
    assert compare_spelling(base, head) is None
    found = compare_spelling(base, keys(lambda n: f"r{n}" if n < 40 else f"R{n}"))
    assert found is not None
    assert found.sentence == "'r40' in base is 'R40' in head (upper and lower case)"


def test_hashes_tell_nothing() -> None:
    assert compare_spelling(np.arange(9, dtype=np.uint64), keys(str)) is None


def test_long_keys_are_cut() -> None:
    assert show_keys(np.array(["x" * 99, "y"])) == [repr("x" * 40 + "…"), "'y'"]
    assert show_keys(np.arange(9)) == ["0", "1", "2"]


@given(st.lists(st.text(min_size=1), min_size=1, unique=True), st.lists(st.text(), min_size=1))
def test_any_texts_are_borne(base: list[str], head: list[str]) -> None:
    found = compare_spelling(np.array(base), np.array(head))
    assert found is None or found.example
