"""The tables that are printed, and which of them do not say what was promised."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from benchmarks.coverage.tally import LOSSES, Misses, Scene, Tally
from benchmarks.figure import print_table

# Held against 94 … 96 %; all others against 2.5 % a tail.
SMOOTH = frozenset(
    [
        "roc_auc", "average_precision", "log_loss", "brier", "mae", "mse", "rmse", "mape", "r2",
        "pinball_loss@0.9", "cost", "ndcg", "ndcg@5", "mrr", "wape",
    ]
)  # fmt: skip
# There a bound of what is not known any more is part of the interval: it may cover more.
BOUNDED = "counted as they are read"
NOMINAL, LEAST, MOST = 0.025, 0.94, 0.96
# What chance may add to a rate: so many of its standard errors. Regions are many.
CHANCE, CHANCE_OF_MANY = 3.0, 4.0
ENOUGH = 500
TOO_OFTEN = "mergeable where a tolerance stops it"
WORST = 20

Key = TypeVar("Key")
Results = list[tuple[Scene, dict[str, Tally]]]
Sized = tuple[str, str, int, int]  # table, estimator, rows, units
Found = dict[Sized, Tally]


def pool(results: Results) -> Found:
    """Over all regions."""
    return _pooled(results, lambda scene, name: (scene.table, name, scene.n, scene.units))


def _pooled(results: Results, key_of: Callable[[Scene, str], Key]) -> dict[Key, Tally]:
    found: dict[Key, Tally] = {}
    for scene, tallies in results:
        for name, one in tallies.items():
            found.setdefault(key_of(scene, name), Tally()).add(one)
    return found


def print_misses(found: Found) -> None:
    print(
        "The 95 % interval of the change (head − base), and head's own: how often it holds the "
        "truth,\nlies above it or below it. ±: two standard errors of `covered` by the number of "
        "samples."
    )
    heading = (
        "estimator", "rows", "samples", "not assessed", "covered", "±", "above", "below", "length",
        "own covered", "own above", "own below",
    )  # fmt: skip
    for title in dict.fromkeys(table for table, *_ in found):
        rows: list[tuple[str, ...]] = [heading]
        for (table, name, n, _), one in sorted(found.items()):
            if table == title:
                rows.append((name, f"{n:,}", *_shown(one.change), *_rates(one.own)))
        print(f"\n{title[0].upper()}{title[1:]}")
        print_table(rows)


def _shown(one: Misses) -> tuple[str, ...]:
    missing = f"{1 - one.assessed / max(one.drawn, 1):.1%}"
    covered, above, below = _rates(one)
    chance = f"{2 * one.chance(max(1 - one.coverage, 0.01)):.1%}"
    length = f"{one.length / max(one.assessed, 1):.4f}"
    return f"{one.drawn:,}", missing, covered, chance, above, below, length


def _rates(one: Misses) -> tuple[str, str, str]:
    if not one.assessed:
        return "–", "–", "–"
    shares = (one.above / one.assessed, one.below / one.assessed)
    return f"{one.coverage:.1%}", f"{shares[0]:.1%}", f"{shares[1]:.1%}"


Region = tuple[str, str, int, str, str]  # table, estimator, rows, region, which interval


def regions(results: Results) -> dict[Region, Misses]:
    found = _pooled(results, lambda scene, name: (scene.table, name, scene.n, scene.region))
    intervals = {}
    for key, one in found.items():
        intervals[*key, "change"] = one.change
        intervals[*key, "own"] = one.own
    return intervals


def print_worst(found: dict[Region, Misses]) -> None:
    """The regions whose tails exceed 2.5 % by the most of their standard errors."""
    ranked = sorted(found.items(), key=lambda item: -_excess(item[1]))
    print(f"\nThe {WORST} worst regions (nominal 2.5 % a tail), by standard errors above it")
    table: list[tuple[str, ...]] = [
        ("table", "estimator", "rows", "region", "interval", "samples", "worst tail", "± 2 se")
    ]
    for (title, name, n, region, which), one in ranked[:WORST]:
        tail, chance = f"{one.worst_tail:.1%}", f"{2 * one.chance(NOMINAL):.1%}"
        table.append((title, name, f"{n:,}", region, which, f"{one.assessed:,}", tail, chance))
    print_table(table)


def _excess(one: Misses) -> float:
    return (one.worst_tail - NOMINAL) / one.chance(NOMINAL) if one.assessed else 0.0


def print_judged(found: Found) -> None:
    print(
        "\nWhat becomes of a model that truly loses half of the margin, just the margin, or 1.45 "
        "margins\n(mergeable: at default settings; any drop, tolerance: the rules that compare two "
        "numbers)"
    )
    words = ("pass", "inconclusive", "fail", "mergeable", "any drop", "tolerance")
    heading = (
        "table", "estimator", "rows", "loses", "samples", "pass", "inconclusive", "fail",
        "mergeable", "any drop merges", "tolerance merges",
    )  # fmt: skip
    rows: list[tuple[str, ...]] = [heading]
    for (table, name, n, _), one in sorted(found.items()):
        for lost in LOSSES:
            rates = one.judged.get(lost)
            if rates is not None:
                shares = (f"{rates.rate(word):.1%}" for word in words)
                rows.append((table, name, f"{n:,}", lost, f"{rates.drawn:,}", *shares))
    print_table(rows)


class Wrong(NamedTuple):
    """An estimator that does not keep its promise, and `why`."""

    table: str
    estimator: str
    n: int
    where: str
    why: str

    def __str__(self) -> str:
        return f"{self.table}, {self.estimator}, {self.n:,} rows, {self.where}: {self.why}"


def wrong(results: Results) -> list[Wrong]:
    found = pool(results)
    return [*fall_short(found), *bad_regions(regions(results)), *bad_models(found)]


def confirmed(first: list[Wrong], second: list[Wrong]) -> list[Wrong]:
    """What is wrong of the second samples, too; and what no chance explains."""
    doubted = {(one.table, one.estimator, one.n) for one in first}
    certain = [one for one in first if one.why == TOO_OFTEN]
    return certain + [one for one in second if (one.table, one.estimator, one.n) in doubted]


def fall_short(found: Found) -> list[Wrong]:
    """What does not keep the promise: smooth estimators 94…96 % from 500 rows on, all others at
    most 2.5 % a tail, each but for chance.
    """
    wrong: list[Wrong] = []
    for (table, name, n, units), tally in found.items():
        if units < ENOUGH:
            continue
        for which, one in (("change", tally.change), ("own", tally.own)):
            why = _short(table, name, one)
            if why is not None:
                wrong.append(Wrong(table, name, n, which, why))
    return wrong


def _short(table: str, name: str, one: Misses) -> str | None:
    if not one.assessed:
        return None
    if name not in SMOOTH:
        most = NOMINAL + CHANCE * one.chance(NOMINAL)
        return f"a tail of {one.worst_tail:.1%}" if one.worst_tail > most else None
    chance = CHANCE * one.chance(0.05)
    most = 1.0 if table.startswith(BOUNDED) else MOST + chance
    return None if LEAST - chance <= one.coverage <= most else f"covers {one.coverage:.1%}"


def bad_regions(found: dict[Region, Misses]) -> list[Wrong]:
    """Regions, of any size, with a tail beyond what chance explains."""
    return [
        Wrong(table, name, n, f"{region}, {which}", f"a tail of {one.worst_tail:.1%}")
        for (table, name, n, region, which), one in found.items()
        if one.assessed and _excess(one) > CHANCE_OF_MANY
    ]


def bad_models(found: Found) -> list[Wrong]:
    """A model that loses the margin or more passes in at most 2.5 %, and is never mergeable where a
    point tolerance would have stopped it.
    """
    wrong: list[Wrong] = []
    for (table, name, n, _), tally in found.items():
        for lost, rates in tally.judged.items():
            most = NOMINAL + CHANCE * (NOMINAL * (1 - NOMINAL) / rates.drawn) ** 0.5
            why = []
            if LOSSES[lost] >= 1 and rates.rate("pass") > most:
                why.append(f"passes {rates.rate('pass'):.1%}")
            if rates.rate("too often"):
                why.append(TOO_OFTEN)
            wrong += [Wrong(table, name, n, f"loses {lost}", one) for one in why]
    return wrong


def whole(found: Found) -> Iterable[Misses]:
    return (one.change for (*_, units), one in found.items() if units >= ENOUGH)
