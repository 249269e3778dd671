"""A quick look at what the intervals promise: 95 % of them hold the truth, and a model whose true
loss equals the margin passes in at most 2.5 %. Seeded, so a failure is a change of ours.
"""

from __future__ import annotations

import numpy as np

from mlops_ci.config.model import Gate, Policy
from mlops_ci.verdict import Outputs, PairedRows, compare_paired, judge
from mlops_ci.verdict.measuring import measure
from mlops_ci.verdict.part import Part
from mlops_ci.verdict.rows import view_of

DRAWN = 400
# 2.5 % of them, and three standard errors of such a count.
MOST_PER_TAIL = DRAWN * 0.025 + 3 * (DRAWN * 0.025 * 0.975) ** 0.5
NAMES = (
    "accuracy",
    "recall",
    "precision",
    "f1",
    "mcc",
    "balanced_accuracy",
    "roc_auc",
    "log_loss",
    "brier",
)


def drawn(rng: np.random.Generator, n: int) -> PairedRows:
    label = (rng.random(n) < 0.35).astype(np.int64)
    shared = rng.normal(size=n) + 1.4 * label
    logits = [1.3 * (shared - g * label + 0.35 * rng.normal(size=n) - 0.9) for g in (0.0, 0.15)]
    scores = [1 / (1 + np.exp(-z)) for z in logits]
    outputs = [Outputs((s >= 0.5).astype(np.int64), s) for s in scores]
    return PairedRows("binary", ("0", "1"), label, outputs[0], outputs[1])


def test_each_tail_misses_as_seldom_as_it_says() -> None:
    big = Part(view_of(drawn(np.random.default_rng(1), 1_000_000)), Policy(), None)
    truth = {}
    for name in NAMES:
        base, head = measure(big, name).values
        truth[name] = head - base  # type: ignore[operator]
    misses = {name: [0, 0] for name in NAMES}
    rng = np.random.default_rng(2)
    for _ in range(DRAWN):
        part = Part(view_of(drawn(rng, 600)), Policy(), None)
        for name in NAMES:
            change = measure(part, name).change
            assert change is not None
            misses[name][0] += change.low > truth[name]
            misses[name][1] += change.high < truth[name]
    for name, tails in misses.items():
        assert max(tails) <= MOST_PER_TAIL, (name, tails)
        # Not wide for safety's sake either.
        assert sum(tails) >= 4, (name, tails)


def test_a_loss_of_the_margin_is_rarely_passed() -> None:
    """200 rows, margin 0.01, and a true loss of it: where the percentile bootstrap passes 13.5 %."""
    rng = np.random.default_rng(3)
    passed, repeats = {"accuracy": 0, "f1": 0}, 400
    for _ in range(repeats):
        label = (np.arange(200) % 2).astype(np.int64)
        base = np.where(rng.random(200) < 0.9, label, 1 - label)
        # Head gets 1 % of the rows wrong that base had right.
        broken = (base == label) & (rng.random(200) < 0.01 / 0.9)
        head = np.where(broken, 1 - base, base)
        rows = PairedRows("binary", ("0", "1"), label, Outputs(base), Outputs(head))
        results = compare_paired(rows, Policy())
        for metric in passed:
            found = judge(results, [Gate(metric=metric, kind="max-drop", limit=0.01)], Policy())
            passed[metric] += found.verdict == "pass"
    assert max(passed.values()) / repeats <= 0.025 + 3 * (0.025 * 0.975 / repeats) ** 0.5
