"""Shipping computes nothing: its steps start without the libraries of numbers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"duckdb", "matplotlib", "mlflow", "numpy", "scipy", "sklearn"}


@pytest.mark.parametrize("step", ["build", "push", "deploy", "rollback", "train"])
def test_a_step_that_computes_nothing_imports_nothing_heavy(step: str) -> None:
    said = f"import sys, mlops_ci.steps.{step}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", said], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


def test_numbers_are_compared_without_the_mathematics_of_rows(tmp_path: Path) -> None:
    for name, value in (("base", 0.9), ("head", 0.91)):
        (tmp_path / f"{name}.json").write_text(f'{{"auc": {value}}}')
    files = [str(tmp_path / f"{name}.json") for name in ("base", "head")]
    run = f"run_program(['compare', *{files!r}, '--max-drop', 'auc=0.01', '--json'])"
    # To define one frozen dataclass takes as long as ten structs.
    heavy = HEAVY | {"yaml", "rich", "jinja2", "dataclasses", "shutil", "traceback"}
    said = f"import sys; from mlops_ci.cli.program import run_program; {run}; "
    said += f"print(*sorted({heavy!r} & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", said], check=True, capture_output=True, text=True)
    assert done.stderr.split() == []
