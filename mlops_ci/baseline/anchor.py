"""The creep anchor: main's best of the last 90 days, metric by metric.

Ten changes may each lose less than their gate and together a lot: what head may lose against the
best is bounded as well (`max-total-drop`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from mlops_ci.baseline.store import Found, Header, Store, Wanted
from mlops_ci.errors import MlopsCiError

DAYS = 90


@dataclass(frozen=True)
class Sought:
    """A metric, by its name in results; `key`: in the store. `up`: more is better."""

    metric: str
    key: str
    up: bool


def find_anchors(
    store: Store, model: str, rows: str, sought: Iterable[Sought], now: datetime
) -> dict[str, Found]:
    """Metric → the entry that was best at it, on the same evaluation rows.

    Other rows would compare data, not models. An entry that cannot be read is no anchor; raises
    what the store raises when it cannot be listed.
    """
    oldest = (now - timedelta(days=DAYS)).isoformat()
    headers = [one for one in store.list(model) if one.rows == rows and one.stored >= oldest]
    ranked = {one.metric: _best(headers, one) for one in sought}
    best = {metric: header for metric, header in ranked.items() if header is not None}
    read = {one.address: _read(store, model, one) for one in best.values()}  # often one for all
    found = {name: read[header.address] for name, header in best.items()}
    return {name: anchor for name, anchor in found.items() if anchor is not None}


def _read(store: Store, model: str, header: Header) -> Found | None:
    try:
        return store.get(Wanted(model, key=header.key, rows=header.rows))
    except MlopsCiError:
        return None


def _best(headers: list[Header], sought: Sought) -> Header | None:
    sign = 1.0 if sought.up else -1.0
    known = [one for one in headers if sought.key in one.metrics]
    return max(known, key=lambda one: sign * one.metrics[sought.key], default=None)
