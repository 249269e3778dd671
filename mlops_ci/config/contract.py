"""`contract:` of a model: what a data file must be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

from mlops_ci.config.setting import Setting

Dtype = Literal[
    "integer", "number", "text", "boolean", "date", "timestamp",
    "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64",
]  # fmt: skip
TermKind = Literal[
    "dtype", "max-null", "min", "max", "values", "unique", "rows-min", "rows-max",
    "rows-max-change", "schema",
]  # fmt: skip
Value = str | int | float | bool
Bound = float | date

Share = Annotated[float, Meta(ge=0, le=1)]
NonNegative = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]


class Column(Setting, frozen=True):
    """What one column holds. `max_null`: the share of rows without a value. `min`, `max` are
    inclusive, of numbers or of days; what is no number is outside. Of a missing value only
    `max_null` speaks.
    """

    dtype: Dtype | None = None
    max_null: Share | None = None
    min: Bound | None = None
    max: Bound | None = None
    values: Annotated[list[Value], Meta(min_length=1)] | None = None
    unique: bool = False


class Rows(Setting, frozen=True):
    """How many rows. `max_change`: against base's file, as a part of base's rows, up and down."""

    min: Count | None = None
    max: Count | None = None
    max_change: NonNegative | None = None


class Contract(Setting, frozen=True):
    """One file; None: the predictions file. `unique`: columns that together name a row. `schema`:
    one of pandera's, `schema.py:Schema` or its YAML form."""

    file: str | None = None
    columns: dict[str, Column] = {}
    rows: Rows | None = None
    unique: list[str] = []
    schema: str | None = None
    required: bool = True


class Term(Struct, frozen=True, kw_only=True):
    """One promise of a contract. `column` None: of the whole file; several columns are parted by
    a comma and a blank. `limit` is what `kind` says: a bound, a share, a count."""

    file: str | None
    kind: TermKind
    column: str | None = None
    limit: Bound | None = None
    allowed: tuple[Value, ...] = ()
    columns: tuple[str, ...] = ()
    required: bool = True
    spec: str | None = None


def expand_contract(contract: Contract | Sequence[Contract]) -> tuple[Term, ...]:
    """The terms one by one, in the order in which they are written."""
    every = [contract] if isinstance(contract, Contract) else contract
    return tuple(dict.fromkeys(term for one in every for term in _terms_of(one)))


def _terms_of(contract: Contract) -> Iterator[Term]:
    file, required = contract.file, contract.required
    rows = contract.rows or Rows()
    counts: dict[TermKind, float | None] = {
        "rows-min": rows.min, "rows-max": rows.max, "rows-max-change": rows.max_change,
    }  # fmt: skip
    for kind, limit in counts.items():
        if limit is not None:
            yield Term(file=file, kind=kind, limit=float(limit), required=required)
    if contract.unique:
        key = tuple(contract.unique)
        name = ", ".join(key)
        yield Term(file=file, kind="unique", column=name, columns=key, required=required)
    for name, column in contract.columns.items():
        yield from _terms_of_column(contract, name, column)
    if contract.schema is not None:
        yield Term(file=file, kind="schema", spec=contract.schema, required=required)


def _terms_of_column(contract: Contract, name: str, column: Column) -> Iterator[Term]:
    file, required, columns = contract.file, contract.required, (name,)
    bounds: dict[TermKind, Bound | None] = {
        "max-null": column.max_null, "min": column.min, "max": column.max,
    }  # fmt: skip

    def term(kind: TermKind, limit: Bound | None = None, allowed: tuple[Value, ...] = ()) -> Term:
        return Term(
            file=file, kind=kind, column=name, columns=columns, required=required, limit=limit,
            allowed=allowed,
        )  # fmt: skip

    if column.dtype is not None:
        yield term("dtype", None, (column.dtype,))
    yield from (term(kind, limit) for kind, limit in bounds.items() if limit is not None)
    if column.values is not None:
        yield term("values", None, tuple(column.values))
    if column.unique:
        yield term("unique")


def contracts_of(contract: Contract | Sequence[Contract]) -> Sequence[Contract]:
    return [contract] if isinstance(contract, Contract) else contract
