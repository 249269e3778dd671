"""Where an error is, as an annotation can show it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.action.publishing import place_of


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("mlops-ci.yaml line 7, models.churn.gates", ("mlops-ci.yaml", 7)),
        ("pyproject.toml line 12", ("pyproject.toml", 12)),
        ("mlops-ci.yaml", ("", 0)),
        ("", ("", 0)),
        ("out/metrics.json line x", ("", 0)),
        ("Traceback\n  train.py line 7, in x", ("", 0)),
    ],
)
def test_file_and_line(where: str, place: tuple[str, int]) -> None:
    assert place_of(where) == place


@given(st.text())
def test_anything_else_has_no_place_or_a_whole_one(where: str) -> None:
    name, line = place_of(where)
    assert (name == "") == (line == 0)
