from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlops_ci.config.load import parse_config
from mlops_ci.data import ColumnsRequest, Predictions, read_predictions
from mlops_ci.data.classes import MAX_CLASSES, order_classes
from mlops_ci.errors import ComparisonError, MlopsCiError, UsageError
from tests.unit.data.files import write


def read(folder: Path, columns: dict[str, Any], name: str = "x.csv", **asked: Any) -> Predictions:
    return read_predictions(write(folder / name, columns), ColumnsRequest(**asked))


FORMS = pytest.mark.parametrize("name", ["x.csv", "x.jsonl", "x.parquet"])


@FORMS
@pytest.mark.parametrize(
    ("columns", "task"),
    [
        ({"label": ["spam", "ham"], "prediction": ["ham", "ham"]}, "binary"),
        ({"label": [True, False], "prediction": [True, True]}, "binary"),
        ({"label": [0, 1], "score": [0.1, 0.2]}, "binary"),
        ({"label": ["a", "b", "c"], "prediction": ["a", "b", "b"]}, "multiclass"),
        ({"label": [0.5, 1.5], "prediction": [0.6, 1.4]}, "regression"),
        ({"label": [0.5, 1.5], "prediction": [1, 2]}, "regression"),
        ({"label": [1.0, 2.0], "prediction": [1.0, 2.0]}, "regression"),
    ],
)
def test_the_task_is_what_the_columns_hold(
    tmp_path: Path, name: str, columns: dict[str, Any], task: str
) -> None:
    if name == "x.jsonl" and columns["label"] == ["spam", "ham"]:
        columns = columns | {"id": ["2024-01-01", "2024-01-02"]}
    positive = "ham" if "ham" in columns["label"] else None
    assert read(tmp_path, columns, name, positive=positive).task == task


@FORMS
@pytest.mark.parametrize(
    ("label", "line"),
    [
        ([0, 1, 1, 0], "--task binary"),
        ([3, 5, 8, 3], "--task multiclass"),
        (list(range(50)), "--task regression"),
    ],
)
def test_integers_alone_could_be_both(
    tmp_path: Path, name: str, label: list[int], line: str
) -> None:
    with pytest.raises(UsageError, match="classes or a regression") as error:
        read(tmp_path, {"label": label, "prediction": label}, name)
    assert error.value.exit_code == 2
    assert error.value.fix.startswith(line)
    assert f"task: {line.split()[1]}" in error.value.fix
    found = read(tmp_path, {"label": label, "prediction": label}, name, task=line.split()[1])
    assert found.task == line.split()[1]


def test_floats_with_a_score_could_be_both(tmp_path: Path) -> None:
    columns = {"label": [0.0, 1.0], "score": [0.1, 0.2]}
    with pytest.raises(UsageError, match=r"floats \(2 different\), and there is a score"):
        read(tmp_path, columns, "x.parquet")
    found = read(tmp_path, columns, "x.parquet", task="binary")
    assert (found.classes, found.positive) == (("0", "1"), "1")


def test_a_word_among_numbers_makes_no_classes(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="text such as 'NA'"):
        read(tmp_path, {"label": [1.5, "NA", 3.5], "prediction": [1, 2, 3]})
    with pytest.raises(ComparisonError, match="text such as 'n/a'"):
        read(tmp_path, {"label": [1.5, 2.5, 3.5], "prediction": [1, "n/a", 3]})


