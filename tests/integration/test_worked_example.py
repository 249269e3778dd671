"""The numbers that docs/verdict.md explains are the numbers that the command prints."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS, BOTH, BASE_ONLY, HEAD_ONLY = 1797, 1583, 23, 15


def predictions(right: set[int]) -> str:
    lines = [f"{row},{row % 2},{row % 2 if row in right else 1 - row % 2}" for row in range(ROWS)]
    return "\n".join(["id,label,prediction", *lines, ""])


def test_the_worked_example(tmp_path: Path) -> None:
    both = set(range(BOTH))
    base, head = (
        both | set(range(BOTH, BOTH + BASE_ONLY)),
        both | set(range(1700, 1700 + HEAD_ONLY)),
    )
    (tmp_path / "base.csv").write_text(predictions(base))
    (tmp_path / "head.csv").write_text(predictions(head))
    command = [sys.executable, "-m", "mlops_ci", "compare", "base.csv", "head.csv", "--json"]
    command += ["--task", "binary", "--max-drop", "accuracy=0.01"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    comparison = json.loads(done.stdout)
    gate = comparison["gates"][0]
    page = (ROOT / "docs" / "verdict.md").read_text("utf-8").replace("−", "-")
    assert (len(base), len(head)) == (1606, 1598)
    assert f"{len(base):,} of them (" in page
    assert f"on {len(head):,} (" in page
    for value in (gate["estimate"], gate["low"], gate["high"]):
        assert f"{value:+.4f}" in page
    assert gate["verdict"] == comparison["verdict"] == "inconclusive"
