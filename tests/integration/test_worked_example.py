"""The numbers that docs/verdict.md explains are the numbers that the command prints."""

from __future__ import annotations

import json
import math
import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_ci.cli.program import run_program

ROOT = Path(__file__).parents[2]
ROWS, BOTH, BASE_ONLY, HEAD_ONLY = 1797, 1583, 23, 15


def predictions(right: set[int]) -> str:
    lines = [f"{row},{row % 2},{row % 2 if row in right else 1 - row % 2}" for row in range(ROWS)]
    return "\n".join(["id,label,prediction", *lines, ""])


PAGE = (ROOT / "docs" / "verdict.md").read_text("utf-8").replace("−", "-")
COMMAND = "mlops-ci compare base.csv head.csv --task binary --max-drop accuracy=0.01"


def compared(folder: Path, base_only: int = BASE_ONLY, *more: str) -> str:
    """What the page's command says of files in which main alone is right on so many rows."""
    both = set(range(BOTH))
    base = both | set(range(BOTH, BOTH + base_only))
    head = both | set(range(1700, 1700 + HEAD_ONLY))
    (folder / "base.csv").write_text(predictions(base))
    (folder / "head.csv").write_text(predictions(head))
    command = [sys.executable, "-m", "mlops_ci", *COMMAND.split()[1:], *more]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert done.returncode == (1 if base_only > 40 else 0), done.stderr
    return done.stdout


def test_the_worked_example(tmp_path: Path) -> None:
    comparison = json.loads(compared(tmp_path, BASE_ONLY, "--json"))
    gate, metric = comparison["gates"][0], comparison["metrics"][0]
    assert COMMAND in PAGE
    assert f"{BOTH + BASE_ONLY:,} of them (0.894)" in PAGE
    assert f"on {BOTH + HEAD_ONLY:,}" in PAGE
    assert (round(metric["base"], 3), round(metric["head"], 3)) == (0.894, 0.889)
    for value in (gate["estimate"], gate["low"], gate["high"]):
        assert f"{value:+.4f}" in PAGE
    assert gate["verdict"] == comparison["verdict"] == "inconclusive"
    assert f"paired standard error is {metric['se']:.4f}" in PAGE
    apart = sum(one * (1 - one) / ROWS for one in (metric["base"], metric["head"])) ** 0.5
    assert f"{apart:.4f}, three times as much" in PAGE
    assert (round(apart / metric["se"]), round((apart / metric["se"]) ** 2)) == (3, 9)
    ends = [metric["difference"] + way * 1.96 * apart for way in (-1, 1)]
    assert f"from {ends[0]:+.3f} to {ends[1]:+.3f}" in PAGE


def test_what_the_terminal_says_is_on_the_page(tmp_path: Path) -> None:
    said = " ".join(compared(tmp_path).replace("−", "-").split())
    block = PAGE[PAGE.index("? head: too few rows") :].partition("```")[0]
    assert " ".join(block.split()) in said


def test_where_it_would_pass_and_where_it_would_fail(tmp_path: Path) -> None:
    assert "Were main alone right on 20 rows, not 23, it would **pass**; on 48" in PAGE
    verdicts = [
        json.loads(compared(tmp_path, rows, "--json"))["verdict"] for rows in (20, 21, 47, 48)
    ]
    assert verdicts == ["pass", "inconclusive", "inconclusive", "fail"]


def shown() -> list[str]:
    """The comparisons of two files that pages show."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    texts = [page.read_text("utf-8") for page in pages]
    found = re.findall(
        r"^mlops-ci (compare base\.csv head\.csv.*)$", "\n".join(texts), re.MULTILINE
    )
    return sorted(set(found))


@pytest.mark.parametrize("arguments", shown())
def test_every_comparison_on_a_page_runs(
    tmp_path: Path, arguments: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    for name, gap in (("base", 1.0), ("head", 1.1)):
        rng = random.Random(name)
        lines = ["id,label,prediction,score"]
        for row in range(400):
            score = 1 / (1 + math.exp(-gap * (2 * (row % 2) - 1) + rng.gauss(0, 1)))
            lines.append(f"{row},{row % 2},{int(score >= 0.5)},{score:.6f}")
        (tmp_path / f"{name}.csv").write_text("\n".join([*lines, ""]))
    monkeypatch.chdir(tmp_path)
    assert len(shown()) > 1
    assert run_program(arguments.split()) in (0, 1)
    assert "95 %" in capsys.readouterr().out
