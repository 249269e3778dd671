"""Main has a model, and nobody has its answers: no first run, and never a pass."""

from __future__ import annotations

from dataclasses import dataclass

from mlops_ci.baseline.store import Store
from mlops_ci.config.model import DROPS, expand_gates
from mlops_ci.errors import DOCS, BaselineError
from mlops_ci.plan.base_side import BaseSettings
from mlops_ci.steps.key import command_of

STARTS = (
    "No record of main's model was found, though main has one: this run was compared with nothing, "
    "and is what the next ones are compared with."
)


@dataclass(frozen=True)
class Missing:
    """A side that was not found. `starts`: head is main itself, whose run makes the record that is
    missing; stopped, there would never be one."""

    name: str
    settings: BaseSettings
    store: Store | None
    starts: bool = False


def refuse_lost(missing: Missing, notes: list[str]) -> None:
    """Raises BaselineError when main has had this model: only a first run has no baseline. Nothing
    is lost that can be trained again. `notes`: why it could not be read; gets what is odd."""
    name, settings, store = missing.name, missing.settings, missing.store
    if command_of(settings.model) or settings.model.predict is not None:
        return
    unread = [note for note in notes if note != settings.base.note]
    if unread:
        raise BaselineError(
            f"{name}: the baseline cannot be read, and there is no `train:` to make it again",
            where=settings.base.commit,
            fix="; ".join(unread),
        )
    if settings.adopted:
        return
    if store is not None and store.list(name):
        raise BaselineError(
            f"{name}: the store holds main's model, but not that of {settings.base.commit[:12]}",
            where=settings.base.commit,
            fix="let the merge workflow run on that commit (it fills the store), update the pull "
            "request's branch, or give the model a `train:` command",
        )
    if not any(gate.kind in DROPS for gate in expand_gates(settings.model.gates)):
        return
    if not missing.starts:
        raise _without_record(missing)
    notes.append(STARTS)


def _without_record(missing: Missing) -> BaselineError:
    base = missing.settings.base
    lacks = (
        "there is no store to keep it, since this repository has no `origin`"
        if missing.store is None
        else "the store holds no record of it"
    )
    return BaselineError(
        f"{missing.name}: main has gates on this model, and {lacks}",
        where=base.commit,
        fix=f"run the merge workflow on {base.name} once more (it fills the store), then bring the "
        "branch up to date and run this again; or give the model a `train:` command. Two files are "
        "compared by `mlops-ci compare BASE HEAD`",
        link=f"{DOCS}/errors.md",
    )
