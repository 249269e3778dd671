"""Training rows among the evaluation rows, as a metric that a gate can speak of."""

from __future__ import annotations

from pathlib import Path

from mlops_ci.config.model import LEAKAGE
from mlops_ci.data import Predictions
from mlops_ci.data.leakage import Overlap, find_overlap
from mlops_ci.errors import DOCS, UsageError
from mlops_ci.records import MetricResult

SHOWN = 80  # letters of a key


def measure_leakage(
    predictions: Predictions | None, training: Path | None, *, gated: bool
) -> tuple[tuple[MetricResult, ...], tuple[str, ...]]:
    """The share of head's evaluation rows that are training rows too, and what to say of it.

    Raises UsageError where a gate asks for it and nothing says which rows were trained on.
    """
    if predictions is None and (gated or training is not None):
        raise _nothing("the model has no `predictions:`")
    found = find_overlap(predictions, training) if predictions is not None else None
    if found is None:
        if gated:
            raise _nothing("nothing says which rows were trained on")
        return (), ()
    return (result_of(found),), ((note_of(found),) if found.shared else ())


def result_of(found: Overlap) -> MetricResult:
    """A count of all rows: it has no interval but itself."""
    return MetricResult(
        metric=LEAKAGE,
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
