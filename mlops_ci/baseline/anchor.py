"""The creep anchor: main's best of the last 90 days, of each metric on all rows and on each slice.

Ten changes may each lose less than their gate and together a lot: what head may lose against the
best is bounded as well (`max-total-drop`). The best is looked for among records of the same
evaluation rows, and apart from them among those of rows that are mostly the same: a test set that
grows has a past, too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mlops_ci.baseline.entry import Found, Header, Store, Wanted
from mlops_ci.errors import MlopsCiError

DAYS = 90
# Records of other rows, the best by their own numbers: those of other rows compare roughly.
SETS = 3
MOST = 24  # records that are opened for one comparison
ANSWERS = "predictions.parquet"


@dataclass(frozen=True)
class Sought:
    """A metric, by its name in results; `key`: in the store. `up`: more is better. `point`: it is a
    number of a metrics file."""

    metric: str
    key: str
    up: bool
    slice: str | None = None
    point: bool = False

    @property
    def place(self) -> tuple[str, str | None]:
        return self.metric, self.slice

    def value(self, header: Header) -> float | None:
        if self.point:
            return header.points.get(self.key)
        if self.slice is not None:
            return header.sliced.get(self.key, {}).get(self.slice)
        return header.metrics.get(self.key)


@dataclass
class Record:
    """One of main's records, and what it may be best at. `found`: None where a number is all."""

    header: Header
    found: Found | None = None
    best_at: list[Sought] = field(default_factory=list)


def recent(headers: Iterable[Header], now: datetime) -> list[Header]:
    oldest = (now - timedelta(days=DAYS)).isoformat()
    return [one for one in headers if one.stored >= oldest]


def find_records(
    store: Store, headers: Sequence[Header], rows: tuple[str, Collection[str]], sought: list[Sought]
) -> list[Record]:
    """`headers`: of one model, recent. `rows`: the digest of head's evaluation rows, and those of
    sets that are mostly the same. An entry that cannot be read is no record, nor is one whose
    predictions were too large for the store."""
    records: dict[str, Record] = {}
    with_rows = [one for one in headers if ANSWERS in one.files]
    for one in sought:
        if one.point:
            header = _best(headers, one)
            if header is not None:
                records.setdefault(f"#{header.address}", Record(header)).best_at.append(one)
            continue
        opened = [known.header for at, known in records.items() if not at.startswith("#")]
        for header in _candidates(with_rows if len(opened) < MOST else opened, rows, one):
            records.setdefault(header.address, Record(header)).best_at.append(one)
    for address, record in records.items():
        if not address.startswith("#"):
            record.found = _read(store, record.header)
    return [one for at, one in records.items() if at.startswith("#") or one.found is not None]


def _candidates(
    headers: Sequence[Header], rows: tuple[str, Collection[str]], sought: Sought
) -> list[Header]:
    """The best of the same rows, then the best of each set that is mostly the same."""
    same, alike = rows
    by_rows: dict[str, list[Header]] = {}
    for header in headers:
        by_rows.setdefault(header.rows, []).append(header)
    first = _best(by_rows.get(same, []), sought)
    others = [_best(by_rows[one], sought) for one in alike if one in by_rows and one != same]
    ranked = _ranked([one for one in others if one is not None], sought)[:SETS]
    return [*([first] if first is not None else []), *ranked]


def _best(headers: Sequence[Header], sought: Sought) -> Header | None:
    return next(iter(_ranked(headers, sought)), None)


def _ranked(headers: Sequence[Header], sought: Sought) -> list[Header]:
    sign = -1.0 if sought.up else 1.0
    known = [(value, one) for one in headers if (value := sought.value(one)) is not None]
    return [one for _, one in sorted(known, key=lambda pair: sign * pair[0])]


def _read(store: Store, header: Header) -> Found | None:
    try:
        return store.get(Wanted(header.model, key=header.key, rows=header.rows))
    except MlopsCiError:
        return None
