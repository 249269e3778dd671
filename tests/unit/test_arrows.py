"""The house's arrows: a room imports only rooms below it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "mlops_ci"

# From top to bottom; a room may import rooms of lower floors, and itself.
FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"__main__"}),
    frozenset({"cli", "action"}),
    frozenset({"plan"}),
    frozenset({"steps"}),
    frozenset(
        {"baseline", "report", "images", "engines", "targets", "trackers", "alerts", "github"}
    ),
    frozenset({"verdict", "data", "project"}),
    frozenset({"git"}),
    frozenset({"records"}),
    frozenset({"config"}),
    frozenset({"options", "errors", "world", "lazy", "__init__"}),
    frozenset({"value"}),
)
# Rooms of one floor that lean on each other, one way.
WITHIN_FLOOR = {
    ("data", "verdict"),
    ("steps", "steps.requests"),
    ("images", "serve"),
    ("targets", "images"),
    ("targets", "serve"),
}
VERDICT_MAY_IMPORT = {"numpy", "scipy"}
HEAVY = {"mlflow", "dvc", "sklearn", "matplotlib", "docker", "duckdb", "scipy", "github", "rich"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> Iterator[tuple[str, bool]]:
    """Every imported module, and whether it is imported at the top of the file."""
    tree = ast.parse(path.read_text("utf-8"))
    top = set(tree.body)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node in top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, node in top


def floor_of(room: str) -> int:
    return next(n for n, rooms in enumerate(FLOORS) if room in rooms)


def allowed(room: str, target: str) -> bool:
    if target in {room, "__init__"} or (room, target) in WITHIN_FLOOR:
        return True
    return floor_of(target) > floor_of(room)


def test_arrows_point_down() -> None:
    wrong = []
    for path in modules():
        room = room_of(path)
        for name, _ in imports_of(path):
            if name.split(".")[0] != "mlops_ci":
                continue
            parts = name.split(".")
            target = parts[1] if len(parts) > 1 else "__init__"
            if room == "serve" and target != "serve":
                wrong.append(f"{path.relative_to(PACKAGE)} → {name}: serve imports nothing of ours")
            elif room != "serve" and not allowed(room, target):
                wrong.append(f"{path.relative_to(PACKAGE)} → {name}")
    assert wrong == []


def test_relative_imports_are_not_used() -> None:
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            assert not (isinstance(node, ast.ImportFrom) and node.level), path


def test_the_verdict_is_pure_mathematics() -> None:
    import sys

    for path in modules():
        if room_of(path) != "verdict":
            continue
        for name, _ in imports_of(path):
            package = name.split(".")[0]
            known = package in VERDICT_MAY_IMPORT | {"mlops_ci"}
            assert known or package in sys.stdlib_module_names, f"{path}: {name}"


def test_heavy_libraries_are_imported_where_they_are_used() -> None:
    for path in modules():
        for name, top in imports_of(path):
            package = name.split(".")[0]
            if path.name == "github" or room_of(path) == "serve":
                continue
            assert not (top and package in HEAVY), f"{path}: {name}"


def test_only_github_knows_github() -> None:
    for path in modules():
        for name, _ in imports_of(path):
            if name.split(".")[0] == "github":
                assert room_of(path) == "github", path
