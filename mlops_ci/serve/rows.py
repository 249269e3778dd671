"""The rows of one request, as a model takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Rows:
    """Either `array`, whose first axis is the row, or `columns`: one 1-D array per name.

    `names` belong to the columns, or to the second axis of a 2-D array; None: unnamed.
    """

    names: tuple[str, ...] | None = None
    array: Array | None = None
    columns: tuple[Array, ...] | None = None

    def __len__(self) -> int:
        if self.array is not None:
            return len(self.array)
        return len(self.columns[0]) if self.columns else 0

    @property
    def kind(self) -> tuple[Any, ...]:
        """Rows of equal kind can be joined without changing any value."""
        if self.array is not None:
            return (self.names, self.array.dtype, self.array.shape[1:])
        return (self.names, *(column.dtype for column in self.columns or ()))

    def frame(self) -> Any:
        """A pandas DataFrame; a plain array where pandas is not installed or nothing is named."""
        if self.names is None and self.array is not None:
            return self.array
        try:
            import pandas as pd
        except ImportError:
            return self.matrix()
        if self.array is not None:
            return pd.DataFrame(self.array, columns=_index(self.names), copy=False)
        names = self.names or tuple(str(n) for n in range(len(self.columns or ())))
        return pd.DataFrame(dict(zip(names, self.columns or (), strict=True)))

    def matrix(self) -> Array:
        if self.array is not None:
            return self.array
        return np.column_stack(self.columns or ())


_indexes: dict[tuple[str, ...], Any] = {}


def _index(names: tuple[str, ...] | None) -> Any:
    """An Index is dear to build; a model has few sets of column names."""
    import pandas as pd

    if names is None:
        return None
    if names not in _indexes:
        if len(_indexes) > 64:
            _indexes.clear()
        _indexes[names] = pd.Index(names)
    return _indexes[names]


def join_rows(parts: Sequence[Rows]) -> Rows:
    """Rows of equal kind, one after the other."""
    first = parts[0]
    if len(parts) == 1:
        return first
    if first.array is not None:
        arrays = [part.array for part in parts if part.array is not None]
        return Rows(first.names, array=np.concatenate(arrays))
    columns = zip(*(part.columns or () for part in parts), strict=True)
    return Rows(first.names, columns=tuple(np.concatenate(column) for column in columns))
