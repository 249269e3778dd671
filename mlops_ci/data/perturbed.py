"""A features file, changed: the same rows in the same order, in a file of the same kind.

What becomes of a cell depends on the row's key, the column and the kind of change, by MD5: not on
the row's place, the machine or the day. DuckDB streams the file, so memory is bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlops_ci.config.robustness import Perturbation
from mlops_ci.data.formats import literal, read_header
from mlops_ci.data.opening import open_table
from mlops_ci.data.table import Table, quote
from mlops_ci.errors import ComparisonError

MOST_CATEGORIES = 1_000
LETTERS = 13  # of an MD5: 52 bits, all of which a float holds
PROBED = 0.5  # share of the rows that a probe has


@dataclass(frozen=True)
class Features:
    """`keys`: columns that name a row; empty: a row is what its cells are. `kept`: columns that
    are no features (the key, the label)."""

    path: Path
    keys: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def write_perturbed(features: Features, one: Perturbation, place: Path) -> int:
    """How many columns were changed. Raises ComparisonError for what cannot be changed so,
    UsageError for a file that is not there."""
    table = open_table(features.path, spills=True)
    try:
        columns = _columns(table, features, one)
        changed = {name: _changed(table, name, one, _key(table, features)) for name in columns}
        cells = ", ".join(
            f"{changed[name]} AS {quote(name)}" if name in changed else quote(name)
            for name in table.types
        )
        _write(table, f"SELECT {cells} FROM rows", place)
        return len(changed)
    finally:
        table.close()


@dataclass(frozen=True)
class Probe:
    """`places`, from 0 on, of the rows that were asked about, among the `rows` of the file."""

    rows: int
    places: NDArray[np.int64]


def write_probe(features: Features, place: Path) -> Probe:
    """About half of the rows, by their keys, as they are."""
    table = open_table(features.path, spills=True)
    try:
        asked = f"{_uniform(_key(table, features), 'probe')} < {PROBED}"
        _write(table, f"SELECT * FROM rows WHERE {asked}", place)
        chosen = table.read(f"CAST({asked} AS BOOLEAN)")[0].astype(bool)
        return Probe(len(chosen), np.flatnonzero(chosen))
    finally:
        table.close()


def ending_of(path: Path) -> str:
    """Of the changed file: that of the original, so that who reads the one reads the other."""
    suffixes = path.suffixes[-2:] if path.suffix == ".gz" else path.suffixes[-1:]
    return "".join(suffixes)


def _columns(table: Table, features: Features, one: Perturbation) -> list[str]:
    gone = [name for name in one.columns if name not in table.types]
    if gone:
        raise ComparisonError(f"{features.path.name} has no column {gone[0]!r}")
    if one.columns:
        return list(one.columns)
    fixed = {*features.keys, *features.kept}
    free = [name for name in table.types if name not in fixed]
    if one.kind == "noise":
        free = [name for name in free if _is_number(table, name)]
    if not free:
        raise ComparisonError(f"{features.path.name} has no column that {one.kind} could change")
    return free


def _is_number(table: Table, name: str) -> bool:
    return table.kind(name) in ("integer", "float")


def _key(table: Table, features: Features) -> str:
    names = [name for name in features.keys if name in table.types] or list(table.types)
    cells = ", ".join(f"coalesce(CAST({quote(name)} AS VARCHAR), chr(0))" for name in names)
    return f"concat_ws(chr(31), {cells})"


def _uniform(key: str, salt: str) -> str:
    """Above 0 and below 1."""
    digits = f"substr(md5({key} || chr(30) || {literal(salt)}), 1, {LETTERS})"
    return f"((CAST('0x' || {digits} AS BIGINT) + 0.5) / {16**LETTERS}.0)"


def _changed(table: Table, name: str, one: Perturbation, key: str) -> str:
    cell = quote(name)
    if one.kind == "missing":
        chance = _uniform(key, f"missing {name}")
        return f"CASE WHEN {chance} < {one.amount!r} THEN NULL ELSE {cell} END"
    if one.kind == "swap":
        return _swapped(table, name, one, key)
    if not _is_number(table, name):
        raise ComparisonError(f"{name!r} is no column of numbers: {one.kind} cannot change it")
    number = f"CAST({cell} AS DOUBLE)"
    if one.kind == "scale":
        value = f"{number} * {one.amount!r}::DOUBLE"
    else:
        value = f"{number} + {_spread(table, number) * one.amount!r}::DOUBLE * {_normal(key, name)}"
    if table.kind(name) == "integer":
        whole = one.kind == "noise" or one.amount == int(one.amount)
        return f"CAST(round({value}) AS BIGINT)" if whole else value
    return value if table.format == "csv" else f"CAST({value} AS {table.types[name]})"


def _spread(table: Table, number: str) -> float:
    found = table.one(f"SELECT stddev_pop({number}) FROM rows WHERE isfinite({number})")[0]
    if not found:
        raise ComparisonError("noise cannot change a column that has one value only")
    return float(found)


def _normal(key: str, name: str) -> str:
    """Box & Muller 1958 (Annals Math. Statistics 29, 610–611, doi:10.1214/aoms/1177706645)."""
    one, other = (_uniform(key, f"noise {name} {part}") for part in ("a", "b"))
    return f"(sqrt(-2 * ln({one})) * cos(2 * pi() * {other}))"


def _swapped(table: Table, name: str, one: Perturbation, key: str) -> str:
    """One of the other values that the column has, each as likely."""
    cell = quote(name)
    found = table.column(
        f"SELECT DISTINCT CAST({cell} AS VARCHAR) AS value FROM rows WHERE {cell} IS NOT NULL "
        f"ORDER BY value LIMIT {MOST_CATEGORIES + 1}"
    )
    if not 2 <= len(found) <= MOST_CATEGORIES:
        what = "one value only" if len(found) < 2 else f"more than {MOST_CATEGORIES:,} values"
        raise ComparisonError(f"{name!r} has {what}: there is no category to swap")
    values = f"[{', '.join(literal(str(value)) for value in found)}]"
    others = len(found) - 1
    place = f"list_position({values}, CAST({cell} AS VARCHAR))"
    step = f"CAST(floor({_uniform(key, f'swap {name}')} * {others}) AS INTEGER)"
    other = f"{values}[({place} + {step}) % {len(found)} + 1]"
    chosen = f"{_uniform(key, f'swapped {name}')} < {one.amount!r}"
    kind = table.types[name]
    return f"CASE WHEN {cell} IS NOT NULL AND {chosen} THEN CAST({other} AS {kind}) ELSE {cell} END"


def _write(table: Table, query: str, place: Path) -> None:
    """In the order of the file: one thread, so that nothing is read out of order."""
    how = {
        "parquet": "FORMAT parquet",
        "csv": "FORMAT csv, HEADER true",
        "lines": "FORMAT json",
        "array": "FORMAT json, ARRAY true",
    }[table.format]
    if table.format == "csv":
        how += f", DELIMITER {literal(read_header(table.path)[0])}"
    if place.name.endswith(".gz"):
        how += ", COMPRESSION gzip"
    if table.scratch is None:
        raise ComparisonError(f"{table.path.name} cannot be changed: another tool wrote it")
    inside = Path(table.scratch.name) / f"changed{ending_of(place)}"
    table.run("SET threads = 1")
    table.run(f"COPY ({query}) TO {literal(str(inside))} ({how})")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"")
    with inside.open("rb") as source, place.open("wb") as target:
        while block := source.read(1 << 20):
            target.write(block)
