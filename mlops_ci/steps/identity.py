"""Whether base and head are one model, so that no change is a fact and not an estimate."""

from __future__ import annotations

from mlops_ci.steps.sides import Known
from mlops_ci.verdict import PairedRows


def is_one_model(sides: tuple[Known, Known], rows: PairedRows) -> bool:
    """Equal answers alone do not make two models one: on other rows they may differ. The models'
    own digests decide; where one is not known, equal training keys, or scores that are equal to the
    last bit, and not the classes that these were cut into.
    """
    if not (rows.answered_alike and _are_one_file(sides)):
        return False
    models = [known.side.model_digest for known in sides]
    if None not in models:
        return models[0] == models[1]
    keys = [known.side.training_key for known in sides]
    if keys[0] is not None and keys[0] == keys[1]:
        return True
    return rows.tells_models_apart


def _are_one_file(sides: tuple[Known, Known]) -> bool:
    """As they were written, or as the store keeps them."""
    written = [known.side.predictions_digest for known in sides]
    if written[0] is not None and written[0] == written[1]:
        return True
    read = [known.predictions.digest for known in sides if known.predictions is not None]
    return len(read) == len(sides) and read[0] == read[1]
