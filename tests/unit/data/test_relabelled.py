"""What an older record has of head's rows: by id, with the label that it had then."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlops_ci.data import Predictions, read_predictions
from mlops_ci.data.keys import least_hashes
from mlops_ci.data.relabelled import without_relabelled
from tests.unit.data.files import write


def answers(folder: Path, name: str, labels: str, *, ids: bool = True) -> Predictions:
    """One row a letter, in the order of the letters; each is answered as `a`."""
    rows: dict[str, list[object]] = {"id": list(range(len(labels)))} if ids else {}
    return read_predictions(
        write(
            folder / f"{name}.csv",
            {**rows, "label": list(labels), "prediction": ["a"] * len(labels)},
        )
    )


def test_rows_whose_label_was_mended_are_left_out(tmp_path: Path) -> None:
    older = answers(tmp_path, "older", "abcabcab")
    found, count = without_relabelled(older, answers(tmp_path, "head", "abbabcbbcc"))
    assert count == 2
    assert found.keys is not None
    assert [int(key) for key in found.keys] == [0, 1, 3, 4, 5, 7]
    assert [found.classes[code] for code in found.label] == list("ababcb")
    assert older.rows == 8


@pytest.mark.parametrize("ids", [True, False])
def test_the_same_labels_leave_everything(tmp_path: Path, ids: bool) -> None:
    older = answers(tmp_path, "older", "abcabc", ids=ids)
    head = answers(tmp_path, "head", "abcabcc", ids=ids)
    assert without_relabelled(older, head) == (older, 0)


def test_a_sample_is_the_same_whatever_the_order_and_knows_labels() -> None:
    keys, labels = np.arange(3000), np.arange(3000) % 2
    turned = np.random.default_rng(1).permutation(3000)
    sample = least_hashes(keys, labels, ("a", "b"), 128)
    assert len(sample) == 128
    assert sample == sorted(sample)
    assert least_hashes(keys[turned], labels[turned], ("a", "b"), 128) == sample
    assert least_hashes(keys[:100], labels[:100], ("a", "b"), 128) != sample
    assert len(least_hashes(keys[:100], labels[:100], ("a", "b"), 128)) == 100
    assert not set(least_hashes(keys, 1 - labels, ("a", "b"), 128)) & set(sample)
