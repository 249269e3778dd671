"""Rows out of files that other tools really wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.data import ColumnsRequest, is_table, pair, read_predictions, read_side
from mlops_ci.data.foreign import detection
from mlops_ci.errors import ComparisonError, UsageError
from tests.unit.data.foreign.test_numbers import RUN, SAMPLES, put

CONFUSION = SAMPLES / "dvc" / "confusion_matrix.json"
TABLE = RUN / "artifacts" / "eval_results_table.json"
CLASSES = ColumnsRequest(task="classes")


def rows_of(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return found


def test_the_rows_of_a_confusion_plot_are_predictions() -> None:
    written, found = rows_of(CONFUSION), read_predictions(CONFUSION)
    assert (found.task, found.classes, found.positive) == ("binary", ("0", "1"), "1")
    assert found.label.tolist() == [int(row["actual"]) for row in written]
    assert found.prediction is not None
    assert found.prediction.tolist() == [int(row["predicted"]) for row in written]
    assert found.keys is None
    pairing = pair(found, read_predictions(CONFUSION))
    assert (pairing.counts.paired, pairing.counts.paired_by) == (len(written), "position")


def test_a_confusion_plot_of_whole_numbers_holds_classes(tmp_path: Path) -> None:
    """As scikit-learn's labels are: nobody has to say that it is no regression."""
    written = [{"actual": i % 3, "predicted": i % 2} for i in range(12)]
    found = read_predictions(put(tmp_path, "cm.json", {"confusion": written}))
    assert (found.task, found.classes) == ("multiclass", ("0", "1", "2"))
    assert "confusion plot of DVC" in found.resolution.task_from


@pytest.mark.parametrize("name", ["cm.json", "cm.csv", "cm.tsv"])
def test_a_confusion_plot_in_every_form_of_dvc(tmp_path: Path, name: str) -> None:
    written, path = rows_of(CONFUSION), tmp_path / name
    if name == "cm.json":
        put(tmp_path, name, {"confusion": written})
    else:
        comma = "," if name.endswith("csv") else "\t"
        lines = [comma.join(("actual", "predicted"))]
        lines += [comma.join((row["actual"], row["predicted"])) for row in written]
        path.write_text("\n".join(lines) + "\n")
    found = read_predictions(path, CLASSES)
    expected = read_predictions(CONFUSION)
    assert found.rows_digest == expected.rows_digest
    assert (found.resolution.written_by is not None) is (name == "cm.json")


def test_integers_under_dvcs_names_are_not_guessed_to_be_classes(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("actual,predicted\n3,3\n1,2\n")
    with pytest.raises(UsageError, match="classes or a regression") as error:
        read_predictions(tmp_path / "x.csv")
    assert "task: binary" in error.value.fix
    (tmp_path / "y.csv").write_text("actual,predicted\n3.5,3\n1.25,2\n")
    assert read_predictions(tmp_path / "y.csv").task == "regression"


def test_our_own_names_go_before_dvcs(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("label,prediction,actual,predicted\na,b,c,d\nb,b,d,d\n")
    found = read_predictions(tmp_path / "x.csv", ColumnsRequest(positive="b"))
    assert found.resolution.columns["label"] == ["label"]


@pytest.mark.parametrize(
    ("label", "positive", "task"),
    [
        ("0 1", None, "binary"),
        ("cat dog", None, "multiclass"),
        ("cat dog", "dog", "binary"),
        ("a b c", None, "multiclass"),
        ("0 0", None, "binary"),
        ("cat cat", None, "multiclass"),
    ],
)
def test_classes_are_binary_only_when_the_positive_one_is_known(
    tmp_path: Path, label: str, positive: str | None, task: str
) -> None:
    rows = [{"actual": one, "predicted": one} for one in label.split()]
    request = ColumnsRequest(task="classes", positive=positive)
    assert read_predictions(put(tmp_path, "x.json", rows), request).task == task


def test_a_table_of_mlflow() -> None:
    document = json.loads(TABLE.read_text("utf-8"))
    place = document["columns"].index("prediction")
    found = read_predictions(TABLE, CLASSES)
    assert found.prediction is not None
    assert found.prediction.tolist() == [row[place] for row in document["data"]]
    assert found.path == TABLE
    assert found.resolution.written_by is not None
    assert found.resolution.written_by.startswith("table of MLflow")
    with pytest.raises(UsageError, match="classes or a regression"):
        read_predictions(TABLE)


def test_a_run_of_mlflow_has_rows_and_numbers() -> None:
    side = read_side(RUN, CLASSES)
    assert side.predictions is not None
    assert side.predictions.rows == 60
    assert side.numbers.values["f1_score"] == 0.7027027027027027


def test_a_run_whose_table_is_about_something_else(tmp_path: Path) -> None:
    import shutil

    run = shutil.copytree(RUN, tmp_path / "run")
    put(run / "artifacts", "eval_results_table.json", {"columns": ["question"], "data": [["a"]]})
    side = read_side(run, ColumnsRequest())
    assert side.predictions is None
    assert any("its rows are not compared" in said for said in side.notes)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"columns": ["label", "score"], "data": []}, "x.json has no rows"),
        ({"columns": ["label", "score"], "data": [[1]]}, "x.json: row 1 has 1 cells"),
        ({"columns": ["label", "score"], "data": [[1, 0.5], [0, float("nan")]]}, "'score' is miss"),
        ({"columns": ["label", "score"], "data": [[1, 0.5], [None, 0.5]]}, "'label' is missing"),
    ],
)
def test_broken_tables(tmp_path: Path, document: Any, words: str) -> None:
    with pytest.raises(ComparisonError, match=words):
        read_predictions(put(tmp_path, "x.json", document))


def test_an_object_that_is_too_large_is_not_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detection, "MAX_DOCUMENT", 1000)
    path = put(tmp_path, "x.json", {"columns": ["label"], "data": [[1]] * 1000})
    with pytest.raises(ComparisonError, match="too large"):
        is_table(path)


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    read_predictions(TABLE, CLASSES)
    assert list(tmp_path.iterdir()) == []
