"""Asks a user's function f(y, prediction) for its values, in the user's own Python.

`python function_child.py FOLDER` reads `plan.json` and the arrays beside it, and writes
`answer.json`. It imports nothing of ours, and is read by whatever Python the project has.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import sys
from typing import Any

WORDS = 300
MORE = ("score", "weight")


def main(folder: str) -> int:
    # The project's folder, and not the one with this file in it.
    sys.path[0] = os.getcwd()  # noqa: PTH109
    with open(os.path.join(folder, "plan.json"), encoding="utf-8") as file:  # noqa: PTH118, PTH123
        plan = json.load(file)
    told: list[Any] = []
    try:
        import numpy as np
    except ImportError as error:
        told = [{"refused": said(error)}] * len(plan["functions"])
    else:
        arrays = {name: np.load(os.path.join(folder, f"{name}.npy")) for name in plan["arrays"]}  # noqa: PTH118
        told = [answer(one, plan, arrays) for one in plan["functions"]]
    with open(os.path.join(folder, "answer.json"), "w", encoding="utf-8") as file:  # noqa: PTH118, PTH123
        json.dump(told, file)
    return 0


def answer(one: dict[str, str], plan: dict[str, Any], arrays: dict[str, Any]) -> dict[str, Any]:
    """Of one function: for each part of the rows and each side, its value on all of the part and
    then without one block after the other."""
    try:
        function = load(one["path"], one["name"])
        more = asked_by(function, arrays)
        parts = [values_of(function, plan, arrays, part, more) for part in plan["parts"]]
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return {"refused": said(error)}
    return {"parts": parts}


def asked_by(function: Any, arrays: dict[str, Any]) -> list[str]:
    found = [one for one in MORE if one in inspect.signature(function).parameters]
    if "weight" in arrays and "weight" not in found:
        raise TypeError("rows have weights: give the function a parameter `weight`")
    return found


def load(path: str, name: str) -> Any:
    found = importlib.util.spec_from_file_location("mlops_ci_function", path)
    if found is None or found.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module
    found.loader.exec_module(module)
    return getattr(module, name)


def values_of(
    function: Any,
    plan: dict[str, Any],
    arrays: dict[str, Any],
    part: Any,
    more: list[str],
) -> list[list[float]]:
    """`more`: what the function asks for beside labels and predictions."""
    import numpy as np

    block = arrays["block"]
    weight = arrays.get("weight", np.ones(len(block)))
    chosen = np.ones(len(block), dtype=bool) if part is None else arrays["slices"][part]
    chosen = chosen & (weight > 0)
    left_out = [None, *np.unique(block[chosen]).tolist()]
    values: list[list[float]] = []
    for side in plan["sides"]:
        found = []
        named = {"score": arrays.get(f"{side}_score"), "weight": weight}
        if any(named[one] is None for one in more):
            raise TypeError("there is no score")
        for number in left_out:
            rows = np.flatnonzero(chosen if number is None else chosen & (block != number))
            given = (arrays["y"][rows], arrays[f"{side}_prediction"][rows])
            asked = {one: named[one][rows] for one in more}
            value = float(function(*given, **asked))
            if number is None:
                again = float(function(*given, **asked))
                if again != value and not (again != again and value != value):  # noqa: PLR0124
                    raise ValueError("it gives two values for the same rows: seed what is random")
            found.append(value)
        values.append(found)
    return values


def said(error: BaseException) -> str:
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}"[:WORDS]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
