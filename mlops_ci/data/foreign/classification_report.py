"""scikit-learn's `classification_report(output_dict=True)`, as it is or inside a metrics file.

https://scikit-learn.org/stable/modules/generated/sklearn.metrics.classification_report.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops_ci.data.foreign.declaration import Foreign, Named

SUPPORT = "support"
SCORES = {"precision": "precision", "recall": "recall", "f1-score": "f1"}
KEYS = frozenset({*SCORES, SUPPORT})
AVERAGES = {
    "micro avg": "micro",
    "macro avg": "macro",
    "weighted avg": "weighted",
    "samples avg": "samples",
}


def recognise(part: Any) -> str | None:
    if not isinstance(part, Mapping) or not all(
        name in part for name in ("macro avg", "weighted avg")
    ):
        return None
    tables = [value for key, value in part.items() if key != "accuracy"]
    whole = all(isinstance(value, Mapping) and set(value) == KEYS for value in tables)
    return "`macro avg`, `weighted avg` and the classes" if whole else None


def numbers(part: Mapping[str, Any]) -> Iterator[Named]:
    """`f1_macro`, `cat.recall`; `support` counts rows and is no metric."""
    for key, value in part.items():
        if not isinstance(value, Mapping):
            yield str(key), value
            continue
        for score, name in SCORES.items():
            average = AVERAGES.get(str(key))
            yield (f"{name}_{average}" if average else f"{key}.{name}"), value[score]


CLASSIFICATION_REPORT = Foreign(
    "classification report of scikit-learn", "part", recognise, numbers=numbers
)
