"""Metrics of the confusion table, each with its influence function.

The influence of a row (label y, prediction a) is the metric's gradient in the table's shares,
centred: mean over rows 0. The change of a metric is, to first order, the mean of head's influence
minus base's, which `score_interval` bounds even when no row changed: the score test is Rao's (1948,
"Large sample tests of statistical hypotheses concerning several parameters with applications to
problems of estimation", Proc. Cambridge Phil. Soc. 44, 50–57, doi:10.1017/S0305004100023987).

MCC: Matthews 1975 (Biochim. Biophys. Acta 405, 442–451, doi:10.1016/0005-2795(75)90109-9), of many
classes Gorodkin 2004, "Comparing two K-category assignments by a K-category correlation
coefficient" (Comput. Biol. Chem. 28, 367–374, doi:10.1016/j.compbiolchem.2004.09.006). Balanced
accuracy: Brodersen et al. 2010, "The balanced accuracy and its posterior distribution" (ICPR 20,
3121–3124, doi:10.1109/ICPR.2010.764), of many classes the mean of all recalls: Guyon et al. 2015
(IJCNN, doi:10.1109/IJCNN.2015.7280767). F1: van Rijsbergen 1979, "Information retrieval", 2nd ed.,
ch. 7 (https://www.dcs.gla.ac.uk/Keith/Preface.html); `f1_macro` is the mean of the classes' F1, not
the F1 of mean precision and mean recall: Opitz & Burst 2019, "Macro F1 and macro F1"
(arXiv:1911.03347).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlops_ci.verdict.aggregates.cells import Cells, shares
from mlops_ci.verdict.intervals import Atoms, Interval, score_interval, wilson
from mlops_ci.verdict.rows import Floats, Ints

# A class's metric in one table: value, gradient [classes, classes].
Linear = tuple[float, Floats]


@dataclass(frozen=True)
class Question:
    """Which metric, over which class (binary) or averaged how (many classes)."""

    metric: str
    positive: int | None = None
    average: str | None = None


def accuracy(p: Floats) -> Linear:
    return float(np.trace(p)), np.eye(len(p))


def recall_of(p: Floats, k: int) -> Linear:
    of_class = float(p[k].sum())
    value = float(p[k, k]) / of_class
    gradient = np.zeros_like(p)
    gradient[k] = -value / of_class
    gradient[k, k] += 1 / of_class
    return value, gradient


def precision_of(p: Floats, k: int) -> Linear | None:
    """None: no row was predicted to be of the class."""
    predicted = float(p[:, k].sum())
    if predicted == 0:
        return None
    value = float(p[k, k]) / predicted
    gradient = np.zeros_like(p)
    gradient[:, k] = -value / predicted
    gradient[k, k] += 1 / predicted
    return value, gradient


def f1_of(p: Floats, k: int) -> Linear:
    both = float(p[k].sum() + p[:, k].sum())
    value = 2 * float(p[k, k]) / both
    gradient = np.zeros_like(p)
    gradient[k] -= value / both
    gradient[:, k] -= value / both
    gradient[k, k] += 2 / both
    return value, gradient


def mcc(p: Floats) -> Linear:
    """Gorodkin's R_K; for two classes Matthews's. 0 when one class only is seen or predicted."""
    actual, predicted = p.sum(axis=1), p.sum(axis=0)
    covariance = float(np.trace(p) - np.einsum("k,k->", actual, predicted))
    u = float(1 - np.einsum("k,k->", actual, actual))
    v = float(1 - np.einsum("k,k->", predicted, predicted))
    if u <= 0 or v <= 1e-15:
        return 0.0, np.zeros_like(p)
    scale = float(np.sqrt(u * v))
    value = covariance / scale
    gradient = (np.eye(len(p)) - predicted[:, None] - actual[None, :]) / scale
    gradient += value * (actual[:, None] / u + predicted[None, :] / v)
    return value, gradient


BY_CLASS = {"precision": precision_of, "recall": recall_of, "f1": f1_of}


def averaged(p: Floats, question: Question) -> Linear:
    """Over the classes that occur among the labels; a class never predicted has precision 0."""
    if question.average == "micro":
        return accuracy(p)
    actual = p.sum(axis=1)
    present = np.flatnonzero(actual)
    value, gradient = 0.0, np.zeros_like(p)
    for k in present:
        part = BY_CLASS[question.metric](p, int(k)) or (0.0, np.zeros_like(p))
        weight = float(actual[k]) if question.average == "weighted" else 1 / len(present)
        value += weight * part[0]
        gradient += weight * part[1]
        if question.average == "weighted":
            gradient[k] += part[0]
    return value, gradient


def linearise(table: Ints, question: Question) -> Linear | None:
    """Value and influence [classes, classes], or None where the metric has no value."""
    p = shares(table)
    found = gradient_of(p, question)
    if found is None:
        return None
    value, gradient = found
    counts = _proportion(table, question)
    if counts is not None:
        value = _value(question, *counts)
    return value, gradient - np.einsum("ij,ij->", p, gradient)


def gradient_of(p: Floats, question: Question) -> Linear | None:
    name, positive = question.metric, question.positive
    if name == "accuracy":
        return accuracy(p)
    if name == "mcc":
        return mcc(p)
    if name == "balanced_accuracy":
        return averaged(p, Question("recall", average="macro"))
    if positive is None or question.average is not None:
        return averaged(p, question)
    if name == "specificity":
        return recall_of(p, 1 - positive)
    return BY_CLASS[name](p, positive)


def own_interval(table: Ints, question: Question, level: float) -> Interval | None:
    """Wilson where the metric is a proportion (of all rows, of a class, of the rows predicted)."""
    counts = _proportion(table, question)
    if counts is not None:
        hits, rows = counts
        interval = wilson(hits, rows, level) if rows else None
        if interval is None or question.metric != "f1":
            return interval
        return _f1_from_jaccard(hits / rows, interval)
    found = linearise(table, question)
    if found is None:
        return None
    value, influence = found
    seen = influence[table.sum(axis=1) > 0]
    atoms = Atoms(influence.ravel(), table.ravel(), float(seen.min()), float(seen.max()))
    return score_interval(atoms, level).shifted(value)


def _value(question: Question, hits: int, rows: int) -> float:
    """From whole numbers: 3 of 4 is 0.75, not what a product of shares rounds to."""
    return 2 * hits / (hits + rows) if question.metric == "f1" else hits / rows


def _proportion(table: Ints, question: Question) -> tuple[int, int] | None:
    k = question.positive
    if question.metric == "accuracy" or question.average == "micro":
        return int(np.trace(table)), int(table.sum())
    if k is None or question.average is not None:
        return None
    if question.metric == "specificity":
        return int(table[1 - k, 1 - k]), int(table[1 - k].sum())
    hits, actual, predicted = int(table[k, k]), int(table[k].sum()), int(table[:, k].sum())
    rows = {"recall": actual, "precision": predicted, "f1": actual + predicted - hits}
    return (hits, rows[question.metric]) if question.metric in rows else None


def _f1_from_jaccard(jaccard: float, interval: Interval) -> Interval:
    """F1 = 2J / (1 + J), and J is a proportion: of the rows that are, or are called, positive."""
    low, high = (2 * bound / (1 + bound) for bound in (interval.low, interval.high))
    return Interval(low, high, interval.se * 2 / (1 + jaccard) ** 2, interval.method)


def change_interval(cells: Cells, question: Question, level: float) -> Interval | None:
    """Of head − base. Tango for accuracy, and for recall and specificity within their class."""
    k = question.positive
    if k is not None and question.average is None and question.metric in ("recall", "specificity"):
        cells = cells.of_class(k if question.metric == "recall" else 1 - k)
        question = Question("accuracy")
    if question.metric == "accuracy" or question.average == "micro":
        return paired_proportions(cells, level)
    found = [linearise(cells.table(side), question) for side in (0, 1)]
    base, head = found
    if base is None or head is None:
        return None
    labels, before, after = cells.codes.T
    moved = head[1][labels, after] - base[1][labels, before]
    low, high = _reach(base[1], head[1], np.unique(labels))
    atoms = Atoms(*_collapsed(moved, cells.counts), low, high)
    return score_interval(atoms, level, "score, linearised").shifted(head[0] - base[0])


def paired_proportions(cells: Cells, level: float) -> Interval:
    moved = cells.correct(1) - cells.correct(0)
    counts = np.bincount(moved + 1, weights=cells.counts, minlength=3)
    atoms = Atoms(np.array([-1.0, 0.0, 1.0]), counts, -1.0, 1.0)
    return score_interval(atoms, level, "Tango")


def _reach(base: Floats, head: Floats, labels: Ints) -> tuple[float, float]:
    """The largest fall and rise that a row of any label seen could contribute."""
    rise = head.max(axis=1) - base.min(axis=1)
    fall = head.min(axis=1) - base.max(axis=1)
    return float(fall[labels].min()), float(rise[labels].max())


def _collapsed(values: Floats, counts: Ints) -> tuple[Floats, Floats]:
    unique, where = np.unique(values, return_inverse=True)
    return unique, np.bincount(where, weights=counts).astype(np.float64)
