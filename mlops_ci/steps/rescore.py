"""Whether main's model can answer head's evaluation rows, where these are others than its own.

Base's own `predict:` command runs in base's worktree, with head's files in the place of base's
under `data:`. So the rows are what base's code makes of head's data, and head's code has no say in
it: what head leaves out of these is unscored, and a label that head gives otherwise is refused.

Without it, base's model folder is asked about the file that base's `features:` names, out of
head's `data:`. Rows and labels are then those of that file, and head's code has no say either: a
file that is not under `data:` would be what head's code wrote. Base's own rows are asked first:
where training makes its predictions in another way than the model alone does, the model is no
yardstick.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from mlops_ci.config import Model
from mlops_ci.errors import ComparisonError, UsageError
from mlops_ci.project import Project, is_within
from mlops_ci.records import Evaluation
from mlops_ci.steps.answers import Asking, Way, are_alike, pair_all
from mlops_ci.steps.evaluate import evaluation_of, open_predictions
from mlops_ci.steps.tree import CommitTree, Tree, WorkTree, data_digest

NO_PREDICT = (
    "The evaluation rows changed, and main's model was not asked about them: it has no `predict:` "
    "command, and no `features:` with a `model` folder."
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
    features = base.features
    if base.predict is None and (features is None or base.model is None or not base.predictions):
        return NO_PREDICT
    if not changed:
        return SAME_DATA
    if base.predict is None and not _has(changed, features or ""):
        return (
            "The evaluation rows changed, and main's model was not asked about them: "
            f"`features: {features}` is not in what changed under `data:`."
        )
    return None


def _has(changed: Mapping[str, str | None], features: str) -> bool:
    path = Path(features).as_posix()
    return any(is_within(path, Path(entry).as_posix()) for entry in changed)


def ask_folder(tree: Project, name: str, way: Way, bring: Callable[[], None]) -> Evaluation:
    """What the model in this worktree answers to the features that `bring` puts there.

    Raises UsageError when there is nothing to ask, CommandError when asking fails, ComparisonError
    when the model does not answer its own rows as its predictions say."""
    model = tree.model(name)
    used = open_predictions(tree.root / (model.predictions or ""), model)
    asking = Asking(tree, name, model, used, "rescore", way)
    asking.make_folder()
    features = tree.root / (model.features or "")
    if not are_alike(pair_all(used, asking.answers(_present(features, model, "base")))):
        raise ComparisonError(
            f"{model.model} answers main's own rows in another way than {model.predictions} does"
        )
    bring()
    asking.answers(_present(features, model, "head"))
    answered = asking.written.relative_to(tree.root).as_posix()
    models = {**tree.config.models, name: msgspec.structs.replace(model, predictions=answered)}
    view = tree.with_config(msgspec.structs.replace(tree.config, models=models))
    return evaluation_of(view, name, asking.commit, None)


def _present(features: Path, model: Model, side: str) -> Path:
    if not features.is_file():
        raise UsageError(f"{side} has no {model.features}")
    return features
