"""What becomes of good and bad models: our verdict beside the rules that teams use today."""

from __future__ import annotations

import re

import numpy as np

from benchmarks.coverage.tally import Rates
from benchmarks.coverage.worlds import World, draw
from benchmarks.figure import print_table
from mlops_ci.config.model import Gate, Policy
from mlops_ci.records import Comparison, RowCounts
from mlops_ci.records.comparison import Side
from mlops_ci.verdict import Judgement, compare_paired, judge
from mlops_ci.verdict.comparing import result_of
from mlops_ci.verdict.measuring import measure
from mlops_ci.verdict.part import Part
from mlops_ci.verdict.rows import view_of

MARGIN = 0.01
# True changes of the ROC AUC. The third is the margin itself: neither good nor bad.
CHANGES = (0.0, -0.005, -MARGIN, -0.0145, -0.02)
SIZES = (1_000, 5_000, 20_000, 100_000)
GATES = (
    Gate(metric="roc_auc", kind="max-drop", limit=MARGIN),
    Gate(metric="accuracy", kind="max-drop", limit=MARGIN),
    Gate(metric="log_loss", kind="max-drop", limit=0.02),
)


def world_of(n: int, change: float) -> World:
    """The head whose true change of ROC AUC this is."""
    from scipy.special import ndtr, ndtri

    base = World(n, 0.3, 0.8).base
    head = float(ndtri(ndtr(base / np.sqrt(2)) + change) * np.sqrt(2))
    return World(n, 0.3, 0.8, base=base, head=head)


def decide(task: tuple[int, float, int]) -> Rates:
    """One gate on ROC AUC. `task`: rows, true change, samples."""
    n, change, drawn = task
    world, rng = world_of(n, change), np.random.default_rng([7, n, round(-change * 1e4)])
    rates = Rates()
    for _ in range(drawn):
        part = Part(view_of(draw(world, rng)), Policy(), None)
        result = result_of("roc_auc", part, measure(part, "roc_auc"), "paired")
        found = judge([result], GATES[:1], Policy())
        seen = result.difference or 0.0
        words = [str(found.verdict)]
        words += ["mergeable"] if not found.blocks else []
        words += ["any drop"] if seen >= 0 else []
        words += ["tolerance"] if seen >= -MARGIN else []
        rates.note(*words)
    return rates


def print_decisions(found: dict[tuple[int, float], Rates]) -> None:
    print(
        f"\nROC AUC, margin {MARGIN:g}: what becomes of a model whose true change is known "
        "(mergeable: at default settings; any drop, tolerance: the rules that compare two numbers)"
    )
    heading = (
        "rows", "true change", "pass", "inconclusive", "fail", "mergeable", "any drop merges",
        "tolerance merges",
    )  # fmt: skip
    table: list[tuple[str, ...]] = [heading]
    words = ("pass", "inconclusive", "fail", "mergeable", "any drop", "tolerance")
    for (n, change), rates in sorted(found.items(), key=lambda item: (item[0][0], -item[0][1])):
        table.append((f"{n:,}", f"{change:+.4f}", *(f"{rates.rate(word):.1%}" for word in words)))
    print_table(table)


def wrong_decisions(found: dict[tuple[int, float], Rates]) -> list[str]:
    """A model that loses the margin or more passes in at most 2.5 %, and is never mergeable where a
    point tolerance would have stopped it.
    """
    wrong = []
    for (n, change), rates in found.items():
        most = 0.025 + 3 * (0.025 * 0.975 / rates.drawn) ** 0.5
        if change <= -MARGIN and rates.rate("pass") > most:
            wrong.append(f"{n:,} rows, {change:+.4f}: passes {rates.rate('pass'):.1%}")
        if rates.rate("mergeable") > rates.rate("tolerance"):
            wrong.append(f"{n:,} rows, {change:+.4f}: mergeable more often than under a tolerance")
    return wrong


# What a table has a column for; the rest of an A/A sample's words is the report's own sentence.
SAID = ("pass", "inconclusive", "fail", "blocked", "better", "another better")


def repeat(task: tuple[int, int]) -> Rates:
    """A/A: the same code with another seed: equal skill, other answers. `task`: rows, samples."""
    n, drawn = task
    world, rng, rates = World(n, 0.3, 0.9, head=World.base), np.random.default_rng([8, n]), Rates()
    for _ in range(drawn):
        found = judge(compare_paired(draw(world, rng), Policy()), GATES, Policy())
        better = {one.metric for one in found.metrics if one.better}
        words = [str(found.verdict), sentence_of(found, n)]
        words += ["blocked"] if found.blocks else []
        words += ["better"] if found.primary in better else []
        words += ["another better"] if better - {found.primary} else []
        rates.note(*words)
    return rates


def sentence_of(found: Judgement, n: int) -> str:
    """The report's headline, up to the metric and its numbers."""
    from mlops_ci.report import headline, section_of

    comparison = Comparison(
        model="model",
        base=Side(name="main"),
        head=Side(name="head"),
        rows=RowCounts(head=n, base=n, paired=n, paired_by="id"),
        level=Policy().level,
        policy=Policy().on_inconclusive,
        verdict=found.verdict,
        blocks=found.blocks,
        metrics=found.metrics,
        gates=found.gates,
        primary=found.primary,
        evidence="paired",
    )
    told = headline(section_of(comparison)).removeprefix("model").lstrip(": ")
    return re.split("[:,] ", told)[0]


def print_repeats(found: dict[int, Rates]) -> None:
    print(
        "\nA/A: the same code with another seed; gates on ROC AUC and accuracy (0.01) and log loss "
        "(0.02). Better: said of the primary metric; another: of any other, after Holm"
    )
    table: list[tuple[str, ...]] = [("rows", "samples", *SAID)]
    for n, rates in sorted(found.items()):
        shares = (f"{rates.rate(word):.1%}" for word in SAID)
        table.append((f"{n:,}", f"{rates.drawn:,}", *shares))
    print_table(table)
    print("\nAnd how often the report's headline begins with these words")
    sentences = sorted({word for rates in found.values() for word in rates.counts} - set(SAID))
    table = [("headline", *(f"{n:,} rows" for n in sorted(found)))]
    for told in sentences:
        table.append((told, *(f"{found[n].rate(told):.1%}" for n in sorted(found))))
    print_table(table)


def wrong_repeats(found: dict[int, Rates]) -> list[str]:
    wrong = []
    for n, rates in found.items():
        most = 0.025 + 3 * (0.025 * 0.975 / rates.drawn) ** 0.5
        wrong += [
            f"A/A, {n:,} rows: {rates.rate(word):.1%} {word}"
            for word in ("fail", "better")
            if rates.rate(word) > (3 * most if word == "fail" else most)
        ]
    return wrong
