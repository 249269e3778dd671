"""YAML as plain data that remembers its lines; duplicate keys and bombs are refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from mlops_ci.errors import ConfigError

Path = tuple[str | int, ...]
MAX_NODES = 100_000
PLAIN = "write numbers, text, lists and tables alone, without `!` tags"
MAX_DEPTH = 64


class _Loader(yaml.SafeLoader):
    """Reads `1e-3` as the number that YAML 1.2, JSON and every reader take it for."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+[eE][-+]?[0-9]+$"), list("-+0123456789")
)


class Document:
    """Plain data, and the 1-based line of every key and item by its path."""

    def __init__(self, data: Any, lines: dict[Path, int], name: str) -> None:
        self.data = data
        self.lines = lines
        self.name = name

    def where(self, path: Path) -> str:
        """`mlops-ci.yaml line 7, models.churn.gates`, with the nearest known line."""
        known = (path[:n] for n in range(len(path), 0, -1) if path[:n] in self.lines)
        line = next((self.lines[prefix] for prefix in known), 0)
        place = f"{self.name} line {line}" if line else self.name
        return f"{place}, {format_path(path)}" if path else place


def format_path(path: Path) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(parts).lstrip(".")


def read_yaml(text: str, name: str) -> Document:
    """Raises ConfigError with file, line and column for anything that is not plain YAML."""
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(
            f"{name} is not valid YAML: {error.problem}",
            where=f"{name}{line}",
            fix="look for a missing colon, a tab, or an unclosed quote on that line or above it",
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(
            f"{name} is not valid YAML: {error}",
            where=name,
            fix="write it as plain text in UTF-8, with few levels",
        ) from error
    reader = _Reader(name)
    data = reader.read(node, ()) if node is not None else None
    return Document(data, reader.lines, name)


class _Reader:
    def __init__(self, name: str) -> None:
        self.name = name
        self.lines: dict[Path, int] = {}
        self._scalars = _Loader("")
        self._nodes = 0

    def read(self, node: yaml.Node, path: Path) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES or len(path) > MAX_DEPTH:
            raise ConfigError(
                f"{self.name} is too large or too deeply nested",
                where=f"{self.name} line {node.start_mark.line + 1}",
                fix=f"keep it under {MAX_NODES:,} values and {MAX_DEPTH} levels (aliases count)",
            )
        self.lines.setdefault(path, node.start_mark.line + 1)
        if node.tag.startswith(("!", "tag:yaml.org,2002:python")):
            raise ConfigError(
                f"{self.name} holds a value that is not plain YAML: {node.tag}",
                where=f"{self.name} line {node.start_mark.line + 1}",
                fix=PLAIN,
            )
        if isinstance(node, yaml.MappingNode):
            return dict(self._items(node, path))
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*path, i)) for i, item in enumerate(node.value)]
        try:
            return self._scalars.construct_object(node, deep=True)
        except yaml.MarkedYAMLError as error:
            raise ConfigError(
                f"{self.name} holds a value that is not plain YAML: {error.problem}",
                where=f"{self.name} line {node.start_mark.line + 1}",
                fix=PLAIN,
            ) from error
        except (ValueError, LookupError, AttributeError) as error:  # `2020-99-99`, `!!int x`
            raise ConfigError(
                f"{self.name} holds a value that cannot be what it looks like: {error}",
                where=f"{self.name} line {node.start_mark.line + 1}",
                fix="put it in quotes if it is text",
            ) from error

    def _items(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[str, Any]]:
        seen: set[str] = set()
        for key_node, value_node in node.value:
            key = str(key_node.value)
            line = key_node.start_mark.line + 1
            if key in seen:
                raise ConfigError(
                    f"the key {key!r} stands twice",
                    where=f"{self.name} line {line}, {format_path((*path, key))}",
                    fix="keep one of the two; YAML would silently drop the first",
                )
            seen.add(key)
            self.lines[(*path, key)] = line
            yield key, self.read(value_node, (*path, key))
