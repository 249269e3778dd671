"""What a model needs, from its folder alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_ci.errors import UsageError
from mlops_ci.images.recipe import read_recipe

MLMODEL = """flavors:
  python_function: {python_version: 3.12.4}
  sklearn: {pickled_model: model.pkl}
signature:
  inputs: '[{"type": "double", "name": "age"}]'
"""


def folder(tmp_path: Path, mlmodel: str = MLMODEL, requirements: str = "") -> Path:
    (tmp_path / "MLmodel").write_text(mlmodel)
    (tmp_path / "requirements.txt").write_text(requirements)
    return tmp_path


def test_sklearn_without_mlflow(tmp_path: Path) -> None:
    wanted = "mlflow==3.4\n# why\nscikit-learn==1.6.1\nMLflow_Skinny\nlightgbm>=4\n\n"
    recipe = read_recipe(folder(tmp_path, requirements=wanted), "amd64")
    lines = recipe.requirements.splitlines()
    assert lines[:3] == ["lightgbm>=4", "scikit-learn==1.6.1", "pandas"]
    assert not any("mlflow" in line.lower() for line in lines)
    assert recipe.base == "python:3.12-slim-bookworm"
    assert "libgomp1" in recipe.dockerfile


def test_python_function_keeps_mlflow(tmp_path: Path) -> None:
    text = "flavors: {python_function: {python_version: 3.11.7}}\n"
    recipe = read_recipe(folder(tmp_path, text, "mlflow==3.4\n"), "amd64")
    assert "mlflow==3.4" in recipe.requirements


def test_the_key_follows_what_matters(tmp_path: Path) -> None:
    one = read_recipe(folder(tmp_path, requirements="numpy==2.0\nscipy\n"), "amd64")
    same = read_recipe(folder(tmp_path, requirements="scipy\n\nnumpy==2.0\n# x\n"), "amd64")
    other = read_recipe(folder(tmp_path, requirements="numpy==2.1\nscipy\n"), "amd64")
    arm = read_recipe(folder(tmp_path, requirements="numpy==2.0\nscipy\n"), "arm64")
    assert one.key == same.key
    assert len({one.key, other.key, arm.key}) == 3


@pytest.mark.parametrize("line", ["-e .", "-r other.txt", "--index-url http://x", "./x.whl", "/x"])
def test_lines_that_lead_elsewhere_are_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(UsageError, match="cannot be installed"):
        read_recipe(folder(tmp_path, requirements=f"{line}\n"), "amd64")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("flavors: {spark: {}}", "neither the flavour"),
        ("[1]", "holds no settings"),
        ("a: [", "cannot be read"),
        ("flavors: {python_function: {python_version: 2.7.1}}", "Python 2.7.1"),
        ("flavors: {python_function: {python_version: '3.11; rm -rf /'}}", "no image"),
    ],
)
def test_other_folders_are_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_recipe(folder(tmp_path, text), "amd64")


def test_an_mlmodel_cannot_start_code(tmp_path: Path) -> None:
    text = 'flavors: !!python/object/apply:os.system ["touch /tmp/owned"]'
    with pytest.raises(UsageError, match="cannot be read"):
        read_recipe(folder(tmp_path, text), "amd64")
