"""The user's own metrics: base's where base has them, for the yardstick is base's."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_ci.config import Function
from mlops_ci.errors import DOCS, ConfigError
from mlops_ci.plan.base_search import Search
from mlops_ci.project import Project
from mlops_ci.steps.tree import CommitTree, Tree, WorkTree
from mlops_ci.verdict.names import known_metric

if TYPE_CHECKING:
    from mlops_ci.steps.functions import Functions


def functions_of(
    project: Project, name: str, search: Search | None
) -> tuple[Functions | None, tuple[str, ...]]:
    """None when there are none; and what head changes in them, in words.

    Raises ConfigError for a name that is a metric's already.
    """
    model = project.model(name)
    theirs: dict[str, Function] = {}
    there: Tree = WorkTree(project)
    if search is not None and not search.settings.adopted:
        theirs, there = search.settings.model.functions, CommitTree(project, search.base.commit)
    for metric in (*theirs, *model.functions):
        _refuse_taken(metric)
    if not theirs and not model.functions:
        return None, ()
    from mlops_ci.steps.functions import Asked, Functions

    asked = [Asked(metric, one, there) for metric, one in theirs.items()]
    asked += [
        Asked(metric, one, WorkTree(project))
        for metric, one in model.functions.items()
        if metric not in theirs
    ]
    changes = tuple(_changes(theirs, model.functions, (there, WorkTree(project))))
    return Functions(project, name, asked), changes


def function_keys(functions: Functions | None) -> dict[str, str]:
    """By name a key for its values in the store: those of another text of it are other numbers."""
    asked = () if functions is None else functions.asked
    found = {}
    for one in asked:
        content = one.tree.read(one.function.function.partition(":")[0]) or b""
        told = f"{one.function.function}\0{one.function.better}\0".encode() + content
        found[one.name] = f"{one.name}@{hashlib.sha256(told).hexdigest()[:12]}"
    return found


def _changes(
    theirs: dict[str, Function], ours: dict[str, Function], trees: tuple[Tree, Tree]
) -> Iterator[str]:
    for metric, one in theirs.items():
        other = ours.get(metric)
        if other is None:
            yield f"the function {metric} is removed; it counts until the merge"
            continue
        file = one.function.partition(":")[0]
        if one != other or trees[0].read(file) != trees[1].read(file):
            yield f"the function {metric} is changed; base's counts until the merge"


def _refuse_taken(metric: str) -> None:
    if known_metric(metric) is not None:
        raise ConfigError(
            f"functions: {metric!r} is the name of a metric of ours",
            fix=f"give the function a name of its own, such as `my_{metric}`",
            link=f"{DOCS}/config.md#functions-of-your-own",
        )
