"""What is read and handed on, and never changed: by attributes, compared by what it holds.

A struct, as the records are. A command defines dozens of such classes before it starts, and to
define a frozen dataclass of the standard library takes ten times as long: it is written as text,
and compiled. `msgspec.structs.replace` makes a changed one.
"""

from __future__ import annotations

from msgspec import Struct, field

__all__ = ["Value", "field"]


class Value(Struct, frozen=True):
    """`class Point(Value, frozen=True)`: type checkers want it said again."""
