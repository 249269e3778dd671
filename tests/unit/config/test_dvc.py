"""What a `dvc.yaml` alone says about predictions."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_ci.config import parse_config
from mlops_ci.config.model import Model
from mlops_ci.errors import ConfigError

LIVE = Path(__file__).parents[1] / "data" / "samples" / "dvc" / "dvclive.yaml"
METRICS = "metrics: [eval/metrics.json]\n"


def model(text: str) -> Model:
    return parse_config(text, "dvc.yaml").models["model"]


def test_a_confusion_plot_of_a_stage() -> None:
    text = """
stages:
  evaluate:
    cmd: x
    plots:
    - curve.csv: {x: epoch, y: loss}
    - out/classes.csv: {template: confusion, x: truth, y: said, cache: false}
"""
    found = model(text)
    assert found.predictions == "out/classes.csv"
    assert (found.columns.label, found.columns.prediction) == ("truth", "said")
    assert found.task == "classes"


@pytest.mark.parametrize(
    "y",
    ["{cm/train.json: predicted, cm/test.json: predicted}", "{cm/test.json: [predicted]}"],
)
def test_the_plot_of_the_training_rows_is_no_evaluation(y: str) -> None:
    text = f"{METRICS}plots:\n- Confusion: {{template: confusion, x: actual, y: {y}}}\n"
    assert model(text).predictions == "cm/test.json"


def test_a_plot_of_training_rows_alone_is_none() -> None:
    text = f"{METRICS}plots:\n- cm/train.json: {{template: confusion, x: actual, y: predicted}}\n"
    assert model(text).predictions is None


def test_two_evaluation_plots_say_what_to_paste() -> None:
    with pytest.raises(ConfigError, match="2 confusion plots") as error:
        parse_config(LIVE.read_text("utf-8"), "dvc.yaml")
    assert error.value.exit_code == 2
    pasted = parse_config(error.value.fix.split("\n", 1)[1]).models["model"]
    assert pasted.predictions == "eval/plots/sklearn/cm/test.json"
    assert pasted.metrics == ["eval/metrics.json"]
    assert pasted.task == "classes"


@pytest.mark.parametrize(
    "plot",
    [
        "roc.json: {template: simple, x: fpr, y: tpr}",
        "cm.json: {template: confusion, x: actual}",
        "cm.png: {template: confusion, x: actual, y: predicted}",
        "${place}/cm.json: {template: confusion, x: actual, y: predicted}",
        "cm: {template: confusion, x: actual, y: {cm.json: [a, b]}}",
        "3",
        "[]",
        "{}",
        "cm.json: [template]",
    ],
)
def test_no_other_plot_holds_predictions(plot: str) -> None:
    assert model(f"{METRICS}plots:\n- {plot}\n").predictions is None


def test_an_output_called_predictions_goes_before_a_plot() -> None:
    text = """
stages:
  evaluate: {cmd: x, outs: [out/predictions.csv]}
plots:
- cm.json: {template: confusion, x: actual, y: predicted}
"""
    found = model(text)
    assert found.predictions == "out/predictions.csv"
    assert found.task is None
