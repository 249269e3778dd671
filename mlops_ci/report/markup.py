"""Names and sentences → GitHub's markdown or HTML, so that nobody's name becomes markup.

Names stand in code spans: there GitHub links, pings and formats nothing.
"""

from __future__ import annotations

import html
import re

from mlops_ci.report.numbers import NBSP
from mlops_ci.report.phrase import Phrase

# A word joiner after these keeps `@team` and `#12` from pinging and linking: GitHub looks for them
# in the rendered text, where an escape is gone.
JOINER = "\u2060"
_LINKING = re.compile(
    r"[@#]|(?<=[Hh][Tt][Tt][Pp]):|(?<=[Hh][Tt][Tt][Pp][Ss]):|(?<=[Ww]{2})[Ww](?=\.)"
)
_LIST = re.compile(r"^(\s*\d*)([-+.)])")
_SPECIALS = re.compile(r"[\\`*\[\]<>|~$&]|(?<![^\W_])_|_(?![^\W_])")
_BACKTICKS = re.compile(r"`+")


def markdown(phrase: Phrase, *, cell: bool = False) -> str:
    """In a `cell` nothing wraps: its spaces are no-break spaces."""
    parts = []
    for kind, content in phrase.spans:
        if kind == "code":
            parts.append(code_span(content.replace(" ", NBSP) if cell else content, cell=cell))
        elif kind == "strong":
            parts.append(f"**{plain(content)}**")
        else:
            parts.append(plain(content))
    joined = "".join(parts)
    if phrase.spans and phrase.spans[0][0] == "text":
        joined = _LIST.sub(r"\1\\\2", joined)
    return joined.replace(" ", NBSP) if cell else joined


def plain(content: str) -> str:
    """Text on one line, in which nothing is markup."""
    line = " ".join(content.splitlines())
    joined = _LINKING.sub(lambda found: found.group() + JOINER, line)
    return _SPECIALS.sub(lambda found: "\\" + found.group(), joined)


def code_span(content: str, *, cell: bool = False) -> str:
    """A fence longer than any run of backticks inside; a `|` in a table is escaped even here."""
    line = " ".join(content.splitlines()) or " "
    runs = [len(found) for found in _BACKTICKS.findall(line)]
    fence = "`" * next(n for n in range(1, len(runs) + 2) if n not in runs)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    if cell:
        line = line.replace("|", "\\|")
    return f"{fence}{pad}{line}{pad}{fence}"


def fenced(content: str, language: str = "") -> str:
    """A code block whose fence is longer than any inside."""
    longest = max((len(found) for found in _BACKTICKS.findall(content)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{content.rstrip()}\n{fence}"


def picture(title: str, light: str, dark: str) -> str:
    """Both drawings; a reader sees the one of their own theme. The title is on one line: a blank
    one would end the element.
    """
    title = "".join(letter if letter.isprintable() else " " for letter in title)
    light, dark, alt = (html.escape(text, quote=True) for text in (light, dark, title))
    return (
        f'<picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">'
        f'<img alt="{alt}" src="{light}"></picture>'
    )


def hypertext(phrase: Phrase) -> str:
    """The same as HTML."""
    tags = {"code": ("<code>", "</code>"), "strong": ("<strong>", "</strong>"), "text": ("", "")}
    return "".join(
        tags[kind][0] + html.escape(content) + tags[kind][1] for kind, content in phrase.spans
    )


def summary(phrase: Phrase) -> str:
    """HTML for a `<summary>` in markdown: on one line, and nobody is pinged there either."""
    tags = {"code": ("<code>", "</code>"), "strong": ("<b>", "</b>"), "text": ("", "")}
    parts = []
    for kind, content in phrase.spans:
        line = html.escape(" ".join(content.splitlines()), quote=False)
        if kind != "code":
            line = re.sub(r"[@#]", lambda found: found.group() + JOINER, line)
        parts.append(tags[kind][0] + line + tags[kind][1])
    return "".join(parts)
