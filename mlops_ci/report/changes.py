"""What else changed between base and head: parameters, data, environment, outputs' size, cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops_ci.records import Training
from mlops_ci.report.model import Report, Section
from mlops_ci.report.numbers import show_bytes, show_money, show_seconds
from mlops_ci.report.phrase import Phrase, clip, code, text

MOST = 40


def changes_of(section: Section) -> tuple[Phrase, ...]:
    """One phrase a change, of what both trainings recorded; empty when either is not known."""
    head, base = section.training, section.base_training
    if head is None or base is None:
        return ()
    found = [
        *_mapping(base.parameters, head.parameters),
        *_data(base.data, head.data),
        *_environment(base, head),
        *_command(base, head),
    ]
    if len(found) > MOST:
        return (*found[:MOST], text(f"and {len(found) - MOST:,} more"))
    return tuple(found)


def _mapping(base: Mapping[str, Any], head: Mapping[str, Any]) -> Iterator[Phrase]:
    for name in sorted({*base, *head}):
        if name not in base:
            yield code(name) + text(f" = {_value(head[name])} (new)")
        elif name not in head:
            yield code(name) + text(f" = {_value(base[name])} (removed)")
        elif base[name] != head[name]:
            yield code(name) + text(f" {_value(base[name])} → {_value(head[name])}")


def _value(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return clip(str(value), 80)


def _data(base: Mapping[str, str], head: Mapping[str, str]) -> Iterator[Phrase]:
    for name in sorted({*base, *head}):
        if base.get(name) != head.get(name):
            how = "new" if name not in base else "removed" if name not in head else "changed"
            yield code(name) + text(f" {how}")


def _environment(base: Training, head: Training) -> Iterator[Phrase]:
    old, new = base.environment, head.environment
    if old is None or new is None:
        return
    if old.python != new.python:
        yield text(f"Python {old.python} → {new.python}")
    if old.platform != new.platform:
        yield code(old.platform) + text(" → ") + code(new.platform)
    if old.lock_digest != new.lock_digest:
        yield code(new.lock or old.lock or "requirements") + text(" changed")


def _command(base: Training, head: Training) -> Iterator[Phrase]:
    if base.command != head.command:
        yield code(" ".join(base.command)) + text(" → ") + code(" ".join(head.command))


def cost_of(report: Report) -> tuple[str, ...]:
    """Durations, memory and money: they vary by run, so they belong into the footer."""
    trained = [s.training for s in report.models if s.training is not None and s.training.command]
    if len(trained) != 1:
        return _cost_of_many([one for one in trained if one.reused is None], report)
    training = trained[0]
    if training.reused is not None:
        return ("training reused: nothing that it depends on changed",)
    if not training.duration_seconds:
        return ()
    times = f"{len(training.seeds) + 1} times " if training.seeds else ""
    found = [f"trained {times}in {show_seconds(_seconds(training))}"]
    if training.peak_memory_bytes:
        found.append(f"{show_bytes(training.peak_memory_bytes)} of memory")
    return (*found, *_money([training], report))


def _cost_of_many(trained: list[Training], report: Report) -> tuple[str, ...]:
    seconds = sum(_seconds(one) for one in trained)
    if not seconds:
        return ()
    said = f"{len(trained)} models trained in {show_seconds(seconds)}"
    return (said, *_money(trained, report))


def _seconds(training: Training) -> float:
    """Of every seed."""
    return training.duration_seconds + sum(one.duration_seconds for one in training.seeds)


def _money(trained: list[Training], report: Report) -> Iterator[str]:
    """One sum a currency; none where one of the models has no price: half a sum says nothing."""
    prices = [report.prices.get(one.model) for one in trained]
    sums: dict[str, float] = {}
    for training, price in zip(trained, prices, strict=True):
        if price is None:
            return
        amount = price.per_hour * _seconds(training) / 3600
        sums[price.currency] = sums.get(price.currency, 0.0) + amount
    for currency, amount in sorted(sums.items()):
        yield f"cost {show_money(amount, currency)}"
