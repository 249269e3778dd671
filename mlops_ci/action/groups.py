"""What a reader of the job's log sees while a plan runs: one folded group a step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mlops_ci.engines import Echo
from mlops_ci.github.runner import Runner


@dataclass
class Groups:
    """The output of the user's command is inside, where no line of it is a command."""

    runner: Runner
    monotonic: Callable[[], float]

    @contextmanager
    def step(self, model: str, step: str, detail: str) -> Iterator[Echo | None]:
        started = self.monotonic()
        title = f"{model} · {step}  {' '.join(detail.split())}".rstrip()
        mark = "✗"
        try:
            with self.runner.group(title), self.runner.stopped() as echo:
                yield echo
            mark = "✓"
        finally:
            self.runner.say(f"{mark} {model} · {step}  {self.monotonic() - started:.1f} s")

    def note(self, text: str) -> None:
        self.runner.say(f"  {text}")