def test_a_decimal_comma_is_not_a_class(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("label;score\n0;0,2\n1;0,7\n")
    with pytest.raises(ComparisonError, match="text such as '0,2'"):
        read_predictions(path)


@FORMS
def test_true_and_1_are_one_class(tmp_path: Path, name: str) -> None:
    columns = {"label": [0, 1, 1], "prediction": [False, True, False], "score": [0.1, 0.8, 0.4]}
    found = read(tmp_path, columns, name)
    assert found.classes == ("0", "1")
    assert found.prediction is not None
    assert found.prediction.tolist() == [0, 1, 0]


def test_probabilities_are_no_predicted_classes(tmp_path: Path) -> None:
    columns = {"label": ["a", "b"], "prediction": [0.25, 0.75]}
    with pytest.raises(UsageError, match=r"numbers such as 0\.25") as error:
        read(tmp_path, columns, positive="b")
    assert "--score prediction" in error.value.fix


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl"])
def test_missing_cells_are_refused_with_their_row(tmp_path: Path, name: str) -> None:
    whole: dict[str, list[Any]] = {"id": [7, 8, 9], "label": [0, 1, 1], "prediction": [0, 1, 1],
                                   "score": [0.1, 0.5, 0.9]}  # fmt: skip
    for column in whole:
        broken = whole | {column: [whole[column][0], None, whole[column][2]]}
        with pytest.raises(ComparisonError, match=f"'{column}'") as error:
            read(tmp_path, broken, name)
        assert "row 2" in error.value.where


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("column", ["label", "prediction", "score"])
def test_what_is_not_finite_is_refused(tmp_path: Path, value: str, column: str) -> None:
    whole = {"label": [0.5, 1.5, 2.5], "prediction": [0.5, 1.5, 2.5]}
    task = "regression"
    if column == "score":
        whole, task = {"label": [0.0, 1.0, 1.0], "score": [0.5, 0.5, 0.5]}, "binary"
    broken = whole | {column: [whole[column][0], whole[column][1], float(value)]}
    for name in ("x.csv", "x.parquet"):
        with pytest.raises(ComparisonError, match="missing or not finite in 1 of 3") as error:
            read(tmp_path, broken, name, task=task)
        assert "row 3" in error.value.where


def test_the_positive_class(tmp_path: Path) -> None:
    columns = {"label": ["no", "yes"], "prediction": ["no", "no"]}
    with pytest.raises(UsageError, match="no or yes") as error:
        read(tmp_path, columns)
    assert error.value.fix.startswith("--positive yes")
    assert read(tmp_path, columns, positive="no").positive == "no"
    assert read(tmp_path, columns, positive="YES").positive == "yes"
    with pytest.raises(UsageError, match="'maybe' is none of no, yes"):
        read(tmp_path, columns, positive="maybe")
    with pytest.raises(UsageError, match="no positive class"):
        read(tmp_path, {"label": [1.5], "prediction": [1.5]}, positive="1")


@pytest.mark.parametrize(("value", "other"), [("1", "0"), ("0", "1")])
def test_one_class_alone_still_has_another(tmp_path: Path, value: str, other: str) -> None:
    found = read(tmp_path, {"label": [value] * 3, "score": [0.4, 0.6, 0.7]})
    assert set(found.classes) == {value, other}
    assert found.positive == "1"


def test_three_classes_are_not_binary(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="3 classes in a binary task") as error:
        read(tmp_path, {"label": ["a", "b"], "prediction": ["a", "c"]}, task="binary")
    assert error.value.fix.splitlines()[0] == "--task multiclass"


@pytest.mark.parametrize(
    ("columns", "said", "line"),
    [
        ({"label": ["a", "b"], "prediction": ["a", "c"]}, {"task": "binary"}, "task: multiclass"),
        ({"label": ["no", "yes"], "prediction": ["no", "no"]}, {}, "positive: 'yes'"),
        ({"label": ["a,b", "c: d"], "prediction": ["a,b", "c: d"]}, {}, "positive: 'c: d'"),
        ({"label": [0, 1], "prediction": [0, 1]}, {}, "task: binary  # or multiclass, regression"),
        ({"label": [1, 0], "prediction": [0.2, 1.0]}, {"task": "binary"}, "columns: {score: pred"),
        (
            {"id": [1, 1], "label": [0.5, 1], "prediction": [1, 2]},
            {},
            "columns: {id: [id, ANOTHER]}",
        ),
        ({"label": [0.5], "y_true": [0.5], "score": [1.5]}, {}, "columns: {label: label}"),
        ({"label": [0.5]}, {}, "columns: {prediction: COLUMN}"),
    ],
)
def test_inside_a_project_the_line_is_one_of_its_configuration(
    tmp_path: Path, columns: dict[str, Any], said: dict[str, Any], line: str
) -> None:
    with pytest.raises(MlopsCiError) as outside:
        read(tmp_path, columns, **said)
    assert "--" in outside.value.fix
    with pytest.raises(MlopsCiError) as inside:
        read(tmp_path, columns, **said, asked="config")
    assert "--" not in inside.value.fix
    assert f"in mlops-ci.yaml, below the model:\n    {line}" in inside.value.fix
    told = inside.value.fix.partition(":\n")[2]
    model = parse_config(f"models:\n  churn:\n    predictions: x.csv\n{told}\n").models["churn"]
    assert model.positive in {None, "yes", "c: d"}


def test_a_score_outside_of_0_to_1_has_no_threshold(tmp_path: Path) -> None:
    inside = read(tmp_path, {"label": [0, 1, 1], "score": [0.0, 0.5, 1.0]})
    assert inside.prediction is not None
    assert inside.prediction.tolist() == [0, 1, 1]
    assert inside.resolution.threshold == 0.5
    outside = read(tmp_path, {"label": [0, 1, 1], "score": [-0.1, 0.5, 1.0]})
    assert outside.prediction is None
    assert outside.resolution.threshold is None


def test_a_given_prediction_is_not_overruled_by_the_score(tmp_path: Path) -> None:
    found = read(tmp_path, {"label": [0, 1], "prediction": [1, 1], "score": [0.1, 0.2]})
    assert found.prediction is not None
    assert found.prediction.tolist() == [1, 1]
    assert found.resolution.threshold is None


def test_the_positive_class_may_be_the_first_code(tmp_path: Path) -> None:
    found = read(tmp_path, {"label": ["bad", "good"], "score": [0.9, 0.2]}, positive="bad")
    assert found.prediction is not None
    assert found.prediction.tolist() == found.label.tolist() == [0, 1]


def test_classes_are_bounded(tmp_path: Path) -> None:
    names = [f"user {n}" for n in range(MAX_CLASSES + 1)]
    with pytest.raises(ComparisonError, match="more than 10,000 classes"):
        read(tmp_path, {"label": names, "prediction": names})
    with pytest.raises(ComparisonError, match="a name of 5,000 characters"):
        read(tmp_path, {"label": ["x" * 5000, "b"], "prediction": ["b", "b"]})


def test_integers_are_ordered_by_value() -> None:
    assert order_classes({"10", "9", "-1"}) == ("-1", "9", "10")
    assert order_classes({"10", "9", "x"}) == ("10", "9", "x")


@FORMS
def test_a_slice_is_text(tmp_path: Path, name: str) -> None:
    columns = {"label": [0, 1, 1], "score": [0.1, 0.8, 0.4], "paid": [True, False, True]}
    found = read(tmp_path, columns, name, slices=("paid",))
    assert found.slices["paid"].text().tolist() == ["true", "false", "true"]


def test_slices_are_bounded_and_know_what_is_missing(tmp_path: Path) -> None:
    columns = {"label": [0, 1] * 150, "score": [0.1] * 300, "part": [None, "a"] * 150}
    found = read(tmp_path, columns, slices=("part",))
    assert set(found.slices["part"].text()) == {"(missing)", "a"}
    with pytest.raises(ComparisonError, match="300 values"):
        read(tmp_path, columns | {"part": list(range(300))}, slices=("part",))
    with pytest.raises(ComparisonError, match="long texts"):
        read(tmp_path, columns | {"part": ["x" * 999] * 300}, slices=("part",))


def test_keys(tmp_path: Path) -> None:
    columns: dict[str, Any] = {"label": [0, 1, 1], "score": [0.1, 0.8, 0.4]}
    with pytest.raises(ComparisonError, match="1 key occurs more than once: 'a'"):
        read(tmp_path, columns | {"id": ["a", "b", "a"]})
    found = read(tmp_path, columns | {"id": ["a", "b", "a"], "day": [1, 1, 2]}, id=("id", "day"))
    assert found.keys is not None
    assert len(set(found.keys)) == 3
    with pytest.raises(ComparisonError, match="'a, 1'") as error:
        read(tmp_path, columns | {"id": ["a", "b", "a"], "day": [1, 1, 1]}, id=("id", "day"))
    assert "--id id --id day --id ANOTHER" in error.value.fix
    zeros = read(tmp_path, columns | {"id": ["007", "7", "8"]})
    assert zeros.keys is not None
    assert zeros.keys.tolist() == ["007", "7", "8"]
    floats = read(tmp_path, columns | {"id": [1.0, 2.0, 3.0]}, "x.parquet")
    assert floats.keys is not None
    assert floats.keys.tolist() == [1, 2, 3]
    long = read(tmp_path, columns | {"id": ["x" * 100_000, "y", "z"]})
    assert long.keys is not None
    assert long.keys.dtype.itemsize <= 64 * 4
