"""The runner around us: its command files, its log commands, its folded groups.

What others wrote is printed between `::stop-commands::` marks with a random word, so that no line
of it is taken for a command. Values go into files with a random delimiter.
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

from mlops_ci.github.checks import Job
from mlops_ci.github.command_files import CommandFile, keep_files
from mlops_ci.github.text import cut_lines

SUMMARY_BYTES = 1024 * 1024
MESSAGE_CHARACTERS = 4000
Echo = Callable[[bytes], None]


@dataclass
class Runner:
    """`out` is the job's log. Files that the runner did not name are not written.

    Make it before a command of the user's runs: what is in the files then is kept.
    """

    environ: Mapping[str, str]
    out: BinaryIO
    at_line_start: bool = True
    quiet: bool = False
    files: tuple[CommandFile, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.files = keep_files(self.environ)

    @property
    def workspace(self) -> Path:
        return Path(self.environ.get("GITHUB_WORKSPACE") or Path.cwd())

    @property
    def run_url(self) -> str | None:
        """This attempt's page: outputs, summary, logs."""
        server, repository, run = (
            self.environ.get(name, "")
            for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
        )
        if not (server and repository and run):
            return None
        page = f"{server.rstrip('/')}/{repository}/actions/runs/{run}"
        attempt = self.environ.get("GITHUB_RUN_ATTEMPT", "1")
        return page if attempt in {"", "1"} else f"{page}/attempts/{attempt}"

    def job(self, leg: str) -> Job:
        run, attempt = (
            int(text) if (text := self.environ.get(name, "")).isdecimal() else default
            for name, default in (("GITHUB_RUN_ID", 0), ("GITHUB_RUN_ATTEMPT", 1))
        )
        return Job(run, attempt, leg, self.run_url)

    def take_back_files(self) -> None:
        """Before the first value of ours: what others wrote into them meanwhile is gone."""
        kept, self.files = self.files, ()
        for file in kept:
            file.put_back()

    def output(self, name: str, value: str) -> None:
        self._append("GITHUB_OUTPUT", name, value)

    def state(self, name: str, value: str) -> None:
        """For the post step, which finds it as STATE_<name>."""
        self._append("GITHUB_STATE", name, value)

    def summary(self, markdown: str) -> bool:
        """Append to the job's summary; False when there is none, or it cannot be written. Over
        GitHub's limit the upload would fail whole, so it is cut between two lines."""
        path = self.environ.get("GITHUB_STEP_SUMMARY")
        if not path:
            return False
        self.take_back_files()
        try:
            with Path(path).open("ab") as file:
                left = SUMMARY_BYTES - file.tell()
                text = markdown.rstrip("\n") + "\n"
                file.write(cut_lines(text, left).encode("utf-8", "replace"))
        except OSError as error:  # the verdict stands without it
            self.annotate("warning", f"the job's summary cannot be written: {error}")
            return False
        return True

    def mask(self, secret: str) -> None:
        """From here on the log shows `***` instead."""
        for line in secret.splitlines():
            if line.strip():
                self._command("add-mask", line)

    def annotate(
        self,
        level: Literal["error", "warning", "notice"],
        message: str,
        *,
        title: str = "",
        file: str = "",
        line: int = 0,
    ) -> None:
        properties = {"title": title, "file": file, "line": str(line) if line else ""}
        told = ",".join(f"{name}={_property(text)}" for name, text in properties.items() if text)
        self._command(f"{level} {told}" if told else level, message[:MESSAGE_CHARACTERS])

    def say(self, text: str) -> None:
        """Anything, as it is."""
        with self.stopped() as echo:
            echo((text.rstrip("\n") + "\n").encode("utf-8", "replace"))

    @contextmanager
    def group(self, title: str) -> Iterator[None]:
        self._command("group", title)
        try:
            yield
        finally:
            self._command("endgroup")

    @contextmanager
    def stopped(self) -> Iterator[Echo]:
        """What the echo gets is text and no command, whatever it says."""
        if self.quiet:
            yield self._write
            return
        word = secrets.token_hex(16)
        self._command("stop-commands", word)
        self.quiet = True
        try:
            yield self._write
        finally:
            self.quiet = False
            self._command(word)

    def _command(self, head: str, message: str = "") -> None:
        start = b"" if self.at_line_start else b"\n"
        self._write(start + f"::{head}::{_data(message)}\n".encode("utf-8", "replace"))

    def _write(self, block: bytes) -> None:
        if block:
            self.out.write(block)
            self.out.flush()
            self.at_line_start = block.endswith(b"\n")

    def _append(self, variable: str, name: str, value: str) -> None:
        path = self.environ.get(variable)
        if not path:
            return
        self.take_back_files()
        delimiter = f"mlops_ci_{secrets.token_hex(16)}"
        with Path(path).open("ab") as file:
            text = f"{name}<<{delimiter}\n{value}\n{delimiter}\n"
            file.write(text.encode("utf-8", "replace"))


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
