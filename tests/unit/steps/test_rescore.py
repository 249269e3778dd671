"""Whether main's model can be asked about other rows, without asking it."""

from __future__ import annotations

import pytest

from mlops_ci.config import Model
from mlops_ci.steps.rescore import NO_PREDICT, SAME_DATA, why_not

FOLDER = Model(predictions="p.csv", model="model", features="data/test.csv")
CHANGED = {"data": "git:1"}


def test_a_command_and_a_folder_can_be_asked() -> None:
    assert why_not(Model(predictions="p.csv", predict="python p.py"), CHANGED) is None
    assert why_not(FOLDER, CHANGED) is None
    assert why_not(FOLDER, {"./data/test.csv": "git:1"}) is None


@pytest.mark.parametrize(
    "model",
    [
        Model(predictions="p.csv"),
        Model(predictions="p.csv", model="model"),
        Model(predictions="p.csv", features="data/test.csv"),
        Model(metrics="m.json", model="model", features="data/test.csv"),
    ],
)
def test_neither_is_said(model: Model) -> None:
    assert why_not(model, CHANGED) == NO_PREDICT


def test_the_same_data_is_said() -> None:
    assert why_not(FOLDER, {}) == SAME_DATA


@pytest.mark.parametrize("features", ["out/test.csv", "database/test.csv", "test.csv"])
def test_features_that_are_no_data_are_heads_word(features: str) -> None:
    found = why_not(Model(predictions="p.csv", model="model", features=features), CHANGED)
    assert found is not None
    assert f"`features: {features}` is not in what changed under `data:`" in found
