"""A failed gate is remarked where it is written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.github.places import annotate_gates, annotate_parameters, annotate_pipeline
from mlops_ci.records import GateResult

YAML = """\
# a comment
models:
  churn:
    train: python train.py
    gates:
      roc_auc: {max-drop: 0.01}
      accuracy:
        max-drop: 0.02
        min: 0.6
      recall:
        - {min: 0.60}
        - max-drop: 0.02
          slice: region=north
        - {max-drop: 0.05, slice: plan=*}
  fraud:
    gates:
      recall: {min: 0.9}
"""


def gate(metric: str, kind: Any = "max-drop", limit: float = 0.01, **more: Any) -> GateResult:
    told: dict[str, Any] = {"verdict": "fail", "blocks": True, "reason": "worse", **more}
    return GateResult(metric=metric, kind=kind, limit=limit, quantity="difference", **told)


def lines(*gates: GateResult, text: str = YAML, model: str = "churn") -> list[int]:
    return [found.line for found in annotate_gates("mlops-ci.yaml", text, model, gates)]


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (gate("roc_auc"), 6),
        (gate("accuracy", limit=0.02), 8),
        (gate("accuracy", "min", 0.6), 9),
        (gate("recall", "min", 0.6), 11),
        (gate("recall", limit=0.02, slice="region=north"), 12),
        (gate("recall", limit=0.05, slice="plan=basic"), 14),
        (gate("recall", limit=0.05, slice="plan=a=b"), 14),
        (gate("recall", limit=0.05, slice="planet=earth"), 10),
        (gate("recall", "max", 0.6), 10),  # base's file asked for it, this one does not
        (gate("log_loss"), 5),
    ],
)
def test_a_gate_has_its_line(found: GateResult, line: int) -> None:
    assert lines(found) == [line]


def test_a_metric_is_found_under_another_of_its_names() -> None:
    text = "models:\n  churn:\n    gates:\n      neg_brier_score: {max-drop: 0.01}\n      neg_log_loss:\n"
    assert lines(gate("brier"), text=text) == [4]
    assert lines(gate("log_loss"), text=text) == [5]


def test_models_are_told_apart() -> None:
    assert lines(gate("recall", "min", 0.9), model="fraud") == [17]
    assert lines(gate("recall"), model="nobody") == [2]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "models:",
        "models: [churn]",
        "models: {churn: 5}",
        "models: {churn: {gates: [roc_auc]}}",
        "models: {churn: {gates: {roc_auc: 5}}}",
        "models: {churn: {gates: {roc_auc: [5, null]}}}",
        "- a\n- b",
        "a: b: c",
        "'",
        "\t",
        "!!python/object:os.system {}",
    ],
)
def test_a_file_that_training_has_spoilt_gets_a_line_all_the_same(text: str) -> None:
    assert lines(gate("roc_auc"), text=text) == [1]


@given(st.text(max_size=80))
def test_no_file_is_an_error(text: str) -> None:
    assert len(lines(gate("roc_auc"), text=text)) == 1


def test_a_file_of_another_format_gets_its_first_line() -> None:
    (found,) = annotate_gates("pyproject.toml", "[tool.mlops-ci]\n", "churn", [gate("roc_auc")])
    assert (found.path, found.line) == ("pyproject.toml", 1)


def test_what_passed_is_not_remarked() -> None:
    assert lines(gate("roc_auc", verdict="pass", blocks=False)) == []


def test_a_remark_says_what_was_found() -> None:
    measured = gate(
        "recall", limit=0.02, slice="region=north", estimate=-0.064, low=-0.085, high=-0.043
    )
    (found,) = annotate_gates("ml/mlops-ci.yaml", YAML, "churn", [measured])
    assert found.title == "churn: recall [region=north] failed"
    assert found.message == "max-drop 0.02: difference -0.064 (-0.085 … -0.043); worse"
    assert found.level == "failure"


def test_an_undecided_gate_only_warns() -> None:
    missing = gate("recall", verdict="inconclusive", blocks=False)
    (found,) = annotate_gates("mlops-ci.yaml", YAML, "churn", [missing])
    assert (found.level, found.title) == ("warning", "churn: recall undecided")
    assert "not measured" in found.message


def test_a_hostile_name_is_one_line_of_text() -> None:
    (found,) = annotate_gates("mlops-ci.yaml", YAML, "churn", [gate("a\n::error::b\x00" * 99)])
    body = found.body()
    assert "\n" not in body["title"]
    assert "\x00" not in body["title"] + body["message"]
    assert len(body["title"]) <= 255


def test_changed_values_are_remarked_at_their_lines() -> None:
    text = "seed: 1\nmodel:\n  depth: 5\n  rate: 0.1\nnew: [1, 2]\n"
    base = {"seed": 1, "model.depth": 4, "model.rate": 0.1, "gone": 2}
    head = {"seed": 1, "model.depth": 5, "model.rate": 0.1, "new": "[1, 2]", "elsewhere": 3}
    found = annotate_parameters("ml/params.yaml", text, "churn", base, head)
    assert [(one.path, one.line, one.message) for one in found] == [
        ("ml/params.yaml", 3, "4 → 5"),
        ("ml/params.yaml", 5, "new: [1, 2]"),
    ]
    assert {one.level for one in found} == {"notice"}
    assert annotate_parameters("params.toml", "a = 1", "churn", {"a": 1}, {"a": 2}) == []
    assert annotate_parameters("params.yaml", "a: [", "churn", {"a": 1}, {"a": 2}) == []


BASE_PIPELINE = """\
vars:
- config.yaml
stages:
  train:
    cmd: python train.py --depth 4
    deps:
    - data/train.csv
    - train.py
    params: [max_depth]
  serve:
    cmd: python serve.py
