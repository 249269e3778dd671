"""Rows whose label was mended since: of an older record they are rows that it has not answered."""

from __future__ import annotations

import numpy as np

from mlops_ci.data.keys import match
from mlops_ci.data.pairing import common_classes, label_of
from mlops_ci.data.predictions import Predictions, at_places


def without_relabelled(older: Predictions, head: Predictions) -> tuple[Predictions, int]:
    """`older` without the rows that head has by the same id with another label; how many."""
    if older.keys is None or head.keys is None or older.task != head.task:
        return older, 0
    classes = common_classes(older, head)
    left, right = match(older.keys, head.keys)
    differ = label_of(older, classes)[left] != label_of(head, classes)[right]
    count = int(differ.sum())
    if not count:
        return older, 0
    places = np.arange(older.rows)
    return at_places(older, np.delete(places, places[left][differ])), count
