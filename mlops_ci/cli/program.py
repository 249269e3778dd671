"""The command `mlops-ci`: which file holds which command, and one door for errors."""

from __future__ import annotations

import importlib
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

import click

from mlops_ci import __version__
from mlops_ci.errors import (
    DOCS,
    EXIT_INTERRUPTED,
    EXIT_TERMINATED,
    InternalError,
    MlopsCiError,
    Terminated,
)

# name → one line of help. The command is `mlops_ci/cli/<name>.py: command`, imported when used.
COMMANDS = {
    "run": "Do it all: train, evaluate, compare and report.",
    "train": "Train the candidate with your own command.",
    "evaluate": "Evaluate the candidate, and the baseline where it is needed.",
    "compare": "Compare two files, or the candidate with the baseline.",
    "report": "Write the report: comment, page, plots.",
    "build": "Build the model's image.",
    "push": "Push the image to its registry, by digest.",
    "deploy": "Run the image, and switch to it when it is healthy.",
    "rollback": "Put the previous version back.",
    "reproduce": "Run a commit again and say whether it gives the same.",
    "init": "Write a first mlops-ci.yaml and the workflow.",
    "store": "List, prune or delete what is kept of main.",
    "doctor": "Check that everything is set up.",
    "schema": "Print the JSON Schema of the configuration or of a record.",
}


class Program(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"mlops_ci.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Without importing a single command: `--help` stays fast."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mlops-ci")
def program() -> None:
    """Is this pull request's model better than the one on main? And if it is: ship it."""


def run_program(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; every error becomes text on standard error."""
    try:
        with _ended_as_by_hand():
            code = program.main(args=list(arguments), prog_name="mlops-ci", standalone_mode=False)
    except MlopsCiError as error:
        return _tell(f"error: {error}", error.exit_code)
    except click.exceptions.Abort:
        return _tell("stopped", EXIT_INTERRUPTED)
    except click.ClickException as error:
        error.show()
        return 2
    except KeyboardInterrupt:
        return _tell("stopped", EXIT_INTERRUPTED)
    except Terminated:
        return _tell("stopped", EXIT_TERMINATED)
    except Exception:  # noqa: BLE001 - the one door: a bug is reported, not hidden
        import traceback

        return _tell(
            f"{traceback.format_exc()}\nerror: this is a bug of mlops-ci {__version__}. "
            f"Please report the text above.\n  more:  {DOCS}/errors.md",
            InternalError.exit_code,
        )
    return code if isinstance(code, int) else 0


@contextmanager
def _ended_as_by_hand() -> Iterator[None]:
    """SIGTERM, or a terminal that closes, ends the user's training too, as Ctrl-C does: it is in a
    session of its own. What was ignored, as `nohup` does, stays ignored."""
    main = threading.current_thread() is threading.main_thread()
    numbers = (signal.SIGTERM, signal.SIGHUP) if main else ()
    ours = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, _terminate)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _terminate(*_: object) -> NoReturn:
    raise Terminated


def _tell(text: str, code: int) -> int:
    print(text, file=sys.stderr)
    return code
