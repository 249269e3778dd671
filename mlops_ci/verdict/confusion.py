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
(arXiv:1911.03347). What is taken off an average over many classes: Quenouille 1956, "Notes on bias
in estimation" (Biometrika 43, 353–360, doi:10.1093/biomet/43.3-4.353).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlops_ci.verdict.aggregates.cells import Cells
from mlops_ci.verdict.intervals import Atoms, Interval, score_interval, wilson
from mlops_ci.verdict.margins import Gradient, Margins, margins_of
from mlops_ci.verdict.rows import Floats, Ints


@dataclass(frozen=True)
class Question:
    """Which metric, over which class (binary) or averaged how (many classes)."""

    metric: str
    positive: int | None = None
    average: str | None = None


# Value and gradient.
Linear = tuple[float, Gradient]


def accuracy(m: Margins) -> Linear:
    nothing = np.zeros_like(m.hits)
    return float(m.hits.sum()), Gradient(nothing, nothing, np.ones_like(m.hits))


def by_class(name: str, m: Margins) -> tuple[Floats, Gradient]:
    """Of every class its value; its gradient is where the class is the label, or is called. 0 where
    no row was predicted to be of a class (precision), or none has to do with it.
    """
    below = {"recall": m.actual, "precision": m.called, "f1": m.actual + m.called}[name]
    there = below > 0
    one = np.divide(2.0 if name == "f1" else 1.0, below, out=np.zeros_like(below), where=there)
    value = m.hits * one
    slope = -np.divide(value, below, out=np.zeros_like(below), where=there)
    nothing = np.zeros_like(slope)
    row = nothing if name == "precision" else slope
    return value, Gradient(row, nothing if name == "recall" else slope, one)


def mcc(m: Margins) -> Linear:
    """Gorodkin's R_K; for two classes Matthews's. 0 when one class only is seen or predicted."""
    actual, called = m.actual, m.called
    covariance = float(m.hits.sum() - np.einsum("k,k->", actual, called))
    u = float(1 - np.einsum("k,k->", actual, actual))
    v = float(1 - np.einsum("k,k->", called, called))
    nothing = np.zeros_like(actual)
    if u <= 0 or v <= 1e-15:
        return 0.0, Gradient(nothing, nothing, nothing)
    scale = float(np.sqrt(u * v))
    value = covariance / scale
    row = value * actual / u - called / scale
    column = value * called / v - actual / scale
    return value, Gradient(row, column, nothing + 1 / scale)


def averaged(m: Margins, question: Question) -> Linear:
    """Over the classes that occur among the labels; a class never predicted has precision 0."""
    if question.average == "micro":
        return accuracy(m)
    value, slope = by_class(question.metric, m)
    present = m.actual > 0
    weighted = question.average == "weighted"
    weight = m.actual if weighted else present / present.sum()
    row = weight * slope.row + (np.where(present, value, 0.0) if weighted else 0.0)
    found = Gradient(row, weight * slope.column, weight * slope.hit)
    return float((weight * value).sum()), found


def bias_of(m: Margins, question: Question) -> float:
    """By how much an average over classes is too high, to the second order (the delta method's next
    term: Quenouille 1956). Of one class it is lost in the error; over many classes the errors
    cancel and it does not.
    """
    if question.metric not in ("precision", "f1") or question.average not in ("macro", "weighted"):
        return 0.0
    there = (m.actual > 0) & (m.called > 0)
    a, p, h = (one[there] for one in (m.actual, m.called, m.hits))
    # Of one row: the variances of being of the class and of being called it, and covariances.
    aa, pp, ap, ha, hp = a * (1 - a), p * (1 - p), h - a * p, h * (1 - a), h * (1 - p)
    weighted = question.average == "weighted"
    if question.metric == "precision":  # h / p has none; a·h / p has
        curved = ha / p - h * ap / p**2 - a * hp / p**2 + a * h * pp / p**3
        return float(curved.sum()) / m.n if weighted else 0.0
    s = a + p  # F1 = 2h / s
    curved = 2 * h / s**3 * (aa + pp + 2 * ap) - 2 / s**2 * (ha + hp)
    if weighted:
        curved = a * curved + 2 * ha / s - 2 * h / s**2 * (aa + ap)
        return float(curved.sum()) / m.n
    return float(curved.sum()) / m.n / int((m.actual > 0).sum())


def linearise(m: Margins, question: Question) -> Linear | None:
    """Value and influence, or None where the metric has no value."""
    found = gradient_of(m, question)
    if found is None:
        return None
    value, gradient = found
    counts = _proportion(m, question)
    if counts is not None:
        value = _value(question, *counts)
    return value, gradient.centred(m)


