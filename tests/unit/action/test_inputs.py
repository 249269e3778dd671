"""INPUT_* by the table of options: the kinds and the errors of the flags."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.action.inputs import inputs_of, read_inputs
from mlops_ci.errors import UsageError
from mlops_ci.options import STEPS, options_of

ACTIONS = ("", *STEPS)


@pytest.mark.parametrize("step", ACTIONS)
def test_every_input_is_an_option_of_the_command(step: str) -> None:
    options = options_of(step or "run")
    assert set(inputs_of(step)) <= set(options)
    assert {option.name for option in options if option.only == "cli"}.isdisjoint(
        option.name for option in inputs_of(step)
    )


@pytest.mark.parametrize("step", ACTIONS)
def test_nothing_given_is_none_or_empty(step: str) -> None:
    found = read_inputs(step, {option.input_variable: " " for option in inputs_of(step)})
    assert set(found) == {option.parameter for option in inputs_of(step)}
    assert all(value in {None, ()} for value in found.values())


def test_the_kinds() -> None:
    environ = {
        "INPUT_MODEL": "churn\n\n  upsell \n",
        "INPUT_FOLDER": "models/churn",
        "INPUT_BASE": "main",
        "INPUT_TIMEOUT": "90.5",
        "INPUT_TARGET": "docker",
        "INPUT_PORT": " 8080 ",
        "INPUT_TOKEN": "ghs_x",
    }
    found = {name: value for name, value in read_inputs("", environ).items() if value}
    assert found == {
        "model": ("churn", "upsell"),
        "folder": Path("models/churn"),
        "base": "main",
        "timeout": 90.5,
        "target": "docker",
        "port": 8080,
        "token": "ghs_x",
    }


def test_an_input_goes_before_its_variable() -> None:
    environ = {"MLOPS_CI_BASE": "develop", "INPUT_BASE": ""}
    assert read_inputs("run", environ)["base"] == "develop"
    assert read_inputs("run", {**environ, "INPUT_BASE": "main"})["base"] == "main"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("timeout", "soon", "the input timeout: 'soon' is not a number"),
        ("port", "80.5", "the input port: '80.5' is not an integer"),
        ("timeout", "0", "the input timeout: '0' is not above 0"),
        ("timeout", "nan", "the input timeout: 'nan' is not above 0"),
        ("port", "99999", "the input port: '99999' is not 65535 or below"),
        ("target", "mars", "the input target: 'mars' is not one of: docker, process"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(name: str, text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_inputs("", {f"INPUT_{name.upper()}": text})
    assert caught.value.what == said
    assert caught.value.where == f"with: {name}"
    assert caught.value.fix


@given(st.lists(st.text().filter(lambda text: len(text.split()) == 1 and "\r" not in text)))
def test_one_value_a_line(names: list[str]) -> None:
    told = [name.strip() for name in names]
    found = read_inputs("", {"INPUT_MODEL": "\n".join(told)})["model"]
    assert found == tuple(told)
