"""Numbers out of files that other tools really wrote."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci.data import is_table, read_numbers
from mlops_ci.data.foreign import FORMATS, detect
from mlops_ci.errors import ComparisonError, MlopsCiError, UsageError
from mlops_ci.verdict import higher_is_better

SAMPLES = Path(__file__).parents[1] / "samples"
RUN = SAMPLES / "mlflow" / "43d4994c0ec14646ab1ab68b1bebd889"


def load(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def put(folder: Path, name: str, document: Any) -> Path:
    path = folder / name
    path.write_text(json.dumps(document), "utf-8")
    return path


def test_every_sample_is_of_one_format_and_every_format_has_a_sample() -> None:
    files = [*SAMPLES.rglob("*.json"), *SAMPLES.rglob("*.parquet"), RUN]
    found = {one.format.name for path in files if (one := detect(path)) is not None}
    parts = {one.name for one in FORMATS if one.carrier == "part"}
    lists = {"confusion plot of DVC"}  # DVCLive writes a list, which is rows without any detection
    assert found | parts | lists == {one.name for one in FORMATS}


def test_a_classification_report_has_metrics_by_class_and_average() -> None:
    path = SAMPLES / "sklearn" / "digits.json"
    written, found = load(path), read_numbers(path)
    assert found.values["accuracy"] == written["accuracy"]
    assert found.values["3.recall"] == written["3"]["recall"]
    assert found.values["3.f1"] == written["3"]["f1-score"]
    assert found.values["f1_macro"] == written["macro avg"]["f1-score"]
    assert found.values["precision_weighted"] == written["weighted avg"]["precision"]
    assert not [name for name in found.values if "support" in name]
    assert len(found.values) == 3 * 10 + 3 * 2 + 1
    assert found.refused == {}
    (said,) = found.written_by
    assert said[0] == "digits.json"
    assert said[1].startswith("classification report of scikit-learn, told by")


@pytest.mark.parametrize("name", ["labels.json", "subset.json"])
def test_a_report_without_accuracy_has_other_averages(name: str) -> None:
    path = SAMPLES / "sklearn" / name
    found = read_numbers(path).values
    assert found["f1_micro"] == load(path)["micro avg"]["f1-score"]
    assert "accuracy" not in found


def test_a_report_inside_a_metrics_file(tmp_path: Path) -> None:
    report = load(SAMPLES / "sklearn" / "digits.json")
    found = read_numbers(put(tmp_path, "m.json", {"auc": 0.9, "test": {"report": report}}))
    assert found.values["auc"] == 0.9
    assert found.values["test.report.f1_macro"] == report["macro avg"]["f1-score"]
    assert "test.report.macro avg.support" not in found.values
    assert found.written_by[0][0] == "m.json, test.report"


def test_what_only_resembles_a_report_stays_as_it_is(tmp_path: Path) -> None:
    report = load(SAMPLES / "sklearn" / "digits.json")
    report["0"]["extra"] = 1
    found = read_numbers(put(tmp_path, "m.json", report))
    assert found.values["macro avg.f1-score"] == report["macro avg"]["f1-score"]
    assert found.written_by == []


@pytest.mark.parametrize("name", ["slicing_metrics.json", "metrics_for_slice.json"])
def test_tfma_in_both_forms_says_the_same(name: str) -> None:
    path = SAMPLES / "tfma" / name
    assert not is_table(path)
    found = read_numbers(path)
    assert found.values["auc"] == 0.9727881718725225
    assert found.values["site=north.binary_accuracy"] == 0.9263157894736842
    assert set(found.values) == {
        f"{part}{metric}"
        for part in ("", "site=north.", "site=south.")
        for metric in ("auc", "binary_accuracy", "calibration")
    }
    assert "TensorFlow Model Analysis" in found.written_by[0][1]


def test_tfma_under_its_name_and_one_a_line(tmp_path: Path) -> None:
    wrapped, lines = tmp_path / "result.json", tmp_path / "metrics.jsonl"
    whole = json.loads((SAMPLES / "tfma" / "slicing_metrics.json").read_text())
    wrapped.write_text(json.dumps({"slicing_metrics": whole, "plots": []}))
    messages = json.loads((SAMPLES / "tfma" / "metrics_for_slice.json").read_text())
    lines.write_text("".join(json.dumps(one) + "\n" for one in messages))
    pairs = ((wrapped, "slicing_metrics.json"), (lines, "metrics_for_slice.json"))
    for path, name in pairs:
        assert read_numbers(path).values == read_numbers(SAMPLES / "tfma" / name).values


def test_tfma_values_of_other_kinds(tmp_path: Path) -> None:
    """Shapes of the protocol buffer `MetricValue`, and of keys with an output and a class."""
    messages = [
        {
            "slice_key": {"single_slice_keys": [{"column": "hour", "int64_value": "7"}]},
            "metric_keys_and_values": [
                {
                    "key": {"name": "auc", "output_name": "out", "sub_key": {"class_id": 2}},
                    "value": {"bounded_value": {"value": 0.5, "lower_bound": 0.4}},
                },
                {"key": {"name": "ndcg"}, "value": {"double_value": {"value": "NaN"}}},
                {"key": {"name": "auc", "is_diff": True}, "value": {"double_value": 0.1}},
                {"key": {"name": "matrix"}, "value": {"array_value": {"shape": [2]}}},
            ],
        }
    ]
    found = read_numbers(put(tmp_path, "m.json", messages))
    assert found.values == {"hour=7.out.class_id:2.auc": 0.5, "hour=7.auc_diff": 0.1}
    assert found.refused == {
        "hour=7.ndcg": "it is nan, not a finite number",
        "hour=7.matrix": "it is a dict, not a number",
    }


def test_evidently_of_today() -> None:
    found = read_numbers(SAMPLES / "evidently" / "classification.json").values
    assert (found["accuracy"], found["roc_auc"]) == (0.86, 0.9486301369863015)
    assert found["0.f1"] == 0.8396946564885496
    regression = read_numbers(SAMPLES / "evidently" / "regression.json").values
    assert regression["rmse"] == 0.3300955818333077
    assert regression["mae"] == 0.10896309314586995
    drift = read_numbers(SAMPLES / "evidently" / "drift.json").values
    assert drift["mean radius.value_drift"] == 0.019453286588253946
    assert drift["drifted_columns_count.share"] == 0.8


def test_evidently_before_0_6_is_read_for_current_only() -> None:
    path = SAMPLES / "evidently" / "report_0_5.json"
    result = load(path)["metrics"][0]["result"]
    found = read_numbers(path)
    assert found.values["accuracy"] == result["current"]["accuracy"]
    assert found.values["accuracy"] != result["reference"]["accuracy"]
    assert found.values["0.recall"] == 0.9545454545454546
    assert found.refused["roc_auc"] == "it is empty (null)"
    assert not [name for name in found.values if "support" in name]


def test_no_direction_is_told_by_a_word_that_lies() -> None:
    """A mean error may be too small, a drift score may be a p-value."""
    for name in ("regression", "drift", "report_0_5"):
        for metric in read_numbers(SAMPLES / "evidently" / f"{name}.json").values:
            if "drift" in metric or "bias" in metric:
                assert higher_is_better(metric) is None


def test_two_entries_of_one_name_are_told_apart(tmp_path: Path) -> None:
    document = load(SAMPLES / "evidently" / "drift.json")
    again = document["metrics"][1] | {"metric_name": "ValueDrift(column=mean radius,method=psi)"}
    document["metrics"].append(again | {"value": 0.5})
    found = read_numbers(put(tmp_path, "m.json", document)).values
    mine = {name: value for name, value in found.items() if "mean radius" in name}
    assert sorted(mine.values()) == [0.019453286588253946, 0.5]
    assert all("ValueDrift(" in name for name in mine)


def test_a_run_of_mlflow_has_the_last_step_of_every_metric() -> None:
    found = read_numbers(RUN)
    assert found.values["train_loss"] == 0.4
    assert found.values["accuracy_score"] == 0.8166666666666667
    assert found.values["hit/mean"] == 0.5
    assert found.refused == {
        "nan_metric": "it is nan, not a finite number",
        "inf_metric": "it is inf, not a finite number",
    }


@pytest.mark.parametrize(
    ("lines", "value"),
    [("2 0.5 0\n1 0.9 0\n", 0.5), ("1 0.9 5\n2 0.1 4\n", 0.9), ("1 0.25\n", 0.25)],
)
def test_the_last_value_is_that_of_the_highest_step(
    tmp_path: Path, lines: str, value: float
) -> None:
    run = shutil.copytree(RUN, tmp_path / "run")
    (run / "metrics" / "train_loss").write_text(lines)
    assert read_numbers(run).values["train_loss"] == value


@pytest.mark.parametrize(
    ("content", "words"), [("", "no value"), ("1 x 0\n", "time value step"), ("\0\n", "time value")]
)
def test_a_broken_run_is_said_to_be_broken(tmp_path: Path, content: str, words: str) -> None:
    run = shutil.copytree(RUN, tmp_path / "run")
    (run / "metrics" / "train_loss").write_text(content)
    with pytest.raises(ComparisonError, match=words):
        read_numbers(run)


def test_a_link_out_of_a_run_is_not_followed(tmp_path: Path) -> None:
    run = shutil.copytree(RUN, tmp_path / "run")
    (tmp_path / "outside").write_text("1 0.99 0\n")
    (run / "metrics" / "stolen").symlink_to(tmp_path / "outside")
    assert "stolen" not in read_numbers(run).values


def test_any_other_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "metrics").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        is_table(tmp_path)


def test_neptune_has_single_values_and_last_steps() -> None:
    path = SAMPLES / "neptune" / "RUN-7_part_0.parquet"
    assert not is_table(path)
    found = read_numbers(path)
    assert found.values["metrics/test/auc"] == 0.91
    assert found.values["metrics/loss"] == 0.3
    assert found.values["parameters/lr"] == 0.01
    assert found.refused == {"metrics/broken": "it is nan, not a finite number"}
    assert not [name for name in found.values if name.startswith("sys/")]


def test_a_file_of_several_runs_says_how_to_take_one(tmp_path: Path) -> None:
    path, both = SAMPLES / "neptune" / "RUN-7_part_0.parquet", tmp_path / "both.parquet"
    duckdb.sql(
        f"COPY (FROM '{path}' UNION ALL SELECT * REPLACE ('RUN-8' AS run_id) FROM '{path}') "
        f"TO '{both}' (FORMAT parquet)"
    )
    with pytest.raises(UsageError, match="2 runs of Neptune") as error:
        read_numbers(both)
    command = error.value.fix
    assert command.startswith('duckdb -c "COPY (FROM')
    assert error.value.exit_code == 2
    query = command.removeprefix('duckdb -c "').removesuffix('"')
    one = tmp_path / "one.parquet"
    duckdb.sql(query.replace("both.parquet", str(both)).replace("RUN-7.parquet", str(one)))
    assert read_numbers(one).values == read_numbers(path).values


def test_one_part_of_a_run_is_not_the_run(tmp_path: Path) -> None:
    path = SAMPLES / "neptune" / "RUN-7_part_0.parquet"
    for name in ("RUN-7_part_0.parquet", "RUN-7_part_10.parquet", "RUN-71_part_0.parquet"):
        shutil.copy(path, tmp_path / name)
    with pytest.raises(UsageError, match="one of 2 parts") as error:
        read_numbers(tmp_path / "RUN-7_part_0.parquet")
    query = error.value.fix.removeprefix('duckdb -c "').removesuffix('"')
    duckdb.sql(query.replace("'RUN-7", f"'{tmp_path}/RUN-7"))
    assert read_numbers(tmp_path / "RUN-7.parquet").values == read_numbers(path).values
    assert read_numbers(tmp_path / "RUN-71_part_0.parquet").values == read_numbers(path).values


def test_a_document_of_two_formats_is_refused(tmp_path: Path) -> None:
    document = {
        "metrics": [{"metric_name": "Accuracy()", "value": 0.5}],
        "metricKeysAndValues": [],
    }
    with pytest.raises(UsageError, match="could be a"):
        is_table(put(tmp_path, "m.json", document))


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text('{"metrics": [{"metric_name": "A()", "value": 0.5, "value": 0.9}]}')
    with pytest.raises(ComparisonError, match="stands twice"):
        read_numbers(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["metrics", "value", "metric", "result", "version", "metric_name", "columns", "data",
             "current", "config", "metricKeysAndValues", "sliceKey", "singleSliceKeys", "key",
             "actual", "predicted", "macro avg", "weighted avg", "precision", "recall",
             "f1-score", "support", "doubleValue", "name", "subKey"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(JSON)
def test_any_document_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, document: Any
) -> None:
    path = put(tmp_path_factory.mktemp("any"), "m.json", document)
    try:
        if not is_table(path):
            read_numbers(path)
    except MlopsCiError:
        return
