"""An error, as a reader of markdown needs it: the end of the log, where, and what to do."""

from __future__ import annotations

import re

from mlops_ci.report.markup import code_span, fenced, markdown
from mlops_ci.report.model import Failure
from mlops_ci.report.phrase import clip, quoted

LONGEST_FIX = 4000  # characters
LONGEST_WHERE = 3000
COMMANDS = ("git ", "pip ", "mlops-ci ", "docker ", "dvc ")
_COLOURS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


def failure_view(failure: Failure | None, longest_tail: int) -> dict[str, str] | None:
    if failure is None:
        return None
    tail = failure.tail.strip("\n")[-longest_tail:] if longest_tail else ""
    return {
        "tail": fenced(without_controls(tail)) if tail.strip() else "",
        "where": _where(failure.where),
        "fix": _fix(failure.fix.strip("\n")[:LONGEST_FIX]),
        "link": failure.link,
    }


def _where(where: str) -> str:
    """A file, an option, an address; or several lines, as of a traceback."""
    lines = where.strip("\n")[-LONGEST_WHERE:]
    if "\n" not in lines:
        return code_span(clip(lines, 300)) if lines else ""
    return f"\n{fenced(without_controls(lines))}"


def _fix(fix: str) -> str:
    """The first line is a sentence, what follows is there to be pasted."""
    if not fix:
        return ""
    first, _, rest = fix.partition("\n")
    if fix.startswith(COMMANDS) and "`" not in fix:
        return f"\n{fenced(without_controls(fix), 'sh')}"
    if not rest.strip():
        return markdown(quoted(first))
    return f"{markdown(quoted(first))}\n{fenced(rest, 'yaml' if ':' in rest else '')}"


def without_controls(content: str) -> str:
    """What a terminal would obey is left out: colours, the cursor, the bell."""
    plain_text = _COLOURS.sub("", content).replace("\r\n", "\n")
    return "".join(c for c in plain_text if c in "\n\t" or c.isprintable())
