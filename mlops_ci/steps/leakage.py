"""Training rows among the evaluation rows, as a metric that a gate can speak of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mlops_ci.config.model import LEAKAGE
from mlops_ci.data import Predictions
from mlops_ci.data.keys import Hashes
from mlops_ci.data.leakage import Overlap, count_among, find_overlap
from mlops_ci.errors import DOCS, UsageError
from mlops_ci.records import MetricResult

SHOWN = 80  # letters of a key
UNKNOWN = (
    "Whether main's model was trained on evaluation rows is not known: which its training rows are "
    "was not kept with its evaluation."
)


@dataclass(frozen=True)
class Trained:
    """`paths`: files with the keys of head's training rows; `mains`: those of main's, hashed.
    `asked`: main says which they are, so something is wrong where they are not known."""

    paths: Sequence[Path] = ()
    mains: Hashes | None = None
    asked: bool = False


def measure_leakage(
    predictions: Predictions | None, trained: Trained, *, gated: bool
) -> tuple[tuple[MetricResult, ...], tuple[str, ...]]:
    """The share of head's evaluation rows that are training rows too, head's and main's, and what
    to say of it.

    Raises UsageError where a gate asks for it and nothing says which rows were trained on.
    """
    if predictions is None:
        if gated or trained.paths:
            raise _nothing("the model has no `predictions:`")
        return (), ()
    found, mains = find_overlap(predictions, trained.paths), None
    if trained.mains is not None:
        mains = count_among(predictions, trained.mains)
    notes = _notes(found, mains, predictions.rows)
    if mains is None and trained.asked:
        notes = (*notes, UNKNOWN)
    if found is None:
        if gated:
            raise _nothing("nothing says which rows were trained on")
        return (), notes
    return (result_of(replace(found, mains=mains)),), notes


def _notes(found: Overlap | None, mains: int | None, rows: int) -> tuple[str, ...]:
    ours = (note_of(found),) if found is not None and found.shared else ()
    return (*ours, note_of_main(mains, rows)) if mains else ours


def result_of(found: Overlap) -> MetricResult:
    """A count of all rows: it has no interval but itself."""
    base = found.mains / found.rows if found.mains is not None else None
    return MetricResult(
        metric=LEAKAGE,
        base=base,
        base_low=base,
        base_high=base,
        head=found.share,
        head_low=found.share,
        head_high=found.share,
        n=found.rows,
        method=f"row keys, by {found.source}",
        evidence="paired",
        higher_is_better=False,
    )


def note_of(found: Overlap) -> str:
    verb = "is" if found.shared == 1 else "are"
    rows = f"{found.shared:,} of the {found.rows:,} evaluation rows"
    keys = f", `{_plain(found.examples[0])}` for one" if found.examples else ""
    return (
        f"Leakage: {rows} ({_percent(found.share)}) {verb} among the training rows "
        f"({found.source}){keys}. What a model has learned by heart says nothing of new data: "
        "take them out of one of the two."
    )


def note_of_main(shared: int, rows: int) -> str:
    verb = "is" if shared == 1 else "are"
    return (
        f"Leakage: {shared:,} of the {rows:,} evaluation rows ({_percent(shared / rows)}) {verb} "
        "among the rows that main's model was trained on: it looks better on them than it is, and "
        "what seems to be lost against it may be no loss."
    )


def _plain(key: str) -> str:
    return key.replace("`", "'").replace("\x1f", ", ")[:SHOWN]


def _percent(share: float) -> str:
    """Never 0 % of something, never 100 % of less than all."""
    if share < 0.001:
        return "under 0.1 %"
    return f"{100 * share:.0f} %" if share == 1 else f"{min(100 * share, 99.9):.1f} %"


def _nothing(why: str) -> UsageError:
    return UsageError(
        f"there is a gate on {LEAKAGE}, but {why}",
        where=f"mlops-ci.yaml, gates.{LEAKAGE}",
        fix="let training write the ids of its rows, and name that file:\n"
        "    training-rows: out/train_ids.parquet",
        link=f"{DOCS}/verdict.md#leakage",
    )
