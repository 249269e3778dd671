"""Every interval once more, slowly: row by row, pair by pair, from the papers' own formulas."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from mlops_ci.config.model import Policy
from mlops_ci.records import MetricResult
from mlops_ci.verdict import Outputs, PairedRows, compare_fairness, compare_paired
from mlops_ci.verdict.intervals import student_quantile
from tests.unit.verdict.rows_for_tests import binary_rows, multiclass_rows, regression_rows

Z = 1.959963984540054


def measured(rows: PairedRows, *names: str) -> dict[str, MetricResult]:
    return {one.metric: one for one in compare_paired(rows, Policy(), names)}


def root(falling: Callable[[float], float], low: float, high: float) -> float:
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return middle


def moment(column: Any, order: int) -> float:
    mean = math.fsum(column) / len(column)
    return math.fsum((one - mean) ** order for one in column) / len(column)


def hall(estimate: float, se: float, skew: float, df: float) -> tuple[float, float]:
    """Hall 1992: the cubic g(T) = T + γ(2T² + 1)/6 + γ²T³/27 is Student's t; solved by bisection.
    The quantile has a test of its own."""

    def g(truth: float) -> float:
        t = (estimate - truth) / se
        return float(t + skew * (2 * t * t + 1) / 6 + skew**2 * t**3 / 27)

    q, far = student_quantile(0.95, df), 60 * se
    low = root(lambda m: g(m) - q, estimate - far, estimate + far)
    return low, root(lambda m: g(m) + q, estimate - far, estimate + far)


def satterthwaite(column: Any, fewest: float = 10.0) -> float:
    """Degrees of freedom of a variance, from the kurtosis."""
    n, square = len(column), moment(column, 2)
    kurtosis = moment(column, 4) / square**2
    return max(min(2 * n / (kurtosis - 1) - 1, n - 1), fewest)


def mean_by_hand(estimate: float, influence: Any, df: float | None = None) -> tuple[float, float]:
    n, square = len(influence), moment(influence, 2)
    se = math.sqrt(square / (n - 1))
    variance = square * n / (n - 1)
    skew = moment(influence, 3) / variance**1.5 / math.sqrt(n)
    return hall(estimate, se, skew, df or satterthwaite(influence))


def loss_by_hand(estimate: float, influence: Any) -> tuple[float, float]:
    """Of the change of a loss: the long side longer by 3γ², and of 3 … 15 carriers the other side
    from as long as it to as Hall has it."""
    n, square = len(influence), moment(influence, 2)
    skew = moment(influence, 3) / (square * n / (n - 1)) ** 1.5 / math.sqrt(n)
    ends = mean_by_hand(0.0, influence, satterthwaite(influence, 2.0))
    tail, other = (ends[1], -ends[0]) if skew > 0 else (-ends[0], ends[1])
    tail *= 1 + 3 * skew**2
    carriers = n * square**2 / moment(influence, 4)
    doubt = min(max((15 - carriers) / 12, 0.0), 1.0)
    other = max(other, (1 - doubt) * other + doubt * tail)
    down, up = (other, tail) if skew > 0 else (tail, other)
    return estimate - down, estimate + up


def logit_by_hand(value: float, se: float, df: float) -> tuple[float, float]:
    from scipy.special import expit, logit

    half = student_quantile(0.95, df) * se / (value * (1 - value))
    return float(expit(logit(value) - half)), float(expit(logit(value) + half))


def log_loss(y: float, p: float) -> float:
    return -math.log(p if y else 1 - p)


def brier(y: float, p: float) -> float:
    return (p - y) ** 2


def pinball(y: float, p: float) -> float:
    return 0.9 * (y - p) if y >= p else 0.1 * (p - y)


@pytest.mark.parametrize(
    ("name", "loss", "scored"),
    [
        ("log_loss", log_loss, True),
        ("brier", brier, True),
        ("mae", lambda y, p: abs(y - p), False),
        ("mse", lambda y, p: (y - p) ** 2, False),
        ("mape", lambda y, p: abs(y - p) / abs(y), False),
        ("pinball_loss@0.9", pinball, False),
    ],
)
def test_a_mean_loss(name: str, loss: Callable[[float, float], float], scored: bool) -> None:
    rows = binary_rows(11, n=700) if scored else regression_rows(11, n=700)
    if scored:  # away from 0 and 1, where scikit-learn and we cut the logarithm
        scores: list[Any] = [rows.base.score, rows.head.score]
        cut = [np.clip(score, 0.01, 0.99) for score in scores]
        answers = [Outputs((score >= 0.5).astype(np.int64), score) for score in cut]
        rows = PairedRows("binary", ("0", "1"), rows.label, answers[0], answers[1])
    losses = []
    for side in (rows.base, rows.head):
        said = side.score if scored else side.prediction
        assert said is not None
        losses.append([loss(float(y), float(p)) for y, p in zip(rows.label, said, strict=True)])
    moved = [after - before for before, after in zip(*losses, strict=True)]
    found = measured(rows, name)[name]
    truth = loss_by_hand(math.fsum(moved) / len(moved), moved)
    assert (found.low, found.high) == pytest.approx(truth, abs=1e-9)
    own = loss_by_hand(math.fsum(losses[1]) / len(moved), losses[1])
    assert (found.head_low, found.head_high) == pytest.approx(own, abs=1e-9)


def mean(column: Any, w: Any) -> Any:
    return (w * column).sum() / w.sum()


def root_mean_square(y: Any, p: Any, w: Any) -> Any:
    return np.sqrt(mean((y - p) ** 2, w))


def explained(y: Any, p: Any, w: Any) -> Any:
    return 1 - mean((y - p) ** 2, w) / mean((y - mean(y, w)) ** 2, w)


@lru_cache(maxsize=8)
def at_least(score: bytes) -> Any:
    """[n, n]: which rows score as high as another one."""
    values = np.frombuffer(score)
    return (values[None, :] >= values[:, None]).astype(complex)


@lru_cache(maxsize=16)
def won(actual: bytes, score: bytes) -> Any:
    """[positives, negatives]: which pairs are in order; a tie is half of one."""
    values, positive = np.frombuffer(score), np.frombuffer(actual, dtype=bool)
    gap = values[positive][:, None] - values[~positive][None, :]
    return ((gap > 0) + 0.5 * (gap == 0)).astype(complex)


def precisions(actual: Any, score: Any, w: Any) -> Any:
    """The mean over positives of the precision at their score."""
    table = at_least(np.asarray(score, dtype=float).tobytes())
    precision = (table @ (w * actual)) / (table @ w)
    return mean(precision, w * actual)


def pairs_in_order(actual: Any, score: Any, w: Any) -> Any:
    """The share of pairs of a positive and a negative row of which the positive scores higher."""
    table = won(actual.tobytes(), np.asarray(score, dtype=float).tobytes())
    return w[actual] @ table @ w[~actual] / (w[actual].sum() * w[~actual].sum())


def slopes_of(value_of: Callable[..., Any], y: Any, said: Any, w: Any = None) -> Any:
    """The infinitesimal jackknife (Jaeckel 1972): the slope in each row's weight, by a step in the
    imaginary direction, of which no digit is lost (Squire & Trapp 1998). Of weight times what the
    row adds, where rows have weights.
    """
    n, found = len(y), []
    w = np.ones(n) if w is None else w
    for row in range(n):
        nudged = w.astype(complex)
        nudged[row] += 1e-30j
        found.append(w.sum() * value_of(y, said, nudged).imag / 1e-30 * w[row] / w.mean())
    return np.array(found)


@pytest.mark.parametrize(("name", "value_of"), [("rmse", root_mean_square), ("r2", explained)])
def test_a_function_of_means_by_nudging_every_row(
    name: str, value_of: Callable[..., float]
) -> None:
    rows = regression_rows(12, n=600)
    sides = (rows.base.prediction, rows.head.prediction)
    values = [float(value_of(rows.label, said, np.ones(600))) for said in sides]
    slopes = [slopes_of(value_of, rows.label, said) for said in sides]
    found = measured(rows)[name]
    truth = loss_by_hand(values[1] - values[0], slopes[1] - slopes[0])
    assert (found.low, found.high) == pytest.approx(truth, abs=1e-9)
    own = loss_by_hand(values[1], slopes[1])
    assert (found.head_low, found.head_high) == pytest.approx(own, abs=1e-9)


def placed(score: Any, actual: Any) -> tuple[Any, Any]:
    """DeLong 1988: the share of negatives below each positive, of positives above each negative."""
    table = np.array(
        [[(p > q) + 0.5 * (p == q) for q in score[~actual]] for p in score[actual]], dtype=float
    )
    return table.mean(axis=1), table.mean(axis=0)


def test_an_areas_own_interval_pair_by_pair() -> None:
    rows = binary_rows(13, n=240)
    assert rows.head.score is not None
    parts = placed(rows.head.score, rows.label == 1)
    terms = [np.var(part, ddof=1) / len(part) for part in parts]
    se, area = math.sqrt(sum(terms)), float(parts[0].mean())
    df = sum(terms) ** 2 / sum(
        term**2 / satterthwaite(part) for term, part in zip(terms, parts, strict=True)
    )
    found = measured(rows)["roc_auc"]
    truth = logit_by_hand(area, se, df)
    assert (found.head_low, found.head_high) == pytest.approx(truth, abs=1e-9)


def test_an_area_of_many_classes_pair_by_pair() -> None:
    rows = multiclass_rows(14, n=300, k=3)
    influences, values = [], []
    for side in (rows.base, rows.head):
        assert side.score is not None
        total, value = np.zeros(300), 0.0
        for k in range(3):
            actual = rows.label == k
            positive, negative = placed(side.score[:, k], actual)
            area = positive.mean()
            total[actual] += (positive - area) * 300 / actual.sum() / 3
            total[~actual] += (negative - area) * 300 / (~actual).sum() / 3
            value += area / 3
        influences.append(total)
        values.append(value)
    rarest = int(np.bincount(rows.label).min())
    moved = influences[1] - influences[0]
    df = min(rarest - 1, satterthwaite(moved))
    found = measured(rows)["roc_auc"]
    truth = mean_by_hand(values[1] - values[0], moved, df)
    assert (found.low, found.high) == pytest.approx(truth, abs=1e-9)
    own = logit_by_hand(values[1], math.sqrt(moment(influences[1], 2) / 299), rarest - 1)
    assert (found.head_low, found.head_high) == pytest.approx(own, abs=1e-9)


def test_average_precision_by_nudging_every_row() -> None:
    rows = binary_rows(15, n=240)
    actual, n, sides = rows.label == 1, 240, (rows.base.score, rows.head.score)
    values = [float(precisions(actual, score, np.ones(n)).real) for score in sides]
    slopes = [slopes_of(precisions, actual, score) for score in sides]
    positives, moved = int(actual.sum()), slopes[1] - slopes[0]
    found = measured(rows)["average_precision"]
    truth = mean_by_hand(values[1] - values[0], moved, min(positives - 1, satterthwaite(moved)))
    assert (found.low, found.high) == pytest.approx(truth, abs=1e-9)
    se = math.sqrt(moment(slopes[1], 2) / (n - 1))
    worth = 2 * n / (moment(slopes[1], 4) / moment(slopes[1], 2) ** 2 - 1)
    own = logit_by_hand(values[1], se, min(positives - 1, max(worth, 10)))
    assert (found.head_low, found.head_high) == pytest.approx(own, abs=1e-9)


def score_by_hand(column: Any, lowest: float, highest: float) -> tuple[float, float]:
    """All means that the score test of a multinomial does not reject. Its likelihood under a mean
    δ is greatest at p = 1/n/(1 + λ(x − δ)) (Owen 1988), what is left going to an end of the range.
    """
    column = np.asarray(column, dtype=float)
    n, mean = len(column), float(np.mean(column))

    def statistic(delta: float) -> float:
        away = column - delta
        ends = sorted((-1 / (highest - delta), 1 / (delta - lowest)))
        inside = [end * (1 - 1e-12) for end in ends]
        weight = root(lambda at: float((away / (1 + at * away)).sum()), inside[0], inside[1])
        p = 1 / n / (1 + weight * away)
        rest = max(1 - float(p.sum()), 0.0)
        end = highest if delta > mean else lowest
        variance = float((p * column**2).sum()) + rest * end**2 - delta**2
        return (mean - delta) / math.sqrt(variance / n)

    low = root(lambda at: statistic(at) - Z, lowest + 1e-9, mean - 1e-12)
    return low, root(lambda at: statistic(at) + Z, mean + 1e-12, highest - 1e-9)


def of_table(name: str, table: Any, average: str) -> Any:
    """From weights [label, prediction]."""
    hits, actual, called = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    if name == "mcc":
        n = table.sum()
        spread = np.sqrt((n**2 - (actual**2).sum()) * (n**2 - (called**2).sum()))
        return (n * hits.sum() - (actual * called).sum()) / spread
    each = {"balanced_accuracy": hits / actual, "precision": hits / called}.get(
        name, 2 * hits / (actual + called)
    )
    if average == "binary" and name != "balanced_accuracy":
        return each[1]
    return mean(each, actual if average == "weighted" else np.ones(len(each)))


def bent(name: str, table: Any, average: str) -> float:
    """What counts that vary as Poisson's add to the value: half of each one's variance, itself,
    times how the value bends."""
    found, step = 0.0, 1e-2
    for cell in np.argwhere(table > 0):
        nudge = np.zeros_like(table)
        nudge[tuple(cell)] = step
        up, here, down = (of_table(name, table + by * nudge, average) for by in (1, 0, -1))
        found += table[tuple(cell)] / 2 * (up - 2 * here + down) / step**2
    return found


METRICS = ("precision", "f1", "mcc", "balanced_accuracy", "f1_macro", "f1_weighted")


@pytest.mark.parametrize("make", [binary_rows, multiclass_rows])
@pytest.mark.parametrize("name", METRICS)
def test_metrics_of_the_table_by_nudging_every_cell(name: str, make: Callable[..., Any]) -> None:
    rows, n = make(16, n=250), 250
    many = "macro" if make is multiclass_rows else "binary"
    average = name.partition("_")[2] if name.startswith("f1_") else many
    k, slopes, values, owns, bias = len(rows.classes), [], [], [], []
    for side in (rows.base, rows.head):
        table = np.bincount(rows.label * k + side.prediction, minlength=k * k).reshape(k, k) * 1.0
        values.append(float(of_table(name, table, average)))
        slope = np.zeros((k, k))
        for cell in np.ndindex(k, k):
            nudged = table.astype(complex)
            nudged[cell] += 1e-30j
            slope[cell] = n * of_table(name, nudged, average).imag / 1e-30
        slopes.append(slope)
        owns.append(slope[rows.label, side.prediction])
        bias.append(0.0 if name == "mcc" or average == "binary" else bent(name, table, average))
    moved = (
        slopes[1][rows.label, rows.head.prediction] - slopes[0][rows.label, rows.base.prediction]
    )
    triples = [float(slopes[1][y, h] - slopes[0][y, b]) for y, b, h in np.ndindex(k, k, k)]
    truth = score_by_hand(moved, min(triples), max(triples))
    found = measured(rows, name)[name]
    assert found.difference == pytest.approx(values[1] - values[0], abs=1e-12)
    shift = values[1] - values[0] - float(moved.mean()) - (bias[1] - bias[0])
    assert (found.low, found.high) == pytest.approx([end + shift for end in truth], abs=1e-9)
    if name in ("precision", "f1") and average == "binary":
        return  # a share: Wilson's, below
    own = score_by_hand(owns[1], slopes[1].min(), slopes[1].max())
    shift = values[1] - float(owns[1].mean()) - bias[1]
    assert (found.head_low, found.head_high) == pytest.approx(
        [end + shift for end in own], abs=1e-9
    )


@pytest.mark.parametrize("name", ["demographic_parity_difference", "equalized_odds_ratio"])
def test_fairness_by_drawing_rows_one_by_one(name: str) -> None:
    """The bias-corrected bootstrap (Efron & Tibshirani 1993, 14.3) over rows: equal but for chance."""
    from scipy.stats import norm

    rng = np.random.default_rng(17)
    n = 4_000
    group, label = rng.integers(0, 2, n), rng.integers(0, 2, n)
    answers = [
        (rng.random(n) < 0.3 + 0.4 * label - 0.1 * (group == 0) * (at + 1)).astype(np.int64)
        for at in (0, 1)
    ]
    slices = {"sex=f": group == 0, "sex=m": group == 1}
    rows = PairedRows("binary", ("0", "1"), label, Outputs(answers[0]), Outputs(answers[1]), slices)

    def spread(chosen: Any, said: Any) -> float:
        rates = []
        for of in (None,) if name.startswith("demographic") else (1, 0):
            kept = [
                chosen[(group[chosen] == g) & (of is None or label[chosen] == of)] for g in (0, 1)
            ]
            rates.append([said[one].mean() for one in kept])
        if name.endswith("difference"):
            return float(max(abs(a - b) for a, b in rates))
        return float(min(min(one) / max(one) for one in rates))

    def change(chosen: Any) -> float:
        return spread(chosen, answers[1]) - spread(chosen, answers[0])

    seen = change(np.arange(n))
    draws = np.array([change(rng.integers(0, n, n)) for _ in range(1_500)])
    shift = norm.ppf((np.mean(draws < seen) + np.mean(draws <= seen)) / 2)
    ends = [norm.cdf(2 * shift + norm.ppf(tail)) for tail in (0.025, 0.975)]
    low, high = np.quantile(draws, ends)
    (found,) = [one for one in compare_fairness(rows, Policy(), ["sex"]) if one.metric == name]
    assert found.difference == pytest.approx(seen, abs=1e-12)
    near = 0.12 * (high - low)
    assert (found.low, found.high) == pytest.approx((low, high), abs=near)


def discounted(gain: Any, score: Any, k: int) -> float:
    order = np.argsort(-score)[:k]
    return math.fsum(gain[at] / math.log2(place + 2) for place, at in enumerate(order))


def test_a_query_is_one_of_the_sample() -> None:
    rng = np.random.default_rng(18)
    queries, deep = 600, 8
    gain = rng.integers(0, 4, (queries, deep)).astype(float)
    gain[:, 0] += 1  # each has something to find
    scores = [gain + rng.normal(0, noise, gain.shape) for noise in (2.0, 2.2)]
    group = np.repeat(np.arange(queries), deep)
    before, after = (Outputs(one.ravel()) for one in scores)
    rows = PairedRows("regression", (), gain.ravel(), before, after, group=group)
    base, head = (
        [discounted(g, s, 5) / discounted(g, g, 5) for g, s in zip(gain, one, strict=True)]
        for one in scores
    )
    moved = [now - then for then, now in zip(base, head, strict=True)]
    found = measured(rows, "ndcg@5")["ndcg@5"]
    truth = loss_by_hand(math.fsum(moved) / queries, moved)
    assert (found.low, found.high) == pytest.approx(truth, abs=1e-9)
    own = loss_by_hand(math.fsum(head) / queries, head)
    assert (found.head_low, found.head_high) == pytest.approx(own, abs=1e-9)
