"""Shipping computes nothing: its steps start without the libraries of numbers."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"duckdb", "matplotlib", "mlflow", "numpy", "scipy", "sklearn"}


@pytest.mark.parametrize("step", ["build", "push", "deploy", "rollback", "train"])
def test_a_step_that_computes_nothing_imports_nothing_heavy(step: str) -> None:
    said = f"import sys, mlops_ci.steps.{step}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", said], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []
