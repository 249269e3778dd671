"""Whoever doubts an interval finds its paper: the table in the docs and the modules name the same."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from mlops_ci.verdict.history import RESOURCES
from mlops_ci.verdict.names import METRICS

ROOT = Path(__file__).parents[3]
DOCS = (ROOT / "docs/statistics.md").read_text()
SECTION = DOCS[DOCS.index("## Where the intervals come from") :]
SECTION = SECTION[: SECTION.index("\n## ", 5)]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in SECTION.splitlines()
    if line.startswith("| ") and not line.startswith(("| metric", "| what it meets"))
]
AVERAGES = re.compile("_(macro|weighted|micro)$")
# Whose interval is another's: a reader is sent there.
ESTIMATORS = (
    "calibration", "clusters", "confusion", "decomposition", "distances", "fairness", "functions",
    "gates", "history", "influence", "intervals", "judging", "losses", "means", "moments", "moved",
    "multiclass", "multiplicity", "perturbation", "precision", "queries", "ranking", "scarcity",
    "seeds", "shared", "summed", "units", "weak", "weights",
)  # fmt: skip


def source(module: str) -> str:
    """Without line breaks within sentences."""
    return " ".join((ROOT / "mlops_ci/verdict" / module).read_text().split())


@pytest.mark.parametrize("name", [*METRICS, *RESOURCES, "leakage"])
def test_every_metric_has_its_line(name: str) -> None:
    first = " ".join(row[0] for row in ROWS)
    assert f"`{name}`" in first or (
        AVERAGES.search(name) and "averages such as `f1_macro`" in first
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:30])
def test_its_papers_stand_in_its_module(row: list[str]) -> None:
    papers, modules = row[-2], re.findall(r"`([^`]+)`", row[-1])
    if not papers:
        return
    told = " ".join(map(source, modules))
    for paper in papers.split("; "):
        *authors, year = paper.split()
        if not year.isdigit():
            authors, year = [*authors, year], ""
        assert authors[0] in told, paper
        near = re.search(rf"{re.escape(authors[0])}\b.{{0,80}}{year}", told)
        assert near is not None, paper


@pytest.mark.parametrize("module", ESTIMATORS)
def test_every_estimator_names_a_paper(module: str) -> None:
    tree = ast.parse((ROOT / f"mlops_ci/verdict/{module}.py").read_text())
    said = [ast.get_docstring(tree) or ""]
    said += [
        ast.get_docstring(node) or ""
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]
    assert re.search(r"[A-Z][a-zé]+.{0,60}(18|19|20)\d\d", " ".join(said), re.DOTALL), module


# Printed before anybody numbered papers: the journal, or the memorandum, has to do.
UNNUMBERED = {"Kolmogorov", "Jaeckel", "Minkowski", "Hájek", "Dantzig"}
CITED = re.compile(
    r"\b([A-Z][\w-]+)(?:'s)?(?:,? (?:&|and) [A-Z][\w-]+| et al\.)? \(?((?:18|19|20)\d\d)\b"
)
NUMBER = re.compile(r"doi:10\.\d{4,}/\S|arXiv:\d{4}\.\d{4,5}|ISBN 97[89][\d-]{14}|https://\S")
EVERYWHERE = {path: source(path.relative_to(ROOT / "mlops_ci/verdict").as_posix())
              for path in sorted((ROOT / "mlops_ci/verdict").rglob("*.py"))}  # fmt: skip


def cited() -> dict[tuple[str, str], set[str]]:
    """By (author, year) the modules that name the paper."""
    found: dict[tuple[str, str], set[str]] = {}
    for path, text in EVERYWHERE.items():
        for match in CITED.finditer(text):
            found.setdefault((match[1], match[2]), set()).add(path.name)
    return found


@pytest.mark.parametrize(("author", "year"), sorted(cited()))
def test_every_paper_can_be_fetched(author: str, year: str) -> None:
    """Somewhere its name is followed by a number that leads to it."""
    if author in UNNUMBERED:
        return
    near = re.compile(rf"\b{author}\b.{{0,60}}?{year}(.{{0,300}})")
    follows = [match[1] for text in EVERYWHERE.values() for match in near.finditer(text)]
    assert any(NUMBER.search(one) for one in follows), cited()[author, year]


def test_the_papers_are_found_at_all() -> None:
    papers = cited()
    assert {("DeLong", "1988"), ("Tango", "1998"), ("Hall", "1992")} <= papers.keys()
    assert len(papers) > 50
