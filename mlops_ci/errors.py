"""Every error that a user can meet, with its exit code.

    MlopsCiError                what happened, where, what to do, a link
    ├── UsageError          2   an option or a combination of options
    │   └── ConfigError     2   mlops-ci.yaml, dvc.yaml, pyproject.toml
    ├── BaselineError       3   a baseline that should exist is missing or unreadable
    ├── ComparisonError     3   inputs that cannot be compared
    ├── RecordError         3   a record that is broken, or newer than this version
    ├── ServiceError        4   an outside service (GitHub, a registry, a tracker, an engine)
    ├── AccessError         5   a permission or a token that is missing
    ├── CommandError        6   the user's command failed or ran out of time
    ├── DeployError         7   not deployed, or rolled back
    └── InternalError      70   our bug

A failed gate is a result (exit code 1), not an exception. 130 and 143: stopped by a signal.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

DOCS = "https://github.com/mlops-ci/mlops-ci/blob/main/docs"

EXIT_FINE = 0
EXIT_BLOCKED = 1
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143

# Many models, many outcomes: the first of these that occurred is the exit code of the whole.
SEVERITY = (EXIT_INTERRUPTED, EXIT_TERMINATED, 70, 2, 5, 4, 3, 6, 7, 1, 0)


class MlopsCiError(Exception):
    """An error as a document.

    `what` is one sentence; `where` names file, line, option or URL; `fix` says what to do, with
    text that can be pasted as it is; `link` is a page that says more.
    """

    exit_code: ClassVar[int] = 70

    def __init__(self, what: str, *, where: str = "", fix: str = "", link: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix
        self.link = link

    def seen_from(self, root: Path) -> None:
        """Paths below `root` become what a reader of the repository knows them as."""
        if self.where in {str(root), str(root.resolve())}:
            self.where = "the checkout"
        for top in (f"{root}{os.sep}", f"{root.resolve()}{os.sep}"):
            self.what = self.what.replace(top, "")
            self.where, self.fix = self.where.replace(top, ""), self.fix.replace(top, "")

    def about(self, model: str) -> str:
        """The whole document, the model's name in front, once."""
        text, name = str(self), f"{model}: "
        return text if text.startswith(name) else f"{name}{text}"

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.fix:
            head, *rest = self.fix.rstrip().splitlines()
            lines.append(f"  to do: {head}")
            lines.extend(f"  {line}" for line in rest)
        if self.link:
            lines.append(f"  more:  {self.link}")
        return "\n".join(lines)


class UsageError(MlopsCiError):
    exit_code = 2


class ConfigError(UsageError):
    pass


class BaselineError(MlopsCiError):
    exit_code = 3


class ComparisonError(MlopsCiError):
    exit_code = 3


class RecordError(MlopsCiError):
    exit_code = 3


class ServiceError(MlopsCiError):
    exit_code = 4


class AccessError(MlopsCiError):
    exit_code = 5


class CommandError(MlopsCiError):
    """The user's command failed.

    `code` is its own exit code, or minus the signal that ended it, or None when it ran out of
    time; `tail` holds the last lines that it printed.
    """

    exit_code = 6

    def __init__(
        self, what: str, *, code: int | None = None, tail: str = "", where: str = "", fix: str = ""
    ) -> None:
        super().__init__(what, where=where, fix=fix)
        self.code = code
        self.tail = tail

    def __str__(self) -> str:
        lines = "".join(f"\n  | {line}" for line in self.tail.rstrip().splitlines())
        return super().__str__() + (f"\n  its last lines:{lines}" if lines else "")


class DeployError(MlopsCiError):
    exit_code = 7


class InternalError(MlopsCiError):
    exit_code = 70


class Terminated(BaseException):
    """SIGTERM: somebody wants us to end; a handler raises it where the signal finds us. `asked`: it
    did, also where a library's own code put an error of its own in its place.
    """

    asked = False

    def __init__(self) -> None:
        super().__init__()
        Terminated.asked = True


def worst_exit_code(codes: Iterable[int]) -> int:
    """The exit code of many outcomes: the most severe that occurred; 0 for none."""
    occurred = set(codes)
    return next((code for code in SEVERITY if code in occurred), max(occurred, default=0))
