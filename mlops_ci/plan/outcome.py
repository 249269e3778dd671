"""What came of a plan, and who is told on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from mlops_ci.baseline.commit import Base
from mlops_ci.engines import Echo
from mlops_ci.errors import EXIT_BLOCKED, EXIT_FINE, MlopsCiError, worst_exit_code
from mlops_ci.records import Comparison, Evaluation, Training

State = Literal["compared", "first", "failed", "untouched"]


class Progress(Protocol):
    """Told what is going on: a terminal's lines, a runner's folded groups, or nothing."""

    def step(self, model: str, step: str, detail: str) -> AbstractContextManager[Echo | None]:
        """Around one step; what it gives receives the output of the user's command."""
        ...

    def note(self, text: str) -> None: ...


class Silent:
    @contextmanager
    def step(self, model: str, step: str, detail: str) -> Iterator[Echo | None]:  # noqa: ARG002
        yield None

    def note(self, text: str) -> None:
        pass


@dataclass
class ModelOutcome:
    """One model's run. `compared` is what `compare_sides` gave: the record and both predictions,
    for the plots; `drawing` the plots, where another process draws them; `function_keys` what the
    store calls the values of functions. `failed_step` names the
    step that `error` ended."""

    name: str
    steps: tuple[str, ...]
    why: str
    state: State = "untouched"
    training: Training | None = None
    evaluation: Evaluation | None = None
    base_training: Training | None = None
    base_evaluation: Evaluation | None = None
    compared: Any = None
    drawing: Any = None
    function_keys: dict[str, str] = field(default_factory=dict)
    error: MlopsCiError | None = None
    failed_step: str | None = None
    shipped: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def comparison(self) -> Comparison | None:
        return self.compared.comparison if self.compared is not None else None

    @property
    def exit_code(self) -> int:
        if self.error is not None:
            return self.error.exit_code
        blocks = self.comparison is not None and self.comparison.blocks
        return EXIT_BLOCKED if blocks else EXIT_FINE


@dataclass
class Outcomes:
    head: str
    base: Base | None
    models: list[ModelOutcome] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        return worst_exit_code(model.exit_code for model in self.models)
