"""Every example that a reader may paste is read by the code that would read it."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from mlops_ci.cli.program import COMMANDS
from mlops_ci.config import parse_config
from mlops_ci.git import FETCH_DEPTH

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


LINES = [
    (page, line)
    for page, text in blocks("bash")
    for line in text.replace("\\\n", " ").splitlines()
    if line.startswith("mlops-ci ")
]


@pytest.mark.parametrize(("page", "line"), LINES)
def test_commands_have_the_options_that_are_shown(page: str, line: str) -> None:
    _, name, *arguments = shlex.split(line, comments=True)
    command = importlib.import_module(f"mlops_ci.cli.{name}").command
    assert command.make_context(name, arguments), page


PYTHON = blocks("python")


@pytest.mark.parametrize(("page", "text"), PYTHON)
def test_python_is_valid_and_what_it_imports_of_ours_is_there(page: str, text: str) -> None:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mlops_ci"):
            module = importlib.import_module(str(node.module))
            assert all(hasattr(module, one.name) for one in node.names), page


def test_the_function_on_the_page_is_a_number() -> None:
    (text,) = [text for _, text in PYTHON if text.startswith("def profit")]
    place: dict[str, Any] = {}
    exec(text, place)
    label, said = np.array([1, 1, 0, 0]), np.array([1, 0, 1, 0])
    assert place["profit"](label, said) == pytest.approx(40 / 4 - 5 / 2)


def test_the_call_on_the_page_fits_what_counts_in_spark() -> None:
    (text,) = [text for _, text in PYTHON if "aggregate_spark(" in text]
    (call,) = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "aggregate_spark"
    ]
    from mlops_ci.data.spark import aggregate_spark

    inspect.signature(aggregate_spark).bind(
        *call.args, **{str(one.arg): 0 for one in call.keywords}
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def places(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_a_heading(page: Path) -> None:
    for target, place in re.findall(r"\]\(([\w./-]*)#([^)\s]+)\)", page.read_text("utf-8")):
        there = (page.parent / target) if target else page
        assert place in places(there), f"{page.name}: {target}#{place}"


def test_the_cure_of_a_shallow_clone_is_the_same_everywhere() -> None:
    said = yaml.safe_load(FETCH_DEPTH.partition("\n")[2])
    page = (ROOT / "docs/errors.md").read_text("utf-8")
    assert said in [yaml.safe_load(text) for _, text in BLOCK.findall(page)]


def test_links_of_errors_lead_to_a_heading() -> None:
    found = [
        (module.name, *link)
        for module in sorted((ROOT / "mlops_ci").rglob("*.py"))
        for link in re.findall(r"\{DOCS\}/(\w+\.md)(?:#([\w-]+))?", module.read_text("utf-8"))
    ]
    assert len(found) > 10
    for module, target, place in found:
        there = ROOT / "docs" / target
        assert there.exists(), module
        assert not place or place in places(there), f"{module}: {target}#{place}"


CONFIG = (ROOT / "docs/config.md").read_text("utf-8")
CODE = "\n".join(
    [*re.findall(r"`([^`\n]+)`", CONFIG), *(text for _, text in BLOCK.findall(CONFIG))]
)
SCHEMA = json.loads((ROOT / "schemas/config.json").read_text("utf-8"))["$defs"]


def choices(value: Any) -> Iterator[str]:
    """Words that one key may have for a value, wherever in its schema."""
    if isinstance(value, dict):
        yield from (one for one in value.get("enum", ()) if isinstance(one, str))
        for inside in value.values():
            yield from choices(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from choices(inside)


@pytest.mark.parametrize(
    ("table", "key"), [(table, key) for table, told in SCHEMA.items() for key in told["properties"]]
)
def test_every_key_of_the_configuration_is_told_and_every_choice(table: str, key: str) -> None:
    for word in (key, *choices(SCHEMA[table]["properties"][key])):
        assert re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", CODE), word


@pytest.mark.parametrize(
    ("heading", "table"), [("## One model", "Model"), ("## The whole file", "Config")]
)
def test_the_tables_of_keys_have_no_key_that_is_not_read(heading: str, table: str) -> None:
    section = CONFIG[CONFIG.index(heading) + 3 :].partition("\n## ")[0]
    told = re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE)
    assert len(told) == len(set(told))
    assert {*told} <= {*SCHEMA[table]["properties"]}
    assert {*SCHEMA[table]["properties"]} - {*told} <= {"price", "models"}
