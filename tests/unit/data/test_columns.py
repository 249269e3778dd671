from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlops_ci.config import Columns
from mlops_ci.data import ColumnsRequest, Predictions, read_predictions, request_from_config
from mlops_ci.errors import ComparisonError, UsageError
from tests.unit.data.files import binary, write


def read(folder: Path, columns: dict[str, Any], **asked: Any) -> Predictions:
    return read_predictions(write(folder / "x.csv", columns), ColumnsRequest(**asked))


@pytest.mark.parametrize("label", ["label", "y_true", "target"])
@pytest.mark.parametrize("score", ["score", "y_score", "probability"])
def test_conventions(tmp_path: Path, label: str, score: str) -> None:
    data = binary()
    found = read(tmp_path, {"id": data["id"], label: data["label"], score: data["score"]})
    assert found.resolution.columns == {"id": ["id"], "label": [label], "score": [score]}
    assert set(found.resolution.found.values()) == {"convention"}
    assert found.resolution.threshold == 0.5


@pytest.mark.parametrize("prediction", ["prediction", "y_pred"])
def test_predictions_by_convention(tmp_path: Path, prediction: str) -> None:
    found = read(tmp_path, {"y_true": ["a", "b"], prediction: ["a", "a"]}, positive="b")
    assert found.resolution.columns["prediction"] == [prediction]
    assert found.keys is None


def test_options_win_over_conventions(tmp_path: Path) -> None:
    data = binary()
    columns: dict[str, Any] = {"key": data["id"], "id": [0] * 40, "truth": data["label"], "label": ["x"] * 40,
               "p": data["score"], "score": [0.0] * 40}  # fmt: skip
    found = read(tmp_path, columns, id=("key",), label="truth", score="p")
    assert found.resolution.columns == {"id": ["key"], "label": ["truth"], "score": ["p"]}
    assert set(found.resolution.found.values()) == {"option"}


def test_the_configuration_is_named_where_it_decided(tmp_path: Path) -> None:
    request = request_from_config(
        Columns(label="truth", id=["a", "b"]), slices=("part",), task=None, positive=None
    )
    columns: dict[str, Any] = {
        "a": [1, 1],
        "b": [1, 2],
        "truth": [0, 1],
        "score": [0.1, 0.2],
        "part": ["x", "y"],
    }
    found = read_predictions(write(tmp_path / "x.csv", columns), request)
    assert found.resolution.found == {
        "id": "config", "label": "config", "score": "convention", "slice": "config",
    }  # fmt: skip


def test_rows_that_count_more(tmp_path: Path) -> None:
    found = read(tmp_path, binary() | {"weight": [1, 2.5, 0, 4] * 10})
    assert found.weight is not None
    assert found.weight[:4].tolist() == [1, 2.5, 0, 4]
    assert found.resolution.columns["weight"] == ["weight"]
    assert found.resolution.found["weight"] == "convention"
    named = read(tmp_path, binary() | {"exposure": [2] * 40}, weight="exposure", asked="config")
    assert named.resolution.columns["weight"] == ["exposure"]


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([1, -1] * 20, "20 weights are below 0"),
        ([0.0] * 40, "all weights are 0"),
        ([1.0, None] * 20, "missing or not finite in 20"),
        ([1.0, float("nan")] * 20, "missing or not finite in 20"),
        ([1.0, float("inf")] * 20, "missing or not finite in 20"),
        (["heavy"] * 40, "holds text such as 'heavy'"),
    ],
)
def test_weights_that_no_row_can_have(tmp_path: Path, weights: list[object], words: str) -> None:
    with pytest.raises(ComparisonError, match=words) as error:
        read(tmp_path, binary() | {"weight": weights})
    assert error.value.exit_code == 3
    assert str(tmp_path) in str(error.value.where)


@pytest.mark.parametrize("names", [["a", "b", "a", "c"] * 10, [7, 8, 7, 9] * 10])
def test_rows_that_belong_together(tmp_path: Path, names: list[object]) -> None:
    found = read(tmp_path, binary() | {"group": names})
    assert found.group is not None
    assert found.group[:4].tolist() == [0, 1, 0, 2]
    assert found.resolution.columns["group"] == ["group"]
    assert found.resolution.found["group"] == "convention"
    named = read(tmp_path, binary() | {"patient": names}, group="patient")
    assert named.group is not None
    assert named.group.tolist() == found.group.tolist()


