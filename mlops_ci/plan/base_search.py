"""The search for base's side, in the order in which a run can look for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from mlops_ci.baseline.commit import Base
from mlops_ci.baseline.store import Store
from mlops_ci.engines import Echo
from mlops_ci.errors import BaselineError, CommandError, ComparisonError, UsageError
from mlops_ci.plan.base_side import (
    BaseSettings,
    BaseSide,
    find_side,
    has_equal_key,
    same_as_head,
    settings_of,
)
from mlops_ci.plan.base_training import Retraining, train_base
from mlops_ci.project import Project
from mlops_ci.records import Evaluation, Training
from mlops_ci.steps.key import command_of


@dataclass(frozen=True)
class Retry:
    """How base is trained where it has to be."""

    timeout: float | None = None
    echo: Echo | None = None
    engine: str = "local"


@dataclass
class Search:
    """`look` before head's command runs, `take_heads` and `train` after it."""

    project: Project
    name: str
    base: Base
    store: Store | None
    side: BaseSide | None = None
    equal: bool = False
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settings: BaseSettings = settings_of(self.project, self.name, self.base)
        self.notes.extend(self.settings.notes)
        if self.base.note is not None:
            self.notes.append(self.base.note)

    def look(self) -> None:
        """Raises BaselineError when base can neither be found nor trained, but must exist."""
        self.equal = has_equal_key(self.project, self.name, self.settings)
        if not self.equal:
            self.side = find_side(self.project, self.name, self.settings, self.store, self.notes)

    def take_heads(self, evaluation: Evaluation, training: Training) -> None:
        if self.side is None and self.equal:
            root = self.project.root
            self.side = same_as_head(evaluation, training, self.base, root)

    @property
    def must_train(self) -> bool:
        model = self.settings.model
        return self.side is None and (bool(command_of(model)) or model.predict is not None)

    def train(self, retry: Retry) -> None:
        """No side is left when head's settings, tried on a base that had none, do not run there.

        Raises CommandError or BaselineError when base's own settings do not.
        """
        request = Retraining(
            self.project, self.name, self.settings, retry.timeout, retry.echo, retry.engine
        )
        try:
            self.side = train_base(request)
        except (BaselineError, CommandError, ComparisonError, UsageError) as error:
            if not self.settings.adopted:
                raise
            self.notes.append(
                f"base has no {self.name}, and head's settings do not run on it ({error.what}): "
                "nothing to compare with"
            )
