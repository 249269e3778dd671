from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci.data import ColumnsRequest, Pairing, Predictions, pair, read_predictions
from mlops_ci.errors import ComparisonError
from mlops_ci.verdict import Outputs, PairedRows
from tests.unit.data.files import binary, write


def read(folder: Path, columns: dict[str, Any], **asked: Any) -> Predictions:
    name = f"{len(list(folder.iterdir()))}.csv"
    return read_predictions(write(folder / name, columns), ColumnsRequest(**asked))


def pairing(folder: Path, base: dict[str, Any], head: dict[str, Any], **asked: Any) -> Pairing:
    return pair(read(folder, base, **asked), read(folder, head, **asked))


def shuffled(columns: dict[str, list[Any]], seed: int, keep: int | None = None) -> dict[str, Any]:
    order = np.random.default_rng(seed).permutation(len(columns["label"]))[:keep]
    return {name: [values[n] for n in order] for name, values in columns.items()}


def paired(found: Pairing) -> PairedRows:
    assert isinstance(found.rows, PairedRows)
    return found.rows


def test_rows_are_joined_by_key_whatever_their_order(tmp_path: Path) -> None:
    base, head = binary(seed=1), binary(seed=2)
    straight = pairing(tmp_path, base, head)
    mixed = pairing(tmp_path, shuffled(base, 3), shuffled(head, 4))
    assert straight.counts == mixed.counts
    assert (straight.counts.paired, straight.counts.paired_by) == (40, "id")
    one, other = (
        sorted(zip(rows.label, scores(rows.base), scores(rows.head), strict=True))
        for rows in (paired(straight), paired(mixed))
    )
    assert one == other
    assert straight.notes == ()


def scores(side: Outputs) -> list[float]:
    assert side.score is not None
    return [float(value) for value in side.score]


@settings(deadline=None, max_examples=40)
@given(left=st.sets(st.integers(0, 30), min_size=2), right=st.sets(st.integers(0, 30), min_size=2))
def test_every_pair_is_one_row(
    tmp_path_factory: pytest.TempPathFactory, left: set[int], right: set[int]
) -> None:
    folder = tmp_path_factory.mktemp("pairs")

    def columns(ids: set[int], shift: float) -> dict[str, Any]:
        chosen = sorted(ids, key=lambda n: (n * 7) % 31)
        return {
            "id": chosen,
            "label": [n % 2 for n in chosen],
            "score": [(n + shift) / 32 for n in chosen],
        }

    found = pairing(folder, columns(left, 0), columns(right, 0.5))
    common = left & right
    assert (found.unscored, found.added) == (len(left - right), len(right - left))
    assert (found.left_out is None) == (left <= right)
    if found.left_out is not None:
        gone = [n / 32 for n in sorted(left - right, key=lambda n: (n * 7) % 31)]
        assert scores(found.left_out.outputs) == gone
    if len(common) < 0.8 * len(left):
        assert not isinstance(found.rows, PairedRows)
        return
    rows = paired(found)
    assert found.counts.paired == len(common)
    assert rows.base.score is not None
    assert rows.head.score is not None
    np.testing.assert_allclose(rows.head.score - rows.base.score, 0.5 / 32)
    np.testing.assert_array_equal(np.rint(rows.base.score * 32) % 2, rows.label)


def test_rows_that_head_left_out_are_counted(tmp_path: Path) -> None:
    found = pairing(tmp_path, binary(40), shuffled(binary(40), 1, keep=32))
    assert (found.unscored, found.counts.paired) == (8, 32)
    assert "8 of base's 40 rows were not scored by head." in found.notes


def test_fewer_than_four_fifths_of_bases_rows_are_two_samples(tmp_path: Path) -> None:
    found = pairing(tmp_path, binary(40), shuffled(binary(40), 1, keep=31))
    assert not isinstance(found.rows, PairedRows)
    assert (found.unscored, found.counts.paired, found.counts.paired_by) == (9, 0, "none")
    (note,) = found.notes
    assert note.startswith("Of base's 40 rows head scored 31, fewer than 80%")
    head = shuffled(binary(40), 1, keep=31)
    head["label"][3] = 1 - head["label"][3]
    with pytest.raises(ComparisonError, match="1 row has another label"):
        pairing(tmp_path, binary(40), head)


def test_rows_that_only_head_has_are_said(tmp_path: Path) -> None:
    found = pairing(tmp_path, binary(40), binary(50))
    assert (found.unscored, found.counts.paired) == (0, 40)
    assert found.added == 10
    assert "10 rows of head are new: they are not compared." in found.notes


