from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlops_ci.config import Model
from mlops_ci.steps.key import command_of, is_code, parse_parameters


def test_text_gates_and_outputs_are_no_code() -> None:
    model = Model(
        train="python train.py", predictions="out/p.csv", model="out/model", data=["data/"]
    )
    for path in ("README.md", "docs/x.py", "mlops-ci.yaml", "out/p.csv", "out/model/MLmodel",
                 "data/a.csv", ".mlops-ci/churn/x", "dvc.lock", ".github/workflows/a.yml"):  # fmt: skip
        assert not is_code(model, path), path
    for path in ("train.py", "src/a.py", "dvc.yaml", "tests/x.py", "data.csv", "model/a.py"):
        assert is_code(model, path), path


def test_code_narrows_what_counts() -> None:
    model = Model(train="x", predictions="p.csv", code=["src/churn", "*.toml"])
    assert is_code(model, "src/churn/a.py")
    assert is_code(model, "pyproject.toml")
    assert not is_code(model, "src/fraud/a.py")


def test_commands_are_kept_as_written() -> None:
    assert command_of(Model(train="python train.py && echo done")) == [
        "python train.py && echo done"
    ]
    assert command_of(Model(train=["python", "train.py"])) == ["python", "train.py"]
    assert command_of(Model(dvc=["train"])) == ["dvc", "repro", "train"]
    assert command_of(Model()) == []


def test_parameters_have_nested_names() -> None:
    text = b"train: {lr: 0.1, layers: [1, 2], flag: true, none: null}\nseed: 7\nnan: .nan"
    assert parse_parameters("params.yaml", text) == {
        "train.lr": 0.1, "train.layers": "[1, 2]", "train.flag": True, "train.none": None, "seed": 7,
        "nan": "nan",
    }  # fmt: skip
    assert parse_parameters("p.toml", b"[a]\nb = 1") == {"a.b": 1}


@given(st.binary(max_size=200))
def test_any_bytes_are_parameters_of_some_kind(content: bytes) -> None:
    found = parse_parameters("params.yaml", content)
    assert found == parse_parameters("params.yaml", content)
