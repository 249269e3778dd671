"""What the demo says between the commands."""

from __future__ import annotations

import shlex
import sys


def chapter(title: str) -> None:
    mark = "\033[1m" if sys.stdout.isatty() else ""
    print(f"\n{mark}━━ {title}{chr(27) + '[0m' if mark else ''}", flush=True)


def say(line: str) -> None:
    print(f"   {line}", flush=True)


def show_command(argv: list[str]) -> None:
    print(f"\n$ {shlex.join(argv)}", flush=True)
