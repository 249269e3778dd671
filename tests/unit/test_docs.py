"""Every example that a reader may paste is read by the code that would read it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from mlops_ci.cli.program import COMMANDS
from mlops_ci.config import parse_config

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[tuple[str, str]]:
    return [
        (page.name, text)
        for page in PAGES
        for kind, text in BLOCK.findall(page.read_text("utf-8"))
        if kind == language
    ]


@pytest.mark.parametrize(("page", "text"), blocks("yaml"))
def test_yaml_is_valid_and_configurations_are_read(page: str, text: str) -> None:
    data = yaml.safe_load(text)
    assert data, page
    if isinstance(data, dict) and "models" in data:
        assert parse_config(text).models


@pytest.mark.parametrize(("page", "text"), blocks("bash"))
def test_commands_exist(page: str, text: str) -> None:
    for name in re.findall(r"^mlops-ci (\w+)", text, re.MULTILINE):
        assert name in COMMANDS, page
    targets = (ROOT / "Makefile").read_text("utf-8")
    for name in re.findall(r"^make (\w+)", text, re.MULTILINE):
        assert re.search(rf"^{name}:", targets, re.MULTILINE), page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name}: {target}"
