"""Records are frozen: a changed one is a new one. (The library's own `replace` is not imported
here: this room keeps to numpy, scipy.special and the standard library.)
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, TypeVar


class Struct(Protocol):
    __struct_fields__: ClassVar[tuple[str, ...]]


Record = TypeVar("Record", bound=Struct)


def fields_of(record: Struct) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__struct_fields__}


def replaced(record: Record, **changes: Any) -> Record:
    return type(record)(**{**fields_of(record), **changes})