plots:
- loss.csv: {x: epoch}
"""
HEAD_PIPELINE = """\
vars:
- config.yaml
stages:
  train:
    cmd: python train.py --depth 6
    deps:
    - train.py
    - data/train.csv
    - data/more.csv
    params: [max_depth, seed]
    frozen: false
  serve:
    cmd: python serve.py --fast
plots:
- loss.csv: {x: step}
"""


def test_changed_values_of_a_pipeline_are_annotated_at_their_lines() -> None:
    texts = (BASE_PIPELINE, HEAD_PIPELINE)
    found = annotate_pipeline("ml/dvc.yaml", "churn", texts, ["train"])
    assert [(one.line, one.title, one.message) for one in found] == [
        (
            5,
            "churn: stages.train.cmd changed",
            "python train.py --depth 4 → python train.py --depth 6",
        ),
        (9, "churn: stages.train.deps changed", "new: data/more.csv"),
        (10, "churn: stages.train.params changed", "new: seed"),
        (11, "churn: stages.train.frozen changed", "new: False"),
        (15, "churn: plots.loss.csv.x changed", "epoch → step"),
    ]
    assert {(one.level, one.path) for one in found} == {("notice", "ml/dvc.yaml")}
    everything = annotate_pipeline("dvc.yaml", "churn", texts, [])
    assert 13 in {one.line for one in everything}, "the other stage's command"


@pytest.mark.parametrize("head", ["a: [", "", "- 1", "stages: 7", "a: &x [*x]"])
def test_a_pipeline_that_cannot_be_read_is_no_remark(head: str) -> None:
    found = annotate_pipeline("dvc.yaml", "churn", (BASE_PIPELINE, head), [])
    assert [one.line for one in found] == ([1] if head in {"- 1", "stages: 7"} else [])
    assert annotate_pipeline("dvc.yaml", "churn", (HEAD_PIPELINE, HEAD_PIPELINE), []) == []


def test_remarks_on_a_pipeline_are_bounded() -> None:
    many = "vars:\n" + "".join(f"- v{at}.yaml\n" for at in range(5000))
    assert len(annotate_pipeline("dvc.yaml", "churn", ("vars: []\n", many), [])) == 50
