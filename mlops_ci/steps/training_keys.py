"""Which rows a model was trained on, kept beside its evaluation: a later pull request may evaluate
on them, and main's model, which knows them by heart, would look better than it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlops_ci.config import Model
from mlops_ci.engines.links import refuse_links
from mlops_ci.errors import MlopsCiError
from mlops_ci.project import Project
from mlops_ci.records.files import write_atomically
from mlops_ci.steps.evaluate import open_predictions

if TYPE_CHECKING:
    from mlops_ci.data.keys import Hashes

FILE = "training-keys.bin"
MOST = 1_000_000  # rows: eight megabytes


def place_of(project: Project, name: str, commit: str) -> Path:
    return project.records.of(name, commit) / FILE


def keep_training_keys(project: Project, name: str, commit: str) -> None:
    """Nothing where nothing says which they are, or they are too many. What is wrong with the file
    is told where head's own rows are looked for among them."""
    place = place_of(project, name, commit)
    place.unlink(missing_ok=True)
    try:
        keys = read_training_keys(project, project.model(name))
    except MlopsCiError:
        return
    if keys is not None and len(keys) <= MOST:
        write_atomically(place, keys.astype("<u8").tobytes())


def read_training_keys(project: Project, model: Model) -> Hashes | None:
    """Sorted, each once; None where nothing says which rows were trained on.

    Raises UsageError or ComparisonError for files that do not say it.
    """
    from mlops_ci.data.leakage import has_split, hash_trained

    named = model.training_rows
    if model.predictions is None:
        return None
    place = project.root / model.predictions
    if named is None and not has_split(place):
        return None
    refuse_links(project, [named] if named is not None else [])
    predictions = open_predictions(place, model)
    return hash_trained(predictions, project.root / named if named is not None else None)


def stored_keys(place: Path) -> Hashes | None:
    """As they were kept; None without, or for a file that is no list of them."""
    import numpy as np

    content = place.read_bytes() if place.is_file() else b""
    if not content or len(content) % 8:
        return None
    return np.frombuffer(content, dtype="<u8").astype(np.uint64)
