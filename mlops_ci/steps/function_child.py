"""Asks a user's function f(y, prediction) for its values, in the user's own Python.

`python function_child.py FOLDER` reads `plan.json` and the arrays beside it, and writes
`answer.json`. It imports nothing of ours, and is read by whatever Python the project has.
"""

from __future__ import annotations

import importlib.util
import inspect
import json
import math
import os
import sys
import time
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
        # Mapped: of many rows only what the function is given is copied.
        places = {name: os.path.join(folder, f"{name}.npy") for name in plan["arrays"]}  # noqa: PTH118
        arrays = {name: np.load(place, mmap_mode="r") for name, place in places.items()}
        began, each = time.monotonic(), plan["seconds"] / max(len(plan["functions"]), 1)
        told = [
            answer(one, plan, arrays, began + each * at)
            for at, one in enumerate(plan["functions"], 1)
        ]
    with open(os.path.join(folder, "answer.json"), "w", encoding="utf-8") as file:  # noqa: PTH118, PTH123
        json.dump(told, file)
    return 0


def answer(
    one: dict[str, str], plan: dict[str, Any], arrays: dict[str, Any], ends: float = math.inf
) -> dict[str, Any]:
    """Of one function: for each part of the rows and each side, its value on all of the part and
    then without one block after the other; `drawn`: on the part's rows drawn anew, or None.
    `ends`: until when; who is not done then is refused, so that time decides about no interval."""
    try:
        function = load(one["path"], one["name"])
        asking = Asking(function, plan, arrays, asked_by(function, arrays), ends)
        parts = [values_of(asking, part) for part in plan["parts"]]
        drawn = drawn_of(asking)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return {"refused": said(error)}
    return {"parts": parts, "drawn": drawn}


class OutOfTime(BaseException):
    """Not for the function's own `except Exception` to catch, nor for that of its draws."""


class Asking:
    """A function and the rows that it is asked about. `more`: what it asks for beside labels and
    predictions; `ends`: when its time is over."""

    def __init__(
        self,
        function: Any,
        plan: dict[str, Any],
        arrays: dict[str, Any],
        more: list[str],
        ends: float = math.inf,
    ) -> None:
        self.function, self.plan, self.arrays, self.more = function, plan, arrays, more
        self.ends = ends

    def about(self, side: str, rows: Any) -> float:
        import numpy as np

        if time.monotonic() > self.ends:
            raise OutOfTime(
                f"all functions together have {self.plan['seconds']:.0f} s, and its share is over: "
                "give the model a longer `timeout: SECONDS`"
            )
        arrays, asked = self.arrays, {}
        for one in self.more:
            named = arrays.get("weight" if one == "weight" else f"{side}_score")
            if named is None and one == "score":
                raise TypeError("there is no score")
            asked[one] = None if named is None else named[rows]
        given = arrays["y"][rows], arrays[f"{side}_prediction"][rows]
        if "weight" in asked and asked["weight"] is None:
            asked["weight"] = np.ones(len(given[0]))
        return float(self.function(*given, **asked))

    def chosen(self, part: Any) -> Any:
        """The part's rows [n] that weigh anything."""
        import numpy as np

        weight, n = self.arrays.get("weight"), len(self.arrays["y"])
        chosen = np.ones(n, dtype=bool) if part is None else self.arrays["slices"][part]
        return chosen if weight is None else chosen & (weight > 0)


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


def values_of(asking: Asking, part: Any) -> list[list[float]]:
    import numpy as np

    block, chosen = asking.arrays["block"], asking.chosen(part)
    left_out = [None, *np.unique(block[chosen]).tolist()]
    values: list[list[float]] = []
    for side in asking.plan["sides"]:
        found = []
        for number in left_out:
            rows = chosen if number is None else chosen & (block != number)
            value = asking.about(side, rows)
            if number is None:
                again = asking.about(side, rows)
                if again != value and not (again != again and value != value):  # noqa: PLR0124
                    raise ValueError("it gives two values for the same rows: seed what is random")
            found.append(value)
        values.append(found)
    return values


def drawn_of(asking: Asking) -> list[Any]:
    """Of each part by side its values on draws, or None: of many rows, where a draw has no value,
    and where there are many parts of any but all rows. How long calls take decides nothing."""
    plan, found = asking.plan, []
    for part in plan["parts"]:
        chosen = asking.chosen(part)
        is_asked = part is None or len(plan["parts"]) <= plan["most_parts"]
        is_few = chosen.sum() < plan["most_rows"]
        found.append(values_drawn(asking, chosen) if is_asked and is_few else None)
    return found


def values_drawn(asking: Asking, chosen: Any) -> list[list[float]] | None:
    """The same draws for every side."""
    import numpy as np

    rows = np.flatnonzero(chosen)
    places, place = np.unique(asking.arrays["place"][rows], return_inverse=True)
    values: list[list[float]] = []
    try:
        for number in range(asking.plan["draws"]):
            again = np.repeat(rows, times_drawn(len(places), number)[place.reshape(-1)])
            values.append([asking.about(side, again) for side in asking.plan["sides"]])
    except Exception:  # noqa: BLE001 - a sample that it has no value for; of the rows it has
        return None
    return [list(side) for side in zip(*values)]  # noqa: B905 - an old Python knows no strict


def times_drawn(count: int, number: int) -> Any:
    """How often each of `count` is among as many that are drawn, the `number`th time [count]. By
    SplitMix64 (Steele, Lea & Flood 2014), whatever numpy's version.
    """
    import numpy as np

    first = np.uint64(number) << np.uint64(32)
    z = (np.arange(1, count + 1, dtype=np.uint64) + first) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return np.bincount((z % np.uint64(max(count, 1))).astype(np.int64), minlength=count)


def said(error: BaseException) -> str:
    words = " ".join(str(error).split())
    if isinstance(error, OutOfTime):
        return words
    return f"{type(error).__name__}: {words}"[:WORDS]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
