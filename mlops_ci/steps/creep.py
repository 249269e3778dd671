"""Head against main's best records, so that many small losses stay bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from mlops_ci.config.model import Policy
from mlops_ci.errors import ComparisonError
from mlops_ci.records.findings import Retraining
from mlops_ci.records.results import MetricResult, RowCounts
from mlops_ci.steps.numbers import compare_known
from mlops_ci.steps.sides import Anchor, Known, Measured, Sides, Wanted
from mlops_ci.value import Value
from mlops_ci.verdict import Compared, Trainings, Uncommon, widen_all
from mlops_ci.verdict.names import FAIRNESS

if TYPE_CHECKING:
    from mlops_ci.data import Predictions

Measure = Callable[[Known | None, Known, Policy, Wanted], Measured]
NO_LIMIT = "no limit in all (`max-total-drop`) is held"


class Held(Value, frozen=True):
    """`records` None: main has none that anything could be said of."""

    records: tuple[Compared, ...] | None = None
    notes: tuple[str, ...] = ()


def hold_to_bests(sides: Sides, measured: Measured, measure: Measure) -> Held:
    """Record by record. Base's own rows are not measured again. `measured`: against base."""
    bests = sides.bests
    if sides.base is None or not (bests.there or bests.anchors or bests.sizes):
        return Held()
    records = [Compared(one) for one in bests.sizes]
    commons: list[Measured] = []
    refused: list[str] = []
    for anchor in bests.anchors:
        try:
            found = _measured(anchor, sides, measured, measure)
        except ComparisonError as error:
            refused.append(error.what)
            continue
        if found.uncommon.apart:
            refused.append(next(iter(found.notes), "its rows are other ones"))
            continue
        asked = tuple(one for one in found.metrics if (one.metric, one.slice) in anchor.of)
        asked = with_noise(asked, anchor.known, sides)[0]
        records += [Compared(one, found.uncommon) for one in asked]
        ours = anchor.known.predictions is sides.base.predictions
        if not found.uncommon.nothing and asked and not ours:
            commons.append(found)
    records += _of_base(records, sides.base, sides, measured)
    if refused and not records:
        return Held(notes=(f"Against main's records of the last 90 days {NO_LIMIT}: {refused[0]}",))
    return Held(tuple(records), tuple(_say_common(commons)))


def _measured(anchor: Anchor, sides: Sides, measured: Measured, measure: Measure) -> Measured:
    """By rows, or of a number without rows by itself: never one for the other."""
    names = frozenset(metric for metric, _ in anchor.of)
    known, base = anchor.known, sides.base
    if known.predictions is None:
        by_rows = {one.metric for one in measured.metrics if one.evidence != "point"}
        numbers = compare_known(known, sides.head, names)
        numbers = tuple(one for one in numbers if one.metric in names - by_rows)
        return Measured(numbers, measured.rows, "point")
    found, relabelled = measured, 0
    if base is None or known.predictions is not base.predictions:
        older, relabelled = _comparable(known.predictions, sides.head.predictions)
        functions = sides.functions.only(names) if sides.functions is not None else None
        fairness = sides.fairness if any(one in FAIRNESS for one in names) else ()
        wanted = Wanted(names, fairness, functions, alone=True)
        bare = Known(known.side, older, seeds=known.seeds)
        found = measure(bare, sides.head, sides.policy, wanted)
    rows = found.rows
    if relabelled:
        rows = replace(rows, base=_enough(rows, relabelled))
    common = found.uncommon.joined(Uncommon(relabelled=relabelled))
    by_rows_only = tuple(one for one in found.metrics if one.evidence != "point")
    return Measured(by_rows_only, rows, found.evidence, common, found.notes)


def _comparable(older: Predictions, head: Predictions | None) -> tuple[Predictions, int]:
    """A label that was mended since makes its row another one."""
    if head is None or older.rows_digest == head.rows_digest:
        return older, 0
    from mlops_ci.data.relabelled import without_relabelled

    return without_relabelled(older, head)


def _enough(rows: RowCounts, relabelled: int) -> int:
    """All rows of the record. Raises ComparisonError where too many have another label now."""
    from mlops_ci.data.overlap import is_enough

    base = (rows.base or 0) + relabelled
    if not is_enough(base, rows.paired or 0):
        raise ComparisonError(f"of its {base:,} rows {relabelled:,} have another label now")
    return base


def _of_base(
    records: Sequence[Compared], base: Known, sides: Sides, measured: Measured
) -> Iterator[Compared]:
    """Where main's records are all of other rows: base, which has answered all of head's, is one of
    these rows. Without it nothing could pass until a merge."""
    if not measured.uncommon.nothing or measured.evidence != "paired":
        return
    whole = {_place(one.result) for one in records if one.uncommon.nothing}
    only = {_place(one.result) for one in records} - whole
    ours = tuple(one for one in measured.metrics if _place(one) in only)
    yield from (Compared(one) for one in with_noise(ours, base, sides)[0])


def _place(one: MetricResult) -> tuple[str, str | None]:
    return one.metric, one.slice


def _say_common(commons: Sequence[Measured]) -> Iterator[str]:
    if not commons:
        return
    least = min(commons, key=lambda one: one.rows.paired or 0).rows
    yield (
        "Main's best of the last 90 days has answered other evaluation rows: the limit in all "
        f"(`max-total-drop`) is judged on the {least.paired or 0:,} rows that its "
        f"{least.base or 0:,} and head's {least.head or 0:,} have in common."
    )


def with_noise(
    metrics: tuple[MetricResult, ...], base: Known | None, sides: Sides
) -> tuple[tuple[MetricResult, ...], Retraining | None]:
    if base is None:
        return metrics, None
    trainings = Trainings(sides.head.seeds, base.seeds, sides.history)
    return widen_all(metrics, trainings, sides.policy.level)
