"""What one format of another tool is, said once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

from mlops_ci.value import Value

Carrier = Literal["document", "part", "columns", "folder"]
Row = dict[str, Any]
Named = tuple[str, Any]


class Foreign(Value, frozen=True):
    """`carrier`: what the functions are given. `document`: the content of a JSON file. `part`: a
    table in a metrics file, at any depth. `columns`: `recognise` gets the names of a Parquet file's
    columns, `numbers` its path. `folder`: a path.

    `recognise` says by what the format was told, or None. Exactly one of `rows` and `numbers` is
    there; a value of `numbers` may be anything, and is refused later where it is no number.
    `marker`, a regular expression, is found in the first (Parquet: last) 64 KiB of every such file;
    it is looked for first, so that nothing large is parsed in vain.
    """

    name: str
    carrier: Carrier
    recognise: Callable[[Any], str | None]
    marker: str = ""
    rows: Callable[[Any], Iterable[Row]] | None = None
    numbers: Callable[[Any], Iterable[Named]] | None = None
