"""How two files write their row keys: whether those that do not match would, written alike."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlops_ci.data.identity import SEPARATOR

MOST = 20_000  # keys of a side that are looked at
ENOUGH = 0.5  # of the side that has fewer: so many must match to say that spelling is what differs
UNIQUE = 0.99  # of the keys must stay different, or the spelling tells rows apart
SHOWN = 3
LONGEST = 40
SIDES = ("base", "head")

Row = tuple[str, ...]


@dataclass(frozen=True)
class Habit:
    """`plain` takes it out of a key; `mend` is pandas for the column."""

    words: str
    plain: Callable[[str], str]
    mend: str


HABITS = (
    Habit("spaces around it", str.strip, ".str.strip()"),
    Habit("quotes around it", lambda key: key.strip("'\""), '.str.strip("\'\\"")'),
    Habit(
        "another Unicode form",
        lambda key: unicodedata.normalize("NFC", key),
        '.str.normalize("NFC")',
    ),
    Habit("upper and lower case", str.casefold, ".str.lower()"),
    Habit(
        "a folder in front",
        lambda key: re.split(r"[/\\]", key)[-1],
        r'.str.replace(r".*[/\\]", "", regex=True)',
    ),
    Habit(
        "a file's ending",
        lambda key: re.sub(r"\.[A-Za-z]\w{0,4}$", "", key),
        r'.str.replace(r"\.\w+$", "", regex=True)',
    ),
    Habit(
        "a decimal point",
        lambda key: re.sub(r"^([+-]?\d+)\.0*$", r"\1", key),
        r'.str.replace(r"\.0*$", "", regex=True)',
    ),
    Habit(
        "leading zeros",
        lambda key: re.sub(r"^0+(?=\d)", "", key),
        r'.str.replace(r"^0+(?=\d)", "", regex=True)',
    ),
)


@dataclass(frozen=True)
class Spelling:
    """What base and head do differently (`words`), one row's key in both, and what a reader pastes
    (`mend`) where the predictions are written."""

    words: str
    example: tuple[str, str]
    mend: tuple[str, ...] = field(default=())

    @property
    def sentence(self) -> str:
        return f"{self.example[0]} in base is {self.example[1]} in head ({self.words})"


def compare_spelling(
    base: NDArray[Any], head: NDArray[Any], names: Sequence[str] = ("id",)
) -> Spelling | None:
    """Of keys without a partner, which would have one if both sides wrote them alike. `names`: of
    the columns that make a key. None where spelling does not explain it, and for hashes.
    """
    if is_hashed(base) or is_hashed(head) or {base.dtype.kind, head.dtype.kind} == {"i"}:
        return None
    base, head = _without_partner(base[:MOST], head[:MOST])
    sides = [_rows(keys) for keys in (base, head)]
    if not all(sides) or len({len(row) for side in sides for row in side}) != 1:
        return None
    steps = _steps(sides)
    pairs = _pairs(sides, steps)
    if not pairs:
        return None
    kept = steps
    for step in reversed(steps):
        fewer = [one for one in kept if one is not step]
        if _same([sides[0][one] for one, _ in pairs], [sides[1][one] for _, one in pairs], fewer):
            kept = fewer
    at = pairs[0]
    return Spelling(
        ", ".join(dict.fromkeys(step.habit.words for step in kept)),
        (show_keys(base[at[0] :])[0], show_keys(head[at[1] :])[0]),
        tuple(_mends(sides, kept, names)),
    )


def _without_partner(base: NDArray[Any], head: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    texts = [[str(key) for key in keys.tolist()] for keys in (base, head)]
    common = set(texts[0]) & set(texts[1])
    one, other = (np.array([key not in common for key in keys], np.bool_) for keys in texts)
    return base[one], head[other]


@dataclass(frozen=True)
class _Step:
    """A habit taken out of one column of both sides, or of the one that has it."""

    habit: Habit
    column: int
    where: tuple[int, ...] = (0, 1)


def _rows(keys: NDArray[Any]) -> list[Row]:
    return [tuple(str(key).split(SEPARATOR)) for key in keys.tolist()]


def _steps(sides: Sequence[Sequence[Row]]) -> list[_Step]:
    """From the likeliest on. What all keys of one side begin or end with is looked for twice: as
    they are, and once the rest is taken out."""
    steps: list[_Step] = []
    for column in range(len(sides[0][0])):
        for habits in (HABITS[:2], HABITS[2:6]):
            steps += [_Step(habit, column) for habit in habits]
            keys = [
                [row[column] for row in _plain(side, steps, where)]
                for where, side in enumerate(sides)
            ]
            steps += [
                _Step(habit, column, (where,))
                for where in (0, 1)
                for habit in _affixes(keys[where], keys[1 - where])
            ]
        steps += [_Step(habit, column) for habit in HABITS[6:]]
    return steps


def _affixes(keys: Sequence[str], others: Sequence[str]) -> Iterator[Habit]:
    """What these begin or end with and the others do not. Where both have one, but not the same,
    they speak of other things: 2024-01-31 is not 2024-02-31."""
    (front, back), (other_front, other_back) = _ends(keys), _ends(others)
    more = front.removesuffix(other_front) if front.endswith(other_front) else ""
    if more:
        yield Habit(
            f"{more[:LONGEST]!r} in front",
            lambda key: key.removeprefix(more),
            f".str.removeprefix({more!r})",
        )
    rest = back.removeprefix(other_back) if back.startswith(other_back) else ""
    if rest:
        yield Habit(
            f"{rest[:LONGEST]!r} behind",
            lambda key: key.removesuffix(rest),
            f".str.removesuffix({rest!r})",
        )


def _ends(keys: Sequence[str]) -> tuple[str, str]:
    """`user_` of user_1, user_2: never digits, which may be the number itself."""
    front = _start(keys).rstrip("0123456789")
    tails = [key.removeprefix(front)[::-1] for key in keys]
    return front, _start(tails)[::-1].lstrip("0123456789")


def _start(keys: Sequence[str]) -> str:
    first, last = min(keys), max(keys)
    pairs = enumerate(zip(first, last, strict=False))
    return first[: next((at for at, (one, other) in pairs if one != other), len(first))]


def _plain(rows: Sequence[Row], steps: Iterable[_Step], where: int) -> list[Row]:
    columns = [list(column) for column in zip(*rows, strict=True)]
    for step in steps:
        if where in step.where:
            columns[step.column] = [step.habit.plain(key) for key in columns[step.column]]
    return list(zip(*columns, strict=True))


def _pairs(sides: Sequence[Sequence[Row]], steps: Sequence[_Step]) -> list[tuple[int, int]]:
    """Places of the rows that would be the same; none where these are few."""
    base, head = (
        {key: place for place, key in enumerate(_plain(side, steps, where))}
        for where, side in enumerate(sides)
    )
    if any(len(kept) < UNIQUE * len(rows) for kept, rows in zip((base, head), sides, strict=True)):
        return []
    found = [(place, head[key]) for key, place in base.items() if key in head]
    return found if len(found) >= ENOUGH * min(len(base), len(head)) else []


def _same(base: Sequence[Row], head: Sequence[Row], steps: Sequence[_Step]) -> bool:
    return _plain(base, steps, 0) == _plain(head, steps, 1)


def _mends(
    sides: Sequence[Sequence[Row]], steps: Sequence[_Step], names: Sequence[str]
) -> Iterator[str]:
    """One step after the other, where it changes anything."""
    for at, step in enumerate(steps):
        name = names[step.column] if step.column < len(names) else "id"
        for where in step.where:
            before, after = (_plain(sides[where], steps[:end], where) for end in (at, at + 1))
            if before != after:
                frame = f"{SIDES[where]}[{name!r}]"
                yield f"{frame} = {frame}.astype(str){step.habit.mend}"


def show_keys(keys: NDArray[Any]) -> list[str]:
    """Texts in quotes, numbers without."""
    shown = [str(key).replace(SEPARATOR, ", ") for key in keys[:SHOWN].tolist()]
    short = [one if len(one) <= LONGEST else one[:LONGEST] + "…" for one in shown]
    return short if keys.dtype.kind != "U" else [repr(one) for one in short]


def is_hashed(keys: NDArray[Any]) -> bool:
    return bool(keys.dtype == np.uint64)
