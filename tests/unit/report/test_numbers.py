from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.report.numbers import (
    NBSP,
    decimals_apart,
    decimals_of,
    decimals_without_interval,
    has_width,
    round_rows,
    show,
    show_bytes,
    show_change,
    show_exact,
    show_seconds,
)


@pytest.mark.parametrize(
    ("half", "decimals"),
    [(0.021, 3), (0.0087, 3), (0.006, 3), (0.014, 3), (0.04, 2), (0.35, 2), (0.36, 1), (2.6, 1),
     (4.0, 0), (200.0, 0), (0.0, 3), (math.nan, 3), (None, 3), (1e-7, 8)],
)  # fmt: skip
def test_decimals_that_an_interval_supports(half: float | None, decimals: int) -> None:
    assert decimals_of(half) == decimals


def test_an_interval_as_wide_as_rounding_says_nothing_of_digits() -> None:
    assert not has_width(0.10499999999999714, 0.10499999999999728, 0.105)
    assert not has_width(0.1, 0.1, 0.1)
    assert not has_width(None, 0.1, 0.1)
    assert has_width(0.1049999, 0.1050001, 0.105)
    assert has_width(-1e-14, 1e-14, 0.0)


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [
        (0.9123, 3, "0.912"),
        (-0.0641, 3, "−0.064"),
        (-0.0001, 3, "0.000"),
        (12408.25, 1, "12,408.2"),
        (None, 3, "–"),
        (math.nan, 3, "–"),
        (math.inf, 3, "–"),
        (0.00000123, 8, "1.23e−6"),
        (-1e300, 0, "−1.000e300"),
    ],
)
def test_show(value: float | None, decimals: int, shown: str) -> None:
    assert show(value, decimals) == shown


@pytest.mark.parametrize(
    ("limit", "least", "shown"),
    [
        (0.01, 3, "0.010"),
        (0.0125, 3, "0.0125"),
        (0.6, 3, "0.600"),
        (5.0, 0, "5"),
        (1e-3, 2, "0.001"),
    ],
)
def test_a_limit_loses_no_digit(limit: float, least: int, shown: str) -> None:
    assert show_exact(limit, least) == shown


def test_change_with_a_symmetric_interval() -> None:
    assert show_change(0.015, 0.009, 0.021, 3) == ("+0.015", f"±{NBSP}0.006")


def test_change_with_a_lopsided_interval() -> None:
    shown = show_change(-0.064, -0.110, -0.043, 3)
    assert shown == ("−0.064", f"(−0.110{NBSP}…{NBSP}−0.043)")


def test_change_without_an_interval() -> None:
    assert show_change(-0.007, None, None, 3) == ("−0.007", "")
    assert show_change(None, None, None, 3) == ("–", "")


def test_numbers_without_an_interval_end_in_no_zeros() -> None:
    assert decimals_without_interval(-0.007, 0.905, 0.912) == 3
    assert decimals_without_interval(-0.0022, 0.279, 0.2812) == 4
    assert decimals_without_interval(0.0, 0.5) == 3
    assert decimals_without_interval(3.0, 1200.0) == 0
    assert decimals_without_interval(None) == 3


@given(st.floats(-1, 1), st.floats(-1, 1), st.integers(0, 6))
def test_different_numbers_read_different_where_digits_allow(
    one: float, other: float, decimals: int
) -> None:
    digits = decimals_apart(one, other, decimals)
    assert decimals <= digits <= decimals + 3
    if abs(one - other) > 2 * 10.0 ** -(decimals + 3):
        assert show(one, digits) != show(other, digits)


@given(st.integers(1, 10**9))
def test_rows_are_rounded_up_to_two_digits(rows: int) -> None:
    rounded = round_rows(rows)
    assert rows <= rounded <= rows * 1.1
    assert len(str(rounded).rstrip("0")) <= 2


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(1.23, "1.2 s"), (59.4, "59 s"), (192, "3 min 12 s"), (7260, "2 h 1 min")],
)
def test_seconds(seconds: float, shown: str) -> None:
    assert show_seconds(seconds).replace(NBSP, " ") == shown


def test_bytes() -> None:
    assert show_bytes(184_000_000) == f"184{NBSP}MB"
    assert show_bytes(2_300_000_000) == f"2.3{NBSP}GB"
