"""What tells an evaluation set from others that share rows with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_ci.baseline.row_sample import SIZE, pack

if TYPE_CHECKING:
    from mlops_ci.data import Predictions


def sample_of(predictions: Predictions | None) -> bytes:
    """Nothing of rows without ids: their places would make different rows the same."""
    if predictions is None or predictions.keys is None:
        return b""
    from mlops_ci.data.keys import least_hashes

    keys, labels, classes = predictions.keys, predictions.label, predictions.classes
    return pack(least_hashes(keys, labels, classes, SIZE))