def gradient_of(m: Margins, question: Question) -> Linear | None:
    name, positive = question.metric, question.positive
    if name == "accuracy":
        return accuracy(m)
    if name == "mcc":
        return mcc(m)
    if name == "balanced_accuracy":
        return averaged(m, Question("recall", average="macro"))
    if positive is None or question.average is not None:
        return averaged(m, question)
    if name == "specificity":
        return of_class("recall", m, 1 - positive)
    return of_class(name, m, positive)


def influence_of(m: Margins, question: Question) -> tuple[float, Gradient, float] | None:
    """Value, what each kind of row adds with mean 0, and how far any could lie from 0; None where
    the metric has no value."""
    found = gradient_of(m, question)
    if found is None:
        return None
    value, gradient = found
    influence = gradient.centred(m)
    low, high = influence.ends(np.flatnonzero(m.actual))
    return value, influence, max(-float(low.min()), float(high.max()))


def of_class(name: str, m: Margins, k: int) -> Linear | None:
    """None: no row was predicted to be of the class, whose precision is asked for."""
    if name == "precision" and m.called[k] == 0:
        return None
    value, slope = by_class(name, m)
    only = np.arange(len(value)) == k
    return float(value[k]), Gradient(slope.row * only, slope.column * only, slope.hit * only)


def own_interval(cells: Cells, side: int, question: Question, level: float) -> Interval | None:
    """Wilson where the metric is a proportion (of all rows, of a class, of the rows predicted)."""
    margins = margins_of(cells, side)
    counts = _proportion(margins, question)
    if counts is not None:
        hits, rows = counts
        interval = wilson(hits, rows, level) if rows else None
        if interval is None or question.metric != "f1":
            return interval
        return _f1_from_jaccard(hits / rows, interval)
    found = linearise(margins, question)
    if found is None:
        return None
    value, influence = found
    labels, said = cells.codes[:, 0], cells.codes[:, 1 + side]
    low, high = influence.ends(np.unique(labels))
    seen = _collapsed(influence.at(labels, said), cells.counts)
    interval = score_interval(Atoms(*seen, float(low.min()), float(high.max())), level)
    return _unbiased(interval, bias_of(margins, question), value)


def _unbiased(around: Interval, bias: float, value: float) -> Interval | None:
    """`around` 0 → around the value less its bias; None where that is more than the interval knows:
    the value itself would lie outside."""
    if not around.low <= bias <= around.high:
        return None
    return around.shifted(value - bias)


def _value(question: Question, hits: int, rows: int) -> float:
    """From whole numbers: 3 of 4 is 0.75, not what a product of shares rounds to."""
    return 2 * hits / (hits + rows) if question.metric == "f1" else hits / rows


def _proportion(m: Margins, question: Question) -> tuple[int, int] | None:
    k = question.positive
    if question.metric == "accuracy" or question.average == "micro":
        return _rows(m, m.hits.sum()), _rows(m, 1.0)
    if k is None or question.average is not None:
        return None
    if question.metric == "specificity":
        return _rows(m, m.hits[1 - k]), _rows(m, m.actual[1 - k])
    hits, actual, called = (_rows(m, one[k]) for one in (m.hits, m.actual, m.called))
    rows = {"recall": actual, "precision": called, "f1": actual + called - hits}
    return (hits, rows[question.metric]) if question.metric in rows else None


def _rows(m: Margins, share: float) -> int:
    """A share of n rows is a whole number of them."""
    return round(float(share) * m.n)


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
    margins = [margins_of(cells, side) for side in (0, 1)]
    base, head = (linearise(one, question) for one in margins)
    if base is None or head is None:
        return None
    labels, before, after = cells.codes.T
    moved = head[1].at(labels, after) - base[1].at(labels, before)
    low, high = _reach(base[1], head[1], np.unique(labels))
    atoms = Atoms(*_collapsed(moved, cells.counts), low, high)
    found = score_interval(atoms, level, "score, linearised")
    bias = bias_of(margins[1], question) - bias_of(margins[0], question)
    return _unbiased(found, bias, head[0] - base[0])


def paired_proportions(cells: Cells, level: float) -> Interval:
    moved = cells.correct(1) - cells.correct(0)
    counts = np.bincount(moved + 1, weights=cells.counts, minlength=3)
    atoms = Atoms(np.array([-1.0, 0.0, 1.0]), counts, -1.0, 1.0)
    return score_interval(atoms, level, "Tango")


def _reach(base: Gradient, head: Gradient, labels: Ints) -> tuple[float, float]:
    """The largest fall and rise that a row of any label seen could contribute."""
    (least, most), (lowest, highest) = base.ends(labels), head.ends(labels)
    return float((lowest - most).min()), float((highest - least).max())


def _collapsed(values: Floats, counts: Ints) -> tuple[Floats, Floats]:
    unique, where = np.unique(values, return_inverse=True)
    return unique, np.bincount(where, weights=counts).astype(np.float64)
