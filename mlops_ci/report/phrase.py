"""Sentences with names in them, before any renderer has escaped them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from mlops_ci.value import Value

Kind = Literal["text", "code", "strong"]
LONGEST_NAME = 100


class Phrase(Value, frozen=True):
    """Spans of words of ours (`text`, `strong`) and of others' names (`code`)."""

    spans: tuple[tuple[Kind, str], ...] = ()

    def __add__(self, other: Phrase) -> Phrase:
        return Phrase(self.spans + other.spans)

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __str__(self) -> str:
        return "".join(content for _, content in self.spans)


def text(content: str) -> Phrase:
    return Phrase((("text", content),)) if content else Phrase()


def strong(content: str) -> Phrase:
    return Phrase((("strong", content),))


def code(name: str) -> Phrase:
    """A name that somebody else chose; on one line, and cut when it is a page long."""
    return Phrase((("code", clip(name) or "(blank)"),))


def quoted(message: str, longest: int = 500) -> Phrase:
    """A message with `names` in backticks, on one line: those become names, the rest text."""
    parts = (clip(message, longest) or "(blank)").split("`")
    if len(parts) % 2 == 0:  # an odd backtick is a character like any other
        parts[-2:] = ["`".join(parts[-2:])]
    spans = (code(part) if at % 2 else text(part) for at, part in enumerate(parts))
    return join(spans, "")


def clip(name: str, longest: int = LONGEST_NAME) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def join(phrases: Iterable[Phrase], between: str) -> Phrase:
    found = [phrase for phrase in phrases if phrase]
    spans: list[tuple[Kind, str]] = []
    for number, phrase in enumerate(found):
        if number and between:
            spans.append(("text", between))
        spans.extend(phrase.spans)
    return Phrase(tuple(spans))


def capital(words: str) -> str:
    return words[:1].upper() + words[1:]