def test_a_slice_that_base_has_no_row_of_is_said(tmp_path: Path) -> None:
    """Of `region=*` it is none: nothing would say that it is not judged."""
    base, head = binary(40), binary(50)
    base["region"], head["region"] = ["north"] * 40, ["north"] * 45 + ["east"] * 5
    found = pairing(tmp_path, base, head, slices=("region",))
    assert "Base has no row of region=east: no gate judges it." in found.notes
    head["region"] = ["north"] * 50
    found = pairing(tmp_path, base, head, slices=("region",))
    assert not any("no row of" in note for note in found.notes)


def test_a_label_that_moved_is_refused(tmp_path: Path) -> None:
    head = binary()
    head["label"][7] = 1 - head["label"][7]
    head["label"][9] = 1 - head["label"][9]
    with pytest.raises(ComparisonError, match="2 rows have another label in head") as error:
        pairing(tmp_path, binary(), head)
    assert "'7', '9'" in str(error.value)
    assert error.value.exit_code == 3


def test_a_value_that_moved_is_refused(tmp_path: Path) -> None:
    base = {"id": ["a", "b"], "y_true": [1.5, 2.5], "y_pred": [1.0, 2.0]}
    with pytest.raises(ComparisonError, match="'b'"):
        pairing(tmp_path, base, base | {"y_true": [1.5, 2.5000001]})


def test_without_id_by_position_where_the_labels_agree(tmp_path: Path) -> None:
    base, head = ({k: v for k, v in binary(seed=s).items() if k != "id"} for s in (1, 2))
    found = pairing(tmp_path, base, head)
    assert found.counts.paired_by == "position"
    assert "by position" in found.notes[0]
    moved = pairing(tmp_path, base, shuffled(head, 5))
    assert moved.counts.paired_by == "none"
    assert not isinstance(moved.rows, PairedRows)
    assert "labels do not agree" in moved.notes[0]
    shorter = pairing(tmp_path, base, {k: v[:30] for k, v in head.items()})
    assert "base has 40 rows and head 30" in shorter.notes[0]


def test_an_id_on_one_side_only_is_said(tmp_path: Path) -> None:
    head = {name: values for name, values in binary(seed=2).items() if name != "id"}
    found = pairing(tmp_path, binary(seed=1), head)
    assert found.notes[0].startswith("Only base has an id column")


def test_no_common_key_is_no_pair(tmp_path: Path) -> None:
    head = binary() | {"id": [f"other {n}" for n in range(40)]}
    found = pairing(tmp_path, binary(), head)
    assert found.counts.paired_by == "none"
    assert "No id occurs in both files" in found.notes[0]


@pytest.mark.parametrize(
    ("base", "head", "words"),
    [
        ({"label": ["no", "yes"], "prediction": ["no", "yes"]},
         {"label": ["No", "Yes"], "prediction": ["No", "Yes"]}, "base has the classes no, yes"),
        ({"label": ["no", "yes"], "prediction": ["no", "yes"]},
         {"label": ["no", "yes"], "prediction": ["no", "maybe"]}, "binary task and head a multi"),
        ({"label": [0.5, 1.5], "prediction": [0.5, 1.5]},
         {"label": ["no", "yes"], "prediction": ["no", "yes"]}, "regression task and head a bin"),
    ],
)  # fmt: skip
def test_different_classes_and_tasks(
    tmp_path: Path, base: dict[str, Any], head: dict[str, Any], words: str
) -> None:
    def side(columns: dict[str, Any]) -> Predictions:
        classes = str(columns["label"][1]), len({*columns["label"], *columns["prediction"]})
        binary_task = isinstance(columns["label"][1], str) and classes[1] == 2
        return read(tmp_path, columns, positive=classes[0] if binary_task else None)

    with pytest.raises(ComparisonError, match=words) as error:
        pair(side(base), side(head))
    assert error.value.exit_code == 3


