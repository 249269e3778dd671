"""What a step may touch of the world around it: clock, environment, folder, subprocesses.

Collaborators get a `World`, never `os.environ`, `datetime.now` or `subprocess` themselves.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

GRACE_SECONDS = 10.0
DRAIN_SECONDS = 2.0
KEPT_BLOCKS = 64
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True)
class Command:
    """One subprocess. `argv` is never passed through a shell; `timeout` is in seconds.

    `env` is the whole environment of the child; None hands down the world's own. `echo` receives
    the output (stdout and stderr in the order they came) while it comes. `user` is (uid, gid) to
    run as, without any other group. `keep`: at least so many last bytes of each stream
    are kept, and not much more; None keeps all.
    """

    argv: Sequence[str]
    cwd: Path | None = None
    env: Mapping[str, str] | None = None
    timeout: float | None = None
    echo: Callable[[bytes], None] | None = None
    stdin: bytes = b""
    user: tuple[int, int] | None = None
    merge_stderr: bool = False
    keep: int | None = None


@dataclass(frozen=True)
class Finished:
    """How a subprocess ended.

    `code` is its exit code, minus the signal's number, or None when it ran out of time. `seconds`
    is wall time; `peak_bytes` the largest resident set of the process and its waited-for children.
    """

    code: int | None
    stdout: bytes
    stderr: bytes
    seconds: float
    peak_bytes: int = 0

    @property
    def text(self) -> str:
        return self.stdout.decode("utf-8", "replace")

    @property
    def error(self) -> str:
        return self.stderr.decode("utf-8", "replace")


Run = Callable[[Command], Finished]


def run_subprocess(command: Command) -> Finished:
    """Run to the end, in a process group of its own that is ended whole on a time-out."""
    started = time.monotonic()
    process: subprocess.Popen[bytes] | None = None
    try:
        with _signals_held():
            process = _start(command)
        stdout, stderr, timed_out = _pump(process, command)
    except BaseException:
        if process is not None:
            _end_group(process)
        raise
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Finished(
        code=None if timed_out else process.returncode,
        stdout=stdout,
        stderr=stderr,
        seconds=time.monotonic() - started,
        peak_bytes=usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
    )


def _start(command: Command) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        list(command.argv),
        cwd=command.cwd,
        env=dict(command.env) if command.env is not None else None,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if command.merge_stderr else subprocess.PIPE,
        start_new_session=True,
        user=command.user[0] if command.user else None,
        group=command.user[1] if command.user else None,
        extra_groups=[] if command.user else None,
    )


@contextmanager
def _signals_held() -> Iterator[None]:
    """An exception of a signal's handler inside of Popen would leave a child that nobody ends: it
    is raised at the end of the block. Handlers run in the main thread alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    handlers = {n: signal.getsignal(n) for n in ENDING}
    held = {n: one for n, one in handlers.items() if callable(one)}
    for number in held:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


def _pump(process: subprocess.Popen[bytes], command: Command) -> tuple[bytes, bytes, bool]:
    """Feed stdin and read both streams until they close or the time is up."""
    _feed(process, command.stdin)
    parts: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
    end = None if command.timeout is None else time.monotonic() + command.timeout
    timed_out = False
    with selectors.DefaultSelector() as selector:
        for name in parts:
            stream = getattr(process, name)
            if stream is not None:
                selector.register(stream, selectors.EVENT_READ, name)
        while selector.get_map():
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                if timed_out:  # a process that left the group still holds the pipe
                    break
                _end_group(process)
                timed_out, end = True, time.monotonic() + DRAIN_SECONDS
                continue
            _read_ready(selector, left, parts, command)
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
    return b"".join(parts["stdout"]), b"".join(parts["stderr"]), timed_out


def _feed(process: subprocess.Popen[bytes], content: bytes) -> None:
    if process.stdin is None:
        return
    try:
        process.stdin.write(content)
        process.stdin.close()
    except BrokenPipeError:  # it ended without reading; its exit code tells the rest
        process.stdin = None


def _read_ready(
    selector: selectors.BaseSelector,
    patience: float | None,
    parts: dict[str, list[bytes]],
    command: Command,
) -> None:
    for key, _ in selector.select(patience):
        block = os.read(key.fd, 65536)
        if not block:
            selector.unregister(key.fileobj)
            continue
        parts[key.data].append(block)
        if command.keep is not None:
            _forget(parts[key.data], command.keep)
        if command.echo is not None:
            command.echo(block)


def _forget(blocks: list[bytes], keep: int) -> None:
    """Days of a training's output must not fill the memory: drop what lies before the tail."""
    if len(blocks) >= KEPT_BLOCKS:
        blocks[:] = [b"".join(blocks)[-keep:]]


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """TERM, a grace period, KILL: to the whole group, so that no grandchild stays behind."""
    for number, patience in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, 1.0)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None:
                break
            time.sleep(0.02)


def spawn_detached(command: Command, log: Path) -> int:
    """Start a process that outlives us, its output in `log`; returns its id."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(command.argv),
            cwd=command.cwd,
            env=dict(command.env) if command.env is not None else None,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    process.returncode = 0  # it is not ours to wait for, and nobody is to warn about that
    return process.pid


def start_bound(command: Command, log: Path) -> subprocess.Popen[bytes]:
    """Start a process that is told of our end by the end of its standard input."""
    with log.open("ab") as output:
        return subprocess.Popen(
            list(command.argv),
            cwd=command.cwd,
            env=dict(command.env) if command.env is not None else None,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class World:
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    folder: Path = field(default_factory=Path.cwd)
    now: Callable[[], datetime] = utc_now
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    run_command: Run = run_subprocess
    spawn: Callable[[Command, Path], int] = spawn_detached
    start: Callable[[Command, Path], subprocess.Popen[bytes]] = start_bound
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr)  # noqa: T201

    def run(self, *argv: str, cwd: Path | None = None, stdin: bytes = b"") -> Finished:
        """A short helper process of ours (git, uv), with our own environment."""
        return self.run_command(
            Command(argv=argv, cwd=cwd or self.folder, env=self.environ, stdin=stdin)
        )

    def within(self, folder: Path) -> World:
        return replace(self, folder=folder)
