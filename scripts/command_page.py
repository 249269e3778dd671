"""Writes docs/commands.md out of the commands themselves; `--check` says whether it is as it should
be."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from mlops_ci.cli.program import COMMANDS, program

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "commands.md"
HEAD = """# The commands

<!-- Written by scripts/command_page.py: what `mlops-ci COMMAND --help` says. -->

Each option is also read from a variable `MLOPS_CI_<OPTION>`, and is an input of the
[action](actions.md) of the same name. [Exit codes](errors.md) are the same everywhere.
"""


def page() -> str:
    context = click.Context(program)
    parts = [HEAD]
    for name in COMMANDS:
        command = program.get_command(context, name)
        assert command is not None
        parts += _section(name, command)
    return "\n".join(parts)


def _section(name: str, command: click.Command) -> Iterator[str]:
    inner = click.Context(command, info_name=f"mlops-ci {name}")
    yield f"## `{' '.join(command.get_usage(inner).removeprefix('Usage: ').split())}`\n"
    paragraphs = (command.help or "").split("\n\n")
    for paragraph in paragraphs:
        text = " ".join(paragraph.replace("\b", "").split())
        yield f"`{text}`\n" if text.startswith("mlops-ci ") else f"{text}\n"
    options = [one for one in command.params if isinstance(one, click.Option)]
    if options:
        yield "| option | |\n|---|---|"
        yield from (_row(one, inner) for one in options)
        yield ""


def _row(option: click.Option, context: click.Context) -> str:
    record = option.get_help_record(context)
    assert record is not None
    form, said = (" ".join(part.split()).replace("|", "\\|") for part in record)
    return f"| `{form}` | {said} |"


def main(arguments: list[str]) -> int:
    text = page()
    same = PAGE.is_file() and PAGE.read_text("utf-8") == text
    if "--check" in arguments:
        if not same:
            print("docs/commands.md: run `python scripts/command_page.py`")
        return 0 if same else 1
    if not same:
        PAGE.write_text(text, "utf-8")
        print(PAGE.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