def test_multiclass_models_may_know_different_classes(tmp_path: Path) -> None:
    labels = ["a", "b", "c", "a"]
    base = {"id": [1, 2, 3, 4], "label": labels, "score_a": [0.6, 0.2, 0.2, 0.5],
            "score_b": [0.2, 0.6, 0.2, 0.3], "score_c": [0.2, 0.2, 0.6, 0.2]}  # fmt: skip
    head = base | {"score_aa": [0.1, 0.0, 0.0, 0.9]}
    found = pairing(tmp_path, base, head)
    rows = paired(found)
    assert rows.classes == ("a", "aa", "b", "c")
    assert rows.base.score is not None
    assert rows.base.score[:, 1].tolist() == [0, 0, 0, 0]
    assert rows.base.score[:, 2].tolist() == base["score_b"]
    assert rows.head.prediction is not None
    assert rows.head.prediction.tolist() == [0, 2, 3, 1]
    assert rows.label.tolist() == [0, 2, 3, 0]
    assert found.notes == ("Only head has the class aa.",)


def test_one_class_alone_takes_the_other_files_name(tmp_path: Path) -> None:
    base = {"label": ["no", "no"], "prediction": ["no", "no"]}
    head = {"label": ["no", "no"], "prediction": ["no", "yes"]}
    for one, other in ((base, head), (head, base)):
        rows = paired(pairing(tmp_path, one, other, positive="yes"))
        assert rows.classes == ("no", "yes")
        assert rows.label.tolist() == [0, 0]
    rows = paired(pairing(tmp_path, base, head, positive="no"))
    assert rows.classes == ("no", "yes")
    assert rows.positive == 0
    assert rows.base.prediction is not None
    assert rows.base.prediction.tolist() == [0, 0]


def test_slices_follow_their_rows_and_may_be_empty(tmp_path: Path) -> None:
    base = binary(6) | {"part": ["a", "a", "b", "b", "b", "c"]}
    head = {name: values[:5] for name, values in base.items()}
    rows = paired(pairing(tmp_path, base, head, slices=("part",)))
    found = {name: mask.tolist() for name, mask in rows.slices.items()}
    assert found == {
        "part=a": [True, True, False, False, False],
        "part=b": [False, False, True, True, True],
        "part=c": [False, False, False, False, False],
    }


def test_base_says_which_slice_a_row_is_in(tmp_path: Path) -> None:
    base = binary(4) | {"part": ["a", "a", "b", "b"]}
    head = base | {"part": ["b", "b", "a", "a"]}
    rows = paired(pairing(tmp_path, base, head, slices=("part",)))
    assert rows.slices["part=a"].tolist() == [True, True, False, False]


def test_the_same_file_is_identical(tmp_path: Path) -> None:
    one = read(tmp_path, binary())
    assert paired(pair(one, one)).identical
    assert not paired(pair(one, read(tmp_path, binary(seed=1)))).identical


def test_one_file_with_two_models_is_not_one_model(tmp_path: Path) -> None:
    both = binary(seed=1) | {"other": binary(seed=2)["score"]}
    one, other = (read(tmp_path, both, score=name) for name in ("score", "other"))
    assert one.digest == other.digest
    assert not paired(pair(one, other)).identical


def test_head_cannot_weigh_the_rows(tmp_path: Path) -> None:
    plain, other = binary(seed=1), binary(seed=2)
    weight = {"weight": [0.5, 2.0] * 20}
    found = pairing(tmp_path, plain, other | weight)
    assert paired(found).weight is None
    assert [note.partition(":")[0] for note in found.notes] == ["Only head has weights"]
    rows = paired(pairing(tmp_path, plain | weight, other))
    assert rows.weight is not None
    assert rows.weight.tolist() == weight["weight"]


def test_a_cut_on_one_side_only_is_said(tmp_path: Path) -> None:
    head = binary(seed=2) | {"prediction": [1, 0] * 20}
    found = pairing(tmp_path, binary(seed=1), head)
    assert found.notes == (
        "Classes of base are its scores cut at 0.5; the other side brings its own.",
    )
    assert pairing(tmp_path, binary(seed=1), binary(seed=2)).notes == ()


def test_groups_that_only_head_has_shorten_no_interval(tmp_path: Path) -> None:
    """They rank queries; from the merge on intervals count them."""
    groups = {"group": ["a", "b"] * 20}
    base, head = read(tmp_path, binary(40)), read(tmp_path, binary(40) | groups)
    found = pair(base, head)
    assert isinstance(found.rows, PairedRows)
    assert found.rows.group is None
    assert found.rows.queries is not None
    assert found.rows.queries[:4].tolist() == [0, 1, 0, 1]
    assert any(note.startswith("Only head has groups") for note in found.notes)
    back = pair(head, base).rows
    assert isinstance(back, PairedRows)
    assert back.group is not None
    assert back.queries is None
