"""The text of the one comment: a part for every job that reports, each between marks of its own.

A part is written by one job and lists its models. Jobs of a matrix share the comment; each finds
the others' parts in it and keeps them. What is read back is not trusted: only what stands between
whole marks is a part, and a mark cannot be forged from inside a part, because it holds the hash of
the text that it encloses.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from mlops_ci.github.text import clean

MARKER = "<!-- mlops-ci:comment -->"
LIMIT = 65_000  # code points of a comment, marks included
ENOUGH = 10_000  # code points in which a job can say what matters
SHORTENED = "Shortened to fit: the run's summary has all of it."
LONGEST_LINE = 1_000  # code points of a headline or a footer that is kept
_FENCE = re.compile(r"`{3,}|~{3,}")
_OPENING = re.compile(r"^<!-- mlops-ci:part ([0-9a-f]{16}) (\{.*\}) -->$")
_CLOSING = "<!-- /mlops-ci:part {} -->"

Sha = Annotated[str, Meta(pattern=r"^[0-9a-f]{7,64}$")]
Name = Annotated[str, Meta(max_length=300)]


class Origin(Struct, frozen=True, kw_only=True):
    """Who wrote a part: run and attempt order the runs of one commit. `scope` is the project's
    folder. `models` is empty for a job that looked at all of the project's models: no other part
    of the project is left beside it.
    """

    scope: Name = ""
    models: tuple[Name, ...] = ()
    sha: Sha
    run: int
    attempt: int = 1

    @property
    def whole(self) -> bool:
        return not self.models


@dataclass(frozen=True)
class Part:
    origin: Origin
    text: str

    @property
    def key(self) -> tuple[str, tuple[str, ...]]:
        return self.origin.scope, self.origin.models

    def shorter(self) -> Part | None:
        """The next step of the ladder: without what is folded away, then headline and footer, then
        the headline. No step cuts inside a line, so no row of a table is cut in the middle."""
        lines = self.text.strip("\n").split("\n")
        first, *rest = [line if len(line) <= LONGEST_LINE else "" for line in lines]
        last = next((line for line in reversed(rest) if line), "")
        footer = "" if last.startswith(("|", "<", "`" * 3, SHORTENED)) else last
        unfolded = _unfold(lines)
        ladder = [
            *([[*unfolded[:-1], SHORTENED, "", unfolded[-1]]] if unfolded else []),
            [first, "", SHORTENED, *(["", footer] if footer else [])],
            [first, "", SHORTENED],
            [SHORTENED],
        ]
        texts = ("\n".join(step).strip("\n") + "\n" for step in ladder)
        short = next((text for text in texts if len(text) < len(self.text)), None)
        return Part(self.origin, short) if short is not None else None


def _unfold(lines: Sequence[str]) -> list[str]:
    """Without closed `<details>`; empty when there are none, or where a fold or a fence is open."""
    kept: list[str] = []
    depth, fence = 0, ""
    for line in lines:
        bare = line.strip()
        mark = _FENCE.match(bare)
        was = depth
        if fence:
            fence = "" if bare.startswith(fence) and not bare.strip(fence[0]) else fence
        elif mark is not None:
            fence = mark.group()
        elif bare.startswith("<details") and (depth or not bare.startswith("<details open")):
            depth += 1
        elif bare.startswith("</details>") and depth:
            depth -= 1
        if not was and not depth:
            kept.append(line)
    return [] if depth or fence or len(kept) == len(lines) else kept


def parse(body: str) -> list[Part]:
    """The parts of a comment of ours; what is broken or unknown is left out."""
    lines = body.replace("\r\n", "\n").split("\n")
    parts: list[Part] = []
    at = 0
    while at < len(lines):
        opening = _OPENING.match(lines[at])
        closing = _CLOSING.format(opening.group(1)) if opening else ""
        if opening is None or closing not in lines[at:]:
            at += 1
            continue
        end = lines.index(closing, at)
        origin = _origin(opening.group(2))
        if origin is not None:
            parts.append(Part(origin, "\n".join(lines[at + 1 : end]) + "\n"))
        at = end + 1
    return parts


def _origin(text: str) -> Origin | None:
    try:
        return msgspec.json.decode(text, type=Origin)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError):
        return None


def compose(parts: Iterable[Part], limit: int = LIMIT) -> str:
    """The body of the comment: at most `limit` code points, the longest parts shortened first."""
    ordered = sorted(parts, key=lambda part: part.key)
    marked = [_marked(part) for part in ordered]
    shorter = [part.shorter() for part in ordered] if _length(marked) > limit else []
    while _length(marked) > limit:
        able = [at for at, part in enumerate(shorter) if part is not None]
        if not able:
            marked.pop()  # hundreds of jobs: the last ones are in their summaries only
            continue
        at = max(able, key=lambda at: len(marked[at]))
        part = shorter[at] or ordered[at]
        marked[at], shorter[at] = _marked(part), part.shorter()
    return "\n".join([MARKER, *marked])


def _length(marked: Iterable[str]) -> int:
    return len(MARKER) + sum(len(text) + 1 for text in marked)


def _marked(part: Part) -> str:
    text = clean(part.text).strip("\n") + "\n"
    nonce = hashlib.sha256(text.encode()).hexdigest()[:16]
    header = msgspec.json.encode(part.origin).decode()
    header = header.replace("<", "\\u003c").replace(">", "\\u003e")
    return f"<!-- mlops-ci:part {nonce} {header} -->\n{text}{_CLOSING.format(nonce)}"


@dataclass(frozen=True)
class Ours:
    """What this job has to say. `render` writes it in at most so many code points; `current` is
    the commit that the pull request's branch is at now. `quiet`: nothing worth a first comment."""

    origin: Origin
    render: Callable[[int], str]
    current: str
    quiet: bool = False

    def part(self, others: Sequence[Part]) -> Part:
        """As long as there is room beside `others`; where they leave little, a fair share."""
        marks = len(_marked(Part(self.origin, ""))) + 2
        left = LIMIT - _length(map(_marked, others)) - marks
        share = (LIMIT - len(MARKER)) // (len(others) + 1) - marks
        room = left if left >= min(share, ENOUGH) else share
        return Part(self.origin, clean(self.render(room)).strip("\n") + "\n")

    def doubts(self, found: Iterable[Part]) -> bool:
        """A later run has written about another commit: which one the branch is at decides."""
        ours = self.origin
        return any(
            part.origin.sha != ours.sha
            and (part.origin.run, part.origin.attempt) > (ours.run, ours.attempt)
            for part in found
        )


