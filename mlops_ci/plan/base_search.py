"""The search for base's side, in the order in which a run can look for it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

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
from mlops_ci.plan.lost_baseline import Missing, refuse_lost
from mlops_ci.plan.rescoring import apart, data_of_head, differ, find_kept, joined
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
    """`look` before head's command runs, `take_heads` and `train` after it; `ask` where head's rows
    are others than those of what was found. `starts`: this run writes the store."""

    project: Project
    name: str
    base: Base
    store: Store | None
    starts: bool = False
    side: BaseSide | None = None
    equal: bool = False
    asked: bool = False
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
        if not self.equal and self.side is None:
            starts = self.starts or self.base.is_parent
            refuse_lost(Missing(self.name, self.settings, self.store, starts), self.notes)

    def take_heads(self, evaluation: Evaluation, training: Training) -> None:
        if self.side is None and self.equal:
            root = self.project.root
            self.side = same_as_head(evaluation, training, self.base, root)

    @property
    def must_train(self) -> bool:
        model = self.settings.model
        return self.side is None and (bool(command_of(model)) or model.predict is not None)

    def train(self, retry: Retry, head: Evaluation | None = None) -> None:
        """`head`: whose evaluation rows base's model has to answer too, where they are others.

        No side is left when head's settings, tried on a base that had none, do not run there.

        Raises CommandError or BaselineError when base's own settings do not.
        """
        try:
            self._settle(train_base(self._request(self.project, retry, head)))
        except (BaselineError, CommandError, ComparisonError, UsageError) as error:
            if not self.settings.adopted:
                raise
            self.notes.append(
                f"base has no {self.name}, and head's settings do not run on it ({error.what}): "
                "nothing to compare with"
            )

    def must_ask(self, head: Evaluation) -> bool:
        """Whether base has to be trained again, since its model has to answer head's rows and only
        its predictions are at hand. Where that would not help, a note says why."""
        side, settings = self.side, self.settings
        if self.asked or side is None or not differ(side.evaluation, head):
            return False
        kept = find_kept(self.project, self.name, settings, head.rows_digest)
        if kept is not None:
            self.side = replace(side, rescored=kept)
            return False
        moved = side.evaluation.key != settings.key  # data that nobody keeps is not what it was
        if moved and command_of(settings.model):
            return True
        refusal = data_of_head(self.project, self.name, settings)[1]
        if refusal is not None:
            self.notes.append(refusal)
        return refusal is None

    def ask(self, retry: Retry, head: Evaluation) -> None:
        """Train base again, and let its model answer head's rows; what was found stays when that
        fails."""
        if self.side is None:
            return
        project = apart(self.project)
        project.records.ignore()
        try:
            again = train_base(self._request(project, retry, head))
        except (BaselineError, CommandError, ComparisonError, UsageError) as error:
            self.notes.append(f"Main's model could not be asked about head's rows: {error.what}.")
            return
        self._settle(joined(self.side, again, head))

    def _settle(self, side: BaseSide) -> None:
        self.side, self.asked = side, True
        self.notes.extend(side.notes)

    def _request(self, project: Project, retry: Retry, head: Evaluation | None) -> Retraining:
        rows = head.rows_digest if head is not None else None
        return Retraining(
            project, self.name, self.settings, retry.timeout, retry.echo, retry.engine, rows
        )
