"""Whether two names are of one metric, and between which values a metric lies."""

from __future__ import annotations

from mlops_ci.verdict.names import canonical_metric, is_negated, known_metric

SHARES = frozenset(
    [
        "accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "roc_auc",
        "average_precision", "ece", "ndcg", "mrr", "demographic_parity", "equal_opportunity",
        "equalized_odds",
    ]
)  # fmt: skip
AFTER = ("_macro", "_weighted", "_micro", "_difference", "_ratio")


def same_metric(one: str, other: str) -> bool:
    """Of what nobody knows, by the letters."""
    names = [canonical_metric(name) if known_metric(name) else name for name in (one, other)]
    return names[0] == names[1] and is_negated(one) == is_negated(other)


def range_of(name: str) -> tuple[float, float] | None:
    """Whatever the rows are; None: nobody can say."""
    known = known_metric(name)
    if known is None or is_negated(name):
        return None
    plain = known.name.partition("@")[0]
    for ending in AFTER:
        plain = plain.removesuffix(ending)
    if plain == "mcc":
        return -1.0, 1.0
    return (0.0, 1.0) if plain in SHARES else None