def merge(found: Iterable[Part], ours: Ours) -> list[Part]:
    """What the comment should hold: others' parts, and ours unless a later one replaces it.

    `found` is in the order in which it was seen: of two texts of one job the last is kept.
    """
    known = list(found)
    others = [part for part in known if part.origin != ours.origin]
    origins = [*(part.origin for part in others), ours.origin]
    left = [at for at in range(len(origins)) if not _beaten(at, origins, ours.current)]
    kept = [others[at] for at in left if at < len(others)]
    if len(others) not in left or _is_stale(kept, ours):
        return kept
    return [*kept, ours.part(kept)]


def _beaten(at: int, origins: Sequence[Origin], current: str) -> bool:
    """Whether another part speaks of all its models, and later: of the commit that the branch is
    at, or from a later run; of one run, of more models, whatever was seen first."""
    one = origins[at]
    return any(
        _replaces(other, one, current)
        and (_rank(other, current), _breadth(other), n) > (_rank(one, current), _breadth(one), at)
        for n, other in enumerate(origins)
        if n != at
    )


def _rank(origin: Origin, current: str) -> tuple[bool, int, int]:
    return origin.sha == current, origin.run, origin.attempt


def _breadth(origin: Origin) -> float:
    return math.inf if origin.whole else len(set(origin.models))


def _replaces(one: Origin, other: Origin, current: str) -> bool:
    if one.scope != other.scope:
        return False
    if one.whole:
        return True
    if other.whole:  # the project has become a matrix: its jobs are newer, none looks at all
        return one.sha == current != other.sha
    return set(other.models) <= set(one.models)


def _is_stale(kept: Sequence[Part], ours: Ours) -> bool:
    """Ours is of a commit that the branch has left, and the comment shows the one it is at."""
    shown = any(part.origin.sha == ours.current for part in kept)
    return ours.origin.sha != ours.current and shown
