"""What people hand in by mistake, or on purpose: an error as a document, never a pass."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_ci.cli.program import run_program
from tests.integration.compare.conftest import Real, write_csv

Capture = pytest.CaptureFixture[str]
GATE = ["--max-drop", "roc_auc=0.01"]


def change(path: Path, *edits: tuple[str, str]) -> None:
    text = path.read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines(keepends=True)


def refused(capsys: Capture, code: int, words: str, *arguments: str) -> str:
    assert run_program(["compare", *arguments]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert words in said.err
    assert "Traceback" not in said.err
    return said.err


def test_files_that_are_missing_empty_or_folders(two: Path, capsys: Capture) -> None:
    refused(capsys, 2, "there is no file", "base.csv", "gone.csv", *GATE)
    (two / "folder.csv").mkdir()
    refused(capsys, 2, "is a folder", "base.csv", "folder.csv", *GATE)
    (two / "empty.csv").write_text("")
    refused(capsys, 3, "is empty", "base.csv", "empty.csv", *GATE)
    (two / "header.csv").write_text(lines(two / "base.csv")[0])
    refused(capsys, 3, "has no rows", "base.csv", "header.csv", *GATE)
    (two / "notes.txt").write_text("hello")
    refused(capsys, 2, "not known", "base.csv", "notes.txt", *GATE)


def test_files_with_nothing_to_compare(two: Path, capsys: Capture) -> None:
    """A curve of DVC: without a gate it was ungated, which lets it through."""
    (two / "roc.json").write_text('{"roc": [{"fpr": 0.0, "tpr": 0.0}], "name": "a"}')
    said = refused(capsys, 3, "there is nothing to compare", "roc.json", "roc.json")
    assert "roc: it is a list, not a number" in said
    assert run_program(["compare", "roc.json", "roc.json", *GATE]) == 1


def test_a_truncated_file(two: Path, capsys: Capture) -> None:
    text = (two / "head.csv").read_text()
    (two / "head.csv").write_text(text[: text.rindex(",0.")])
    assert "complete" in refused(capsys, 3, "cannot be read", "base.csv", "head.csv", *GATE)
    (two / "head.csv").write_text("".join(lines(two / "base.csv")[:400]))
    assert run_program(["compare", "base.csv", "head.csv", *GATE, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "inconclusive"
    assert any("Of base's 569 rows head scored 399" in note for note in found["notes"])
    assert found["left_out"]["rows"] == 170


def test_duplicate_and_missing_keys(two: Path, capsys: Capture) -> None:
    change(two / "head.csv", ("patient 7,", "patient 8,"))
    assert "'patient 8'" in refused(capsys, 3, "more than once", "base.csv", "head.csv", *GATE)
    change(two / "head.csv", ("patient 8,", ","))
    assert "row 8" in refused(capsys, 3, "have no 'id'", "base.csv", "head.csv", *GATE)


def test_labels_that_differ_for_one_key(two: Path, capsys: Capture) -> None:
    row = next(line for line in lines(two / "head.csv") if line.startswith("patient 3,"))
    label = row.split(",")[1]
    change(two / "head.csv", (f"patient 3,{label}", f"patient 3,{1 - int(label)}"))
    said = refused(capsys, 3, "another label in head", "base.csv", "head.csv", *GATE)
    assert "'patient 3'" in said


def test_other_classes(two: Path, capsys: Capture, cancer: Real) -> None:
    columns = cancer.binary("bayes")
    words = {0: "malignant", 1: "benign"}
    for name in ("label", "prediction"):
        columns[name] = [words[value] for value in columns[name]]
    write_csv(two / "head.csv", columns)
    refused(capsys, 2, "--positive", "base.csv", "head.csv", *GATE)
    columns["label"][5] = "unclear"
    write_csv(two / "head.csv", columns)
    refused(capsys, 3, "one score cannot rank 3 classes", "base.csv", "head.csv", *GATE)


@pytest.mark.parametrize("value", ["", "nan", "inf", "NaN"])
def test_scores_that_are_no_numbers(two: Path, capsys: Capture, value: str) -> None:
    rows = lines(two / "head.csv")
    cells = rows[4].split(",")
    rows[4] = ",".join([*cells[:3], value, *cells[4:]])
    (two / "head.csv").write_text("".join(rows))
    said = refused(capsys, 3, "'score' is missing or not finite", "base.csv", "head.csv", *GATE)
    assert "row 4" in said


def test_integers_say_what_to_paste(two: Path, capsys: Capture) -> None:
    (two / "x.csv").write_text("y_true,y_pred\n0,1\n1,1\n")
    said = refused(capsys, 2, "integers", "x.csv", "x.csv")
    assert "--task binary" in said
    assert "task: binary" in said


def test_a_weight_below_0(two: Path, capsys: Capture, cancer: Real) -> None:
    write_csv(two / "head.csv", cancer.binary("bayes") | {"weight": [1] * 568 + [-1]})
    refused(capsys, 3, "1 weights are below 0", "base.csv", "head.csv", *GATE)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["base.csv"], 2, "needs two files, not 1"),
        (["base.csv", "head.csv", "head.csv"], 2, "needs two files, not 3"),
        (["base.csv", "head.csv", "--max-drop", "roc_acu=0.01"], 2, "did you mean `roc_auc`"),
        (["base.csv", "head.csv", "--max-drop", "roc_auc"], 2, "--max-drop roc_auc=0.01"),
        (["base.csv", "head.csv", "--max-drop", "roc_auc=nan"], 2, "not METRIC=X"),
        (["base.csv", "head.csv", "--max-drop", "roc_auc=-0.1"], 2, "--max-drop roc_auc=0.1"),
        (["base.csv", "head.csv", "--min", "=0.1"], 2, "not METRIC=X"),
        (["base.csv", "head.csv", "--better", "x=more", *GATE], 2, "METRIC=higher or METRIC=lower"),
        (["base.csv", "head.csv", "--better", "cost=lower", *GATE], 2, "no gate speaks of cost"),
        (["base.csv", "head.csv", "--better", "roc_auc=lower", *GATE], 2, "higher is better"),
        (["base.csv", "head.csv", "--min", "rmse=1"], 1, ""),
        (["base.csv", "head.csv", "--slice", "sight"], 2, "perhaps you meant 'site'"),
        (["base.csv", "head.csv", "--positive", "2"], 2, "none of 0, 1"),
        (["base.csv", "head.csv", "--base", "main"], 2, "inside a project"),
        (["base.csv", "head.csv", "--label", "id"], 2, "the same time"),
        (["base.csv", "head.csv", "--score", "label"], 2, "the same time"),
    ],
)
def test_wrong_options(
    two: Path, capsys: Capture, arguments: list[str], code: int, words: str
) -> None:
    del two
    assert run_program(["compare", *arguments]) == code
    assert words in capsys.readouterr().err


def test_reports_overwrite_no_input(two: Path, capsys: Capture) -> None:
    before = (two / "base.csv").read_bytes()
    for option in ("--markdown", "--html"):
        refused(capsys, 2, "would overwrite", "base.csv", "head.csv", option, "./base.csv")
    refused(capsys, 2, "would overwrite", "base.csv", "head.csv", "--html", "r", "--markdown", "r")
    assert (two / "base.csv").read_bytes() == before
    refused(
        capsys, 2, "cannot be written", "base.csv", "head.csv", "--html", "base.csv/report.html"
    )


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("NaN", "it is nan, not a finite number"),
        ("1e400", "it is inf, not a finite number"),
        ('"0.99"', "it is the text '0.99', not a number"),
        ("true", "it is true, not a number"),
        ("null", "it is empty (null)"),
        ("[0.99]", "it is a list, not a number"),
    ],
)
@pytest.mark.parametrize("gate", ["--max-drop", "--min"])
def test_metrics_that_are_no_numbers_fail_their_gate_and_say_why(
    here: Path, capsys: Capture, value: str, why: str, gate: str
) -> None:
    (here / "base.json").write_text('{"auc": 0.9, "f1": 0.8}')
    (here / "head.json").write_text(f'{{"auc": {value}, "f1": 0.8}}')
    assert run_program(["compare", "base.json", "head.json", gate, "auc=0.5", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["blocks"]
    assert found["verdict"] != "pass"
    auc = next(one for one in found["metrics"] if one["metric"] == "auc")
    assert (auc["head"], auc["note"]) == (None, f"head: {why}")
    assert run_program(["compare", "base.json", "head.json", gate, "auc=0.5"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert why in said


def test_a_gate_on_a_metric_that_head_lost(here: Path, capsys: Capture) -> None:
    (here / "base.json").write_text('{"auc": 0.9, "f1": 0.8}')
    (here / "head.json").write_text('{"f1": 0.9}')
    arguments = ["base.json", "head.json", "--max-drop", "auc=0.01", "--max-drop", "f1=0.01"]
    assert run_program(["compare", *arguments]) == 1
    assert "head does not have it" in " ".join(capsys.readouterr().out.split())


def test_numbers_with_names_of_their_own(here: Path, capsys: Capture) -> None:
    (here / "base.json").write_text('{"profit": 10, "site=north": {"auc": 0.8}}')
    (here / "head.json").write_text('{"profit": 9, "site=north": {"auc": 0.8}}')
    gates = ["--max-drop", "site=north.auc=0.01", "--max-drop", "profit=0.5"]
    refused(capsys, 2, "--better profit=higher", "base.json", "head.json", *gates)
    for better, blocks in (("higher", True), ("lower", False)):
        told = [*gates, "--better", f"profit={better}", "--json"]
        assert run_program(["compare", "base.json", "head.json", *told]) == int(blocks)
        found = json.loads(capsys.readouterr().out)
        assert [one["metric"] for one in found["gates"]] == ["site=north.auc", "profit"]
        assert found["metrics"][0]["higher_is_better"] is (better == "higher")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("head.json", '{"auc": 0.9, "auc": 0.99}', "stands twice"),
        ("head.yaml", "auc: 0.9\nauc: 0.99\n", "stands twice"),
        ("head.json", '{"a":' * 90_000, "too deeply nested"),
        ("head.json", '{"auc": 0.9', "not valid JSON"),
        ("head.json", "", "is empty"),
        ("head.json", '{"auc": 1' + "0" * 5000 + "}", "not valid JSON"),
    ],
)
def test_broken_metrics_files(
    here: Path, capsys: Capture, name: str, text: str, words: str
) -> None:
    (here / "base.json").write_text('{"auc": 0.9}')
    (here / name).write_text(text)
    refused(capsys, 3, words, "base.json", name, "--max-drop", "auc=0.01")


def test_one_of_each_kind(two: Path, capsys: Capture) -> None:
    (two / "m.json").write_text('{"auc": 0.9}')
    refused(capsys, 3, "one file holds predictions and the other metrics", "base.csv", "m.json")


def test_a_gate_on_a_score_that_head_no_longer_has(
    two: Path, capsys: Capture, cancer: Real
) -> None:
    columns = cancer.binary("logistic")
    del columns["score"]
    write_csv(two / "head.csv", columns)
    options = ["--task", "binary", *GATE]
    assert run_program(["compare", "base.csv", "head.csv", *options, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] != "pass"


def test_a_model_that_answers_with_one_class_only(two: Path, capsys: Capture, cancer: Real) -> None:
    write_csv(two / "head.csv", cancer.binary("constant"))
    assert run_program(["compare", "base.csv", "head.csv", *GATE]) == 1
    assert "worse" in capsys.readouterr().out


def test_hostile_names_stay_text(two: Path, capsys: Capture, cancer: Real) -> None:
    columns = cancer.binary("bayes")
    columns["site"] = ["<script>alert(1)</script>|@org\x1b[31m"] * 569
    for name in ("base.csv", "head.csv"):
        write_csv(two / name, columns)
    arguments = [
        "base.csv",
        "head.csv",
        "--slice",
        "site",
        "--html",
        "r.html",
        "--markdown",
        "r.md",
    ]
    assert run_program(["compare", *arguments]) == 0
    assert "\x1b" not in capsys.readouterr().out
    assert "<script>alert" not in (two / "r.html").read_text()
    assert "\x1b" not in (two / "r.md").read_text()