def test_a_row_without_its_group_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ComparisonError, match="'group' is missing"):
        read(tmp_path, binary() | {"group": [None, *["a"] * 39]})


def test_columns_of_values(tmp_path: Path) -> None:
    columns = binary() | {"judge": [0.5] * 40, "cost": [3] * 40}
    found = read(tmp_path, columns, values={"judge": True, "cost": None})
    assert found.values["judge"].tolist() == [0.5] * 40
    assert found.directions == {"judge": True, "cost": None}
    assert found.resolution.columns["value"] == ["judge", "cost"]
    with pytest.raises(UsageError, match="no column 'judgement'"):
        read(tmp_path, columns, values={"judgement": True})


@pytest.mark.parametrize("name", ["fold", "split", "timestamp"])
def test_other_reserved_columns_lie_there_but_are_no_slices(tmp_path: Path, name: str) -> None:
    columns = binary() | {name: ["x"] * 40}
    assert read(tmp_path, columns).rows == 40
    with pytest.raises(UsageError, match="reserved"):
        read(tmp_path, columns, slices=(name,))


def test_slices_only_where_declared(tmp_path: Path) -> None:
    columns = binary() | {"region": ["north"] * 40}
    assert read(tmp_path, columns).slices == {}
    assert set(read(tmp_path, columns, slices=("region",)).slices) == {"region"}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"label": "lable"}, "perhaps you meant 'label'"),
        ({"slices": ("regoin",)}, "asked for as slice by option"),
        ({"score": "label"}, "the label and the score at the same time"),
        ({"score": "id"}, "the id and the score at the same time"),
        ({"label": "score"}, "at the same time"),
    ],
)
def test_wrong_names(tmp_path: Path, asked: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read(tmp_path, binary() | {"region": ["north"] * 40}, **asked)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"x": [1], "score": [0.1]}, "--label COLUMN"),
        ({"label": [1], "x": [0.1]}, "--prediction COLUMN"),
        ({"label": [1], "target": [1], "score": [0.1]}, "both 'label' and 'target'"),
        ({"label": [1], "prediction": [1], "y_pred": [0]}, "both 'prediction' and 'y_pred'"),
    ],
)
def test_missing_and_ambiguous_columns(tmp_path: Path, columns: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words) as error:
        read(tmp_path, columns)
    assert error.value.fix.startswith(("--", "name it: --"))


def test_a_column_for_every_class(tmp_path: Path) -> None:
    columns = {"label": ["a", "b", "c"], "score_b": [0.2, 0.8, 0.1], "score_a": [0.7, 0.1, 0.2],
               "score_c": [0.1, 0.1, 0.7]}  # fmt: skip
    found = read(tmp_path, columns)
    assert found.task == "multiclass"
    assert found.resolution.columns["score"] == ["score_a", "score_b", "score_c"]
    assert found.score is not None
    assert found.score[:, 0].tolist() == [0.7, 0.1, 0.2]
    assert found.prediction is not None
    assert found.prediction.tolist() == [0, 1, 2]
    assert found.resolution.average == "macro"


def test_two_classes_with_a_column_each_are_binary(tmp_path: Path) -> None:
    columns = {"label": [0, 1], "score_0": [0.7, 0.4], "score_1": [0.3, 0.6]}
    found = read(tmp_path, columns)
    assert (found.task, found.positive) == ("binary", "1")
    assert found.score is not None
    assert found.score.tolist() == [0.3, 0.6]
    assert found.resolution.columns["score"] == ["score_1"]


def test_columns_for_some_classes_only(tmp_path: Path) -> None:
    columns = {"label": ["a", "b", "c"], "score_a": [0.7, 0.1, 0.2], "score_b": [0.3, 0.8, 0.1]}
    with pytest.raises(ComparisonError, match="'score_c'"):
        read(tmp_path, columns)


def test_one_score_cannot_rank_three_classes(tmp_path: Path) -> None:
    columns = {"label": ["a", "b", "c"], "prediction": ["a", "b", "b"], "score": [0.7, 0.1, 0.2]}
    with pytest.raises(ComparisonError, match="one score cannot rank 3 classes"):
        read(tmp_path, columns)
