"""Two files in, one verdict out, as a person types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from sklearn import metrics as sk

from mlops_ci.cli.program import run_program
from mlops_ci.records import record_schema
from tests.integration.compare.conftest import Real, write_csv, write_lines

Capture = pytest.CaptureFixture[str]


def compare(capsys: Capture, *arguments: str) -> tuple[int, dict[str, Any]]:
    code = run_program(["compare", *arguments, "--json"])
    said = capsys.readouterr()
    assert said.err == ""
    found: dict[str, Any] = json.loads(said.out, parse_constant=refuse_constant)
    jsonschema.validate(found, record_schema("comparison"))
    return code, found


def refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def values(found: dict[str, Any], side: str, part: str | None = None) -> dict[str, float]:
    return {one["metric"]: one[side] for one in found["metrics"] if one["slice"] == part}


def test_every_metric_is_scikit_learns(two: Path, capsys: Capture, cancer: Real) -> None:
    del two
    _, found = compare(capsys, "base.csv", "head.csv")
    for side, model in (("base", "logistic"), ("head", "bayes")):
        score = cancer.answers[model][:, 1]
        predicted = score >= 0.5
        expected = {
            "accuracy": sk.accuracy_score(cancer.label, predicted),
            "balanced_accuracy": sk.balanced_accuracy_score(cancer.label, predicted),
            "precision": sk.precision_score(cancer.label, predicted),
            "recall": sk.recall_score(cancer.label, predicted),
            "f1": sk.f1_score(cancer.label, predicted),
            "mcc": sk.matthews_corrcoef(cancer.label, predicted),
            "roc_auc": sk.roc_auc_score(cancer.label, score),
            "log_loss": sk.log_loss(cancer.label, score),
            "brier": sk.brier_score_loss(cancer.label, score),
        }
        ours = values(found, side)
        assert {name: ours[name] for name in expected} == pytest.approx(expected, abs=1e-9)
    assert found["rows"] == {"head": 569, "base": 569, "paired": 569, "paired_by": "id"}
    assert (found["verdict"], found["blocks"]) == ("ungated", False)


def test_the_contract(two: Path, capsys: Capture) -> None:
    del two
    code, found = compare(capsys, "base.csv", "head.csv", "--max-drop", "roc_auc=0.005")
    assert code == 1
    contract = {
        "schema",
        "model",
        "base",
        "head",
        "rows",
        "level",
        "policy",
        "verdict",
        "blocks",
        "metrics",
        "gates",
    }
    assert contract <= set(found)
    fields = {"metric", "slice", "base", "head", "difference", "low", "high", "n", "se", "method", "evidence",
              "higher_is_better", "base_low", "base_high", "head_low", "head_high"}  # fmt: skip
    assert all(fields <= set(one) for one in found["metrics"])
    fields = {"metric", "slice", "kind", "limit", "quantity", "estimate", "low", "high", "evidence", "required",
              "verdict", "blocks", "reason", "rows_needed"}  # fmt: skip
    assert all(fields <= set(one) for one in found["gates"])
    for one in found["metrics"]:
        assert one["difference"] == pytest.approx(one["head"] - one["base"])


@pytest.mark.parametrize(
    ("head", "gates", "verdict", "code"),
    [
        ("almost", ["--max-drop", "roc_auc=0.03"], "pass", 0),
        ("bayes", ["--max-drop", "accuracy=0.005"], "fail", 1),
        ("constant", ["--max-drop", "auc=0.05"], "fail", 1),
        ("almost", ["--max-drop", "accuracy=0.0001"], "inconclusive", None),
        ("almost", ["--min", "accuracy=0.9"], "pass", 0),
        ("bayes", ["--min", "accuracy=0.99"], "fail", 1),
        ("almost", ["--max", "log_loss=0.3", "--min", "recall=0.9"], "pass", 0),
        ("bayes", ["--max", "brier=0.01"], "fail", 1),
        ("almost", ["--max-drop", "roc_auc=0.01", "--min", "recall=1.1"], "fail", 1),
        ("bayes", [], "ungated", 0),
    ],
)
def test_verdicts_of_real_models(
    here: Path,
    capsys: Capture,
    cancer: Real,
    head: str,
    gates: list[str],
    verdict: str,
    code: int | None,
) -> None:
    write_csv(here / "base.csv", cancer.binary("logistic"))
    write_csv(here / "head.csv", cancer.binary(head))
    found_code, found = compare(capsys, "base.csv", "head.csv", *gates)
    assert found["verdict"] == verdict
    assert found_code == int(found["blocks"])
    assert code in (None, found_code)


def test_many_classes(here: Path, capsys: Capture, digits: Real) -> None:
    write_lines(here / "base.jsonl", digits.multiclass("forest"))
    write_lines(here / "head.jsonl", digits.multiclass("bayes"))
    code, found = compare(capsys, "base.jsonl", "head.jsonl", "--max-drop", "f1=0.01")
    assert (code, found["verdict"]) == (1, "fail")
    assert found["resolution"]["average"] == "macro"
    assert found["resolution"]["classes"] == [f"d{n}" for n in range(10)]
    f1 = next(one for one in found["metrics"] if one["metric"] == "f1")
    assert f1["average"] == "macro"
    scores = digits.answers["bayes"]
    assert f1["head"] == pytest.approx(
        sk.f1_score(digits.label, scores.argmax(axis=1), average="macro")
    )
    assert values(found, "head")["log_loss"] == pytest.approx(
        sk.log_loss(digits.label, scores), rel=1e-6
    )


def test_regression(here: Path, capsys: Capture, diabetes: Real) -> None:
    write_csv(here / "base.csv", diabetes.regression("ridge"))
    write_csv(here / "head.csv", diabetes.regression("flat"))
    code, found = compare(capsys, "base.csv", "head.csv", "--max-drop", "rmse=5")
    assert (code, found["verdict"]) == (1, "fail")
    expected = np.sqrt(np.mean((diabetes.label - diabetes.answers["flat"]) ** 2))
    assert values(found, "head")["rmse"] == pytest.approx(expected)
    assert values(found, "base")["mae"] == pytest.approx(
        np.mean(np.abs(diabetes.label - diabetes.answers["ridge"]))
    )


def test_slices(two: Path, capsys: Capture, cancer: Real) -> None:
    del two
    _, found = compare(capsys, "base.csv", "head.csv", "--slice", "site")
    north = np.arange(569) % 2 == 0
    expected = sk.roc_auc_score(cancer.label[north], cancer.answers["bayes"][north, 1])
    assert values(found, "head", "site=north")["roc_auc"] == pytest.approx(expected)
    assert {one["slice"] for one in found["metrics"]} == {None, "site=north", "site=south"}


def test_columns_by_option(here: Path, capsys: Capture, cancer: Real) -> None:
    columns = cancer.binary("logistic")
    renamed = {
        "who": columns["id"],
        "truth": columns["label"],
        "said": columns["prediction"],
        "p": columns["score"],
    }
    options = ["--id", "who", "--label", "truth", "--prediction", "said", "--score", "p"]
    write_csv(here / "one.csv", renamed)
    _, found = compare(
        capsys, "one.csv", "one.csv", *options, "--positive", "0", "--task", "binary"
    )
    assert found["resolution"]["columns"] == {
        "id": ["who"], "label": ["truth"], "prediction": ["said"], "score": ["p"],
    }  # fmt: skip
    assert set(found["resolution"]["found"].values()) == {"option"}
    assert (found["resolution"]["positive"], found["resolution"]["task_from"]) == ("0", "option")


def test_a_score_beyond_1_leaves_thresholded_metrics_unassessed(
    here: Path, capsys: Capture, cancer: Real
) -> None:
    for name, model in (("base", "logistic"), ("head", "almost")):
        columns = cancer.binary(model)
        del columns["prediction"]
        columns["score"] = [20 * value - 10 for value in columns["score"]]
        write_csv(here / f"{name}.csv", columns)
    code, found = compare(capsys, "base.csv", "head.csv", "--max-drop", "roc_auc=0.03")
    assert (code, found["verdict"]) == (0, "pass")
    code, found = compare(capsys, "base.csv", "head.csv", "--min", "accuracy=0.1")
    assert (code, found["verdict"]) == (1, "inconclusive")
    assert values(found, "head")["log_loss"] is None


def test_rows_that_head_left_out_never_pass(here: Path, capsys: Capture, cancer: Real) -> None:
    """A model that answers its easy rows only must not look better."""
    base, head = cancer.binary("logistic"), cancer.binary("logistic")
    right = [n for n in range(569) if head["prediction"][n] == head["label"][n]]
    write_csv(here / "base.csv", base)
    write_csv(
        here / "head.csv", {name: [column[n] for n in right] for name, column in head.items()}
    )
    _, found = compare(
        capsys, "base.csv", "head.csv", "--max-drop", "accuracy=0.05", "--min", "accuracy=0.9"
    )
    assert found["verdict"] == "inconclusive"
    assert {gate["reason"] for gate in found["gates"]} == {"unscored"}
    assert any("were not scored by head" in note for note in found["notes"])


def test_the_order_of_rows_changes_nothing(two: Path, capsys: Capture, cancer: Real) -> None:
    gate = ["--max-drop", "f1=0.02", "--max-drop", "accuracy=0.01"]
    _, straight = compare(capsys, "base.csv", "head.csv", *gate)
    order = np.random.default_rng(0).permutation(569)
    columns = cancer.binary("bayes")
    write_csv(
        two / "head.csv", {name: [column[n] for n in order] for name, column in columns.items()}
    )
    _, mixed = compare(capsys, "base.csv", "head.csv", *gate)
    for found in (straight, mixed):
        found["head"].pop("predictions_digest")
    assert straight == mixed


def test_unpaired_is_at_most_inconclusive(here: Path, capsys: Capture, cancer: Real) -> None:
    columns = cancer.binary("logistic")
    del columns["id"]
    write_csv(here / "base.csv", columns)
    write_csv(here / "head.csv", {name: column[:500] for name, column in columns.items()})
    _, found = compare(capsys, "base.csv", "head.csv", "--max-drop", "roc_auc=0.5")
    assert found["rows"]["paired_by"] == "none"
    assert (found["verdict"], found["gates"][0]["reason"]) == ("inconclusive", "unpaired")


def test_by_position_is_said(here: Path, capsys: Capture, cancer: Real) -> None:
    for name, model in (("base", "logistic"), ("head", "almost")):
        columns = cancer.binary(model)
        del columns["id"]
        write_csv(here / f"{name}.csv", columns)
    _, found = compare(capsys, "base.csv", "head.csv", "--max-drop", "roc_auc=0.03")
    assert (found["verdict"], found["rows"]["paired_by"]) == ("pass", "position")
    run_program(["compare", "base.csv", "head.csv", "--markdown", "report.md"])
    capsys.readouterr()
    assert "position" in (here / "report.md").read_text()


def test_metrics_files_are_points(here: Path, capsys: Capture) -> None:
    (here / "base.json").write_text('{"test": {"auc": 0.91, "loss": 0.3}, "trained": "2024-01-01"}')
    (here / "head.yaml").write_text("test: {auc: 0.93, loss: 0.31}\ntrained: 2024-01-02\n")
    code, found = compare(capsys, "base.json", "head.yaml", "--max-drop", "test.auc=0.01")
    assert (code, found["verdict"], found["evidence"]) == (0, "inconclusive", "point")
    assert {one["metric"] for one in found["metrics"]} == {"test.auc", "test.loss"}
    code, found = compare(capsys, "base.json", "head.yaml", "--max-drop", "loss=0.001")
    assert (code, found["gates"][0]["reason"]) == (1, "point-beyond")


def test_the_whole_process(two: Path) -> None:
    """As installed: standard output is the report, files are written, the exit code is the verdict's."""
    command = [
        sys.executable,
        "-m",
        "mlops_ci",
        "compare",
        "base.csv",
        "head.csv",
        "--max-drop",
        "accuracy=0.005",
    ]
    before = {path.name for path in two.iterdir()}
    done = subprocess.run(command, cwd=two, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert "accuracy" in done.stdout
    assert "\x1b[" not in done.stdout
    assert {path.name for path in two.iterdir()} == before
    files = ["--html", "out/report.html", "--markdown", "out/report.md", "--json"]
    done = subprocess.run([*command, *files], cwd=two, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout)["verdict"] == "fail"
    assert "accuracy" in (two / "out" / "report.md").read_text()
    page = (two / "out" / "report.html").read_text()
    assert "data:image/png;base64," in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_what_it_costs(two: Path) -> None:
    """No library of training is loaded to compare two files; memory stays small."""
    code = (
        "import sys\n"
        "from mlops_ci.cli.program import run_program\n"
        "run_program(['compare', 'base.csv', 'head.csv', '--max-drop', 'roc_auc=0.01'])\n"
        "heavy = {'mlflow', 'dvc', 'sklearn', 'matplotlib', 'docker', 'github', 'pandas', 'scipy'}\n"
        "status = dict(line.split(':', 1) for line in open('/proc/self/status'))\n"
        "print(sorted(heavy & set(sys.modules)), status['VmHWM'].split()[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=two, capture_output=True, text=True, check=True
    )
    loaded, peak = done.stdout.splitlines()[-1].rsplit(" ", 1)
    assert loaded == "[]"
    assert int(peak) * 1024 < 250e6


def test_a_terminal_without_unicode(two: Path) -> None:
    command = [sys.executable, "-m", "mlops_ci", "compare", "base.csv", "head.csv"]
    environ = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, cwd=two, env=environ, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"ROC AUC" in done.stdout
