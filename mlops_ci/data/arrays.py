"""The arrays that a struct holds, whatever its fields are: one entry a row in each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mlops_ci.data.keys import Rows
from mlops_ci.verdict.rows import Mask

T = TypeVar("T")


def arrays_of(value: object) -> list[NDArray[Any]]:
    """In the order in which `with_arrays` takes them."""
    found: list[NDArray[Any]] = []

    def note(array: NDArray[Any]) -> NDArray[Any]:
        found.append(array)
        return array

    _each(value, note)
    return found


def with_arrays(value: T, arrays: Iterable[NDArray[Any]]) -> T:
    """The same struct of other rows."""
    others = iter(arrays)
    return _each(value, lambda _: next(others))


def part_of(value: T, rows: Rows | Mask) -> T:
    return _each(value, lambda array: array[rows])


def _each(value: T, work: Callable[[NDArray[Any]], NDArray[Any]]) -> T:
    found: Any = value
    if isinstance(value, np.ndarray):
        found = work(value)
    elif isinstance(value, tuple):
        found = tuple(_each(one, work) for one in value)
    elif isinstance(value, Mapping):
        found = {name: _each(one, work) for name, one in value.items()}
    elif is_dataclass(value) and not isinstance(value, type):
        parts = {one.name: _each(getattr(value, one.name), work) for one in fields(value)}
        found = replace(value, **parts)
    return found  # type: ignore[no-any-return]
