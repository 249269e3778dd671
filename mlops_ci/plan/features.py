"""The features of the evaluation rows: whether they changed, and whether main's answers did."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from mlops_ci.data import Predictions
from mlops_ci.data.cells import answered_alike, changed_keys
from mlops_ci.data.keys import Hashes
from mlops_ci.errors import ComparisonError, UsageError
from mlops_ci.plan.base_search import Search
from mlops_ci.plan.rescoring import differ
from mlops_ci.project import Project
from mlops_ci.records import Evaluation
from mlops_ci.steps.tree import CommitTree, WorkTree, data_digest


def notes_on_features(
    project: Project,
    search: Search | None,
    head: Evaluation,
    before: Predictions | None,
    now: Predictions | None,
) -> list[str]:
    """`before`: main's recorded answers, where its model was asked again and gave those of `now`;
    None where it was not asked."""
    if search is None or search.side is None or search.settings.adopted or now is None:
        return []
    features = search.settings.model.features
    if before is None:
        if features is None or differ(search.side.evaluation, head):
            return []
        return [_not_asked(features)] if _differs(project, search, features) else []
    return _on_answers(_changed(project, search, features, before), before, now)


def _not_asked(features: str) -> str:
    return (
        f"{features} changed, while the ids and labels of the evaluation rows did not: main's "
        "answers are those to its own version of these rows. What changed may be the rows as well "
        "as the model."
    )


def _on_answers(changed: Hashes | None, before: Predictions, now: Predictions) -> list[str]:
    keys, alike = answered_alike(before, now)
    if changed is not None:
        chosen = np.isin(keys, changed)
        count = int(chosen.sum())
        if not count or not alike[chosen].all():
            return []
        rows = "the row" if count == 1 else f"each of the {count:,} rows"
        said = f"Main's model answered {rows} whose features changed as before. If `predict:` "
        return [said + "looks old answers up by id, they say nothing of the new data."]
    if not len(keys) or not alike.all():
        return []
    said = f"Main's model gave the {len(keys):,} rows that both versions of the data have the "
    return [said + "answers that it gave before; whether their features changed is not known here."]


def _differs(project: Project, search: Search, features: str) -> bool:
    """Only where Git or DVC has this very file: of a folder in DVC nobody can say which changed."""
    base = project.with_config(search.settings.config)
    trees = CommitTree(base, search.base.commit), WorkTree(project)
    path = Path(features).as_posix()
    known = [tree.files().get(path) for tree in trees]
    if None not in known:
        return known[0] != known[1]
    if any(tree.read(f"{path}.dvc") is None for tree in trees):
        return False
    try:
        return data_digest(base, trees[0], path) != data_digest(project, trees[1], path)
    except UsageError:
        return False


def _changed(
    project: Project, search: Search, features: str | None, before: Predictions
) -> Hashes | None:
    """Keys of the rows whose features changed; None where base's version is not in Git."""
    ids = tuple(before.resolution.columns.get("id", ()))
    if features is None or not (project.root / features).is_file():
        return None
    base = project.with_config(search.settings.config)
    content = CommitTree(base, search.base.commit).read(Path(features).as_posix())
    if content is None or content.startswith(b"version https://git-lfs"):
        return None
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / Path(features).name
        place.write_bytes(content)
        try:
            return changed_keys(place, project.root / features, ids)
        except (ComparisonError, UsageError):
            return None
