"""Whether main's model can answer head's evaluation rows, where these are others than its own.

Base's own `predict:` command runs in base's worktree, with head's files in the place of base's
under `data:`. So the rows are what base's code makes of head's data, and head's code has no say in
it: what head leaves out of these is unscored, and a label that head gives otherwise is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

from mlops_ci.config import Model
from mlops_ci.errors import UsageError
from mlops_ci.project import Project
from mlops_ci.steps.tree import CommitTree, Tree, WorkTree, data_digest

NO_PREDICT = (
    "The evaluation rows changed, and main's model was not asked about them: it has no `predict:` "
    "command."
)
SAME_DATA = (
    "The evaluation rows changed, though nothing under `data:` did: main's model was not asked "
    "about them."
)


def changed_data(head: Project, base: Project, name: str, commit: str) -> dict[str, str | None]:
    """Entries under `data:`, of either configuration, that differ between base's commit and head's
    work tree, with head's digest. What neither Git nor DVC keeps is one and the same for both."""
    trees: tuple[Tree, Tree] = CommitTree(base, commit), WorkTree(head)
    models = [side.config.models.get(name) for side in (base, head)]
    entries = dict.fromkeys(entry for model in models if model for entry in model.data)
    digests = {entry: _digest(head, trees[1], entry) for entry in entries}
    return {
        entry: digest
        for entry, digest in digests.items()
        if digest != _digest(base, trees[0], entry)
    }


def _digest(project: Project, tree: Tree, entry: str) -> str | None:
    try:
        return data_digest(project, tree, entry)
    except UsageError:
        return None


def why_not(base: Model, changed: Mapping[str, str | None]) -> str | None:
    """Why main's model cannot be asked about head's rows; None: it can."""
    if base.predict is None:
        return NO_PREDICT
    return None if changed else SAME_DATA
