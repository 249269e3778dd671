"""What the change of the evaluation rows did, where main's model was asked about head's rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from mlops_ci.config import Policy
from mlops_ci.data import Predictions
from mlops_ci.data.pairing import Pairing
from mlops_ci.data.turnover import Turnover, turn_over
from mlops_ci.errors import ComparisonError
from mlops_ci.records import LeftOut, MetricResult
from mlops_ci.steps.drift import drift_between, note_of
from mlops_ci.steps.sides import Moved
from mlops_ci.verdict import Uncommon
from mlops_ci.verdict.decomposition import Answered, decompose, measure_left_out


class Answers(Protocol):
    @property
    def predictions(self) -> Predictions | None: ...


def explain(
    model: tuple[Answers | None, Answers | None], metrics: Sequence[MetricResult], policy: Policy
) -> Moved:
    """`model`: main's, on its own rows and on head's; `metrics`: of base and head on the latter.
    Of what it says only the rows that base lost are judged; what cannot be told apart is a note.
    """
    before, now = (side.predictions if side is not None else None for side in model)
    if before is None or now is None:
        return Moved()
    try:
        found = turn_over(before, now)
    except ComparisonError as error:
        return Moved(notes=(_unknown(error),), uncommon=Uncommon(unknown=True))
    try:
        answered = Answered(found.before, found.now, found.shared)
        effects = decompose(answered, metrics, policy)
        drift = drift_between(before, now)
    except ComparisonError as error:
        return Moved(notes=(_unknown(error), _rows(found)), uncommon=found.uncommon)
    left_out = None
    if found.left_out is not None:
        left_out = measure_left_out(found.left_out, found.stayed or (), policy)
    notes = (_rows(found), *note_of(drift))
    return Moved(effects, left_out, drift, notes, found.uncommon)


def _unknown(error: ComparisonError) -> str:
    return f"What the rows did is not known: {error.what}."


def _rows(found: Turnover) -> str:
    rows = len(found.before.label)
    if found.gone is None:
        return "The evaluation rows changed; without an id column nobody can say which."
    if found.replaced:
        return (
            f"The test set is another one: none of base's {rows:,} rows is among head's "
            f"{found.added:,}. Main's model has answered these."
        )
    said = [f"{found.gone:,} of base's {rows:,} are gone", f"{found.added:,} are new"]
    if found.relabelled:
        said.append(f"{found.relabelled:,} have another label")
    if found.reweighed:
        said.append(f"{found.reweighed:,} have another weight")
    return f"The evaluation rows changed: {', '.join(said)}. Main's model has answered head's rows."


def left_out_of(
    pairing: Pairing, metrics: Sequence[MetricResult], policy: Policy
) -> LeftOut | None:
    """Base's metrics on the rows that head did not score, where it could not be asked again."""
    if pairing.left_out is None or pairing.unscored == pairing.counts.base:
        return None
    kept = metrics if pairing.counts.paired else ()
    return measure_left_out(pairing.left_out, kept, policy)
