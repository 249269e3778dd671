"""What a file holds, counted for its contract: one pass over the columns that it speaks of, and one
more for each key. A text file's cells are text until all of them are something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from mlops_ci.config.contract import Term, Value
from mlops_ci.data.formats import literal
from mlops_ci.data.opening import open_table
from mlops_ci.data.table import INTEGERS, Table, quote
from mlops_ci.errors import ComparisonError, UsageError
from mlops_ci.verdict.contract import ColumnFacts, Family, FileFacts, place_of

EXACT = {
    "TINYINT": "int8", "SMALLINT": "int16", "INTEGER": "int32", "BIGINT": "int64",
    "UTINYINT": "uint8", "USMALLINT": "uint16", "UINTEGER": "uint32", "UBIGINT": "uint64",
    "FLOAT": "float32", "DOUBLE": "float64",
}  # fmt: skip
SHOWN = 3  # values that are not allowed
LONGEST = 60


def read_contents(path: Path, terms: Sequence[Term]) -> FileFacts:
    """Never raises for what is in the file, or for a file that is not there."""
    if not path.exists():
        return FileFacts(missing=True)
    try:
        table = open_table(path, spills=True)
    except (ComparisonError, UsageError) as error:
        return _refused(path, error)
    try:
        return _count(table, terms)
    except ComparisonError as error:
        return _refused(path, error)
    finally:
        table.close()


def _refused(path: Path, error: ComparisonError | UsageError) -> FileFacts:
    return FileFacts(refused=error.what.replace(str(path.absolute()), path.name))


def count_rows(path: Path) -> int | None:
    """None for a file that is not there, or not readable."""
    return read_contents(path, ()).rows


def _count(table: Table, terms: Sequence[Term]) -> FileFacts:
    named = dict.fromkeys(column for term in terms for column in term.columns)
    there = [column for column in named if column in table.types]
    if there:
        table.keep(there)
    by_column = {column: [term for term in terms if term.columns == (column,)] for column in there}
    keys = {term.columns for term in terms if term.kind == "unique"}
    repeated = {key: _repeated(table, key) for key in keys if set(key) <= set(there)}
    columns = {
        column: _Column(table, column).facts(asked, repeated.get((column,)))
        for column, asked in by_column.items()
    }
    return FileFacts(table.rows, columns, repeated)


def _repeated(table: Table, key: Sequence[str]) -> int:
    """Rows that stand there once more. A row with a missing value is like no other."""
    names = ", ".join(quote(name) for name in key)
    there = " AND ".join(f"{quote(name)} IS NOT NULL" for name in key)
    groups = f"SELECT count(*) - 1 AS more FROM rows WHERE {there} GROUP BY {names}"
    return int(table.one(f"SELECT coalesce(sum(more), 0) FROM ({groups})")[0])


class _Column:
    def __init__(self, table: Table, name: str) -> None:
        self.table, self.cell = table, quote(name)
        self.type = table.types[name]
        self.kind = table.kind(name)
        self.is_text = table.format == "csv"
        # DuckDB refuses to read a structure as a number and a number as a day, even by trying.
        dated = self.is_text or self.kind == "text" or self.type.startswith(("DATE", "TIMESTAMP"))
        self.text = f"CAST({self.cell} AS VARCHAR)"
        self.number = f"TRY_CAST({self.cell} AS DOUBLE)" if self.kind != "other" else "NULL::DOUBLE"
        self.day = f"TRY_CAST({self.cell} AS DATE)" if dated else "NULL::DATE"
        nan = f" OR isnan({self.number})" if self.kind == "float" else ""
        self.missing = f"({self.cell} IS NULL{nan})"

    def facts(self, terms: Iterable[Term], repeated: int | None) -> ColumnFacts:
        asked = {place_of(term): self._broken_by(term) for term in terms}
        asked = {place: test for place, test in asked.items() if test is not None}
        ends = self._ends(terms)
        tests = (self.missing, *(f"NOT {self.missing} AND {test}" for test in asked.values()))
        counts = ", ".join(f"count_if({test})" for test in tests)
        missing, *found = self.table.one(f"SELECT {counts}{ends} FROM rows")
        outside = dict(zip(asked, found[: len(asked)], strict=True))
        low, high = found[len(asked) :] if ends else (None, None)
        for term in terms:
            if term.kind == "unique" and repeated is not None:
                outside[place_of(term)] = repeated
        return ColumnFacts(
            family=self._family(missing),
            exact=None if self.is_text else EXACT.get(self.type),
            missing=int(missing),
            outside=outside,
            low=_shown(low),
            high=_shown(high),
            strange=self._strange(terms),
        )

    def _broken_by(self, term: Term) -> str | None:
        """A test that is true for a value that breaks the term; None: nothing to count."""
        if term.kind == "values":
            return f"NOT {self._allowed(term.allowed)}"
        if term.kind not in ("min", "max") or term.limit is None:
            return None
        sign = ">=" if term.kind == "min" else "<="
        if isinstance(term.limit, date):
            inside = f"{self.day} {sign} DATE {literal(term.limit.isoformat())}"
        else:
            inside = f"{self.number} {sign} {float(term.limit)!r}::DOUBLE"
        return f"NOT coalesce({inside}, false)"

    def _allowed(self, values: Sequence[Value]) -> str:
        """As the file has it: 1 is 1.0 and not '1 ', true is True."""
        numbers = [repr(float(v)) for v in values if not isinstance(v, (str, bool))]
        words = [literal(v) for v in values if isinstance(v, str)]
        truths = [literal(str(v).lower()) for v in values if isinstance(v, bool)]
        tests = [f"{self.text} IN ({', '.join(words)})"] if words else []
        tests += [f"lower({self.text}) IN ({', '.join(truths)})"] if truths else []
        tests += [f"{self.number} IN ({', '.join(numbers)})"] if numbers else []
        return f"coalesce({' OR '.join(tests)}, false)"

    def _ends(self, terms: Iterable[Term]) -> str:
        """The lowest and the highest value, in days where a bound is one."""
        bounds = [term.limit for term in terms if term.kind in ("min", "max")]
        if not bounds:
            return ""
        value = self.day if isinstance(bounds[0], date) else self.number
        inside = f"FILTER (NOT {self.missing})"
        return f", min({value}) {inside}, max({value}) {inside}"

    def _strange(self, terms: Iterable[Term]) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for term in terms:
            if term.kind == "values":
                rows = self.table.column(
                    f"SELECT {self.text} AS value FROM rows WHERE NOT {self.missing} AND "
                    f"{self._broken_by(term)} GROUP BY value ORDER BY count(*) DESC, value "
                    f"LIMIT {SHOWN}"
                )
                found |= dict.fromkeys(str(one)[:LONGEST] for one in rows)
        return tuple(found)[:SHOWN]

    def _family(self, missing: int) -> Family:
        if missing == self.table.rows and (self.is_text or self.type == '"NULL"'):
            return "empty"
        if not self.is_text:
            return _family_of_type(self.type)
        plain: dict[str, Family] = {
            "boolean": "boolean", "integer": "integer", "float": "number", "empty": "empty",
        }  # fmt: skip
        return plain.get(self.kind) or self._family_of_days()

    def _family_of_days(self) -> Family:
        """Text of which every cell is a day, or a moment."""
        cells, days, moments = self.table.one(
            f"SELECT count({self.cell}), "
            f"count_if(regexp_full_match({self.cell}, '\\d{{4}}-\\d\\d-\\d\\d') "
            f"AND {self.day} IS NOT NULL), "
            f"count(TRY_CAST({self.cell} AS TIMESTAMP)) FROM rows"
        )
        if cells == days:
            return "date"
        return "timestamp" if cells == moments else "text"


def _family_of_type(name: str) -> Family:
    if name in INTEGERS:
        return "integer"
    starts: dict[str, Family] = {
        "FLOAT": "number", "DOUBLE": "number", "DECIMAL": "number", "VARCHAR": "text",
        "ENUM": "text", "UUID": "text", "BOOLEAN": "boolean", "DATE": "date",
        "TIMESTAMP": "timestamp", '"NULL"': "empty",
    }  # fmt: skip
    return next((family for start, family in starts.items() if name.startswith(start)), "other")


def _shown(value: Any) -> str | None:
    if value is None:
        return None
    return f"{value:.15g}" if isinstance(value, float) else str(value)
