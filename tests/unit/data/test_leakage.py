"""Which evaluation rows were trained on, against sets of keys."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_ci.data import read_predictions
from mlops_ci.data.leakage import Overlap, count_among, find_overlap, hash_trained
from mlops_ci.errors import ComparisonError, UsageError
from mlops_ci.steps.leakage import (
    UNKNOWN,
    Trained,
    measure_leakage,
    note_of,
    note_of_main,
    result_of,
)


def write(path: Path, names: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([names, *rows])
    return path


def evaluated(folder: Path, keys: Sequence[object], **extra: Sequence[object]) -> Path:
    rows = [
        (key, i + 0.5, i + 0.5, *(column[i] for column in extra.values()))
        for i, key in enumerate(keys)
    ]
    return write(folder / "p.csv", ["id", "label", "prediction", *extra], rows)


def overlap(folder: Path, keys: Sequence[object], trained: Sequence[object]) -> Overlap:
    training = write(folder / "t.csv", ["x", "id"], [(0.5, key) for key in trained])
    found = find_overlap(read_predictions(evaluated(folder, keys)), [training])
    assert found is not None
    return found


numbers = st.integers(-40, 40)
names = st.text("abcXYZ-é", min_size=1, max_size=4).map(lambda text: f"k{text}")


@settings(max_examples=40, deadline=None)
@given(
    st.one_of(
        st.tuples(st.sets(numbers, min_size=2), st.lists(numbers, min_size=1)),
        st.tuples(st.sets(names, min_size=2), st.lists(names, min_size=1)),
        st.tuples(
            st.sets(numbers, min_size=2),
            st.lists(st.one_of(numbers, names), min_size=1),
        ),
    )
)
def test_as_many_as_two_sets_share(keys: tuple[set[object], list[object]]) -> None:
    """Numbers, texts, and one file of numbers beside one of texts; training keys may repeat."""
    ours, trained = sorted(keys[0], key=str), keys[1]
    with tempfile.TemporaryDirectory() as folder:
        found = overlap(Path(folder), ours, trained)
    expected = {str(key) for key in ours} & {str(key) for key in trained}
    assert (found.rows, found.shared) == (len(ours), len(expected))
    assert set(found.examples) <= expected
    assert found.share == len(expected) / len(ours)


def test_a_key_of_two_columns_is_both(tmp_path: Path) -> None:
    from mlops_ci.data import ColumnsRequest

    rows = [("a", 1, 0.5, 0.5), ("a", 2, 1.5, 1.5), ("b", 1, 1.5, 1.5)]
    place = write(tmp_path / "p.csv", ["user", "day", "label", "prediction"], rows)
    predictions = read_predictions(place, ColumnsRequest(id=("user", "day")))
    training = write(tmp_path / "t.csv", ["day", "user"], [(2, "a"), (2, "b"), (3, "a")])
    found = find_overlap(predictions, [training])
    assert found is not None
    assert found.shared == 1
    assert "`a, 2`" in note_of(found)


def test_a_split_column_says_it_without_a_file(tmp_path: Path) -> None:
    split = ["train", "test", " Train ", "fit", "validation", ""]
    predictions = read_predictions(evaluated(tmp_path, range(6), split=split))
    found = find_overlap(predictions, ())
    assert found is not None
    assert (found.rows, found.shared) == (6, 3)
    none = read_predictions(evaluated(tmp_path, range(6)))
    assert find_overlap(none, ()) is None


def test_a_training_file_without_the_id_is_refused(tmp_path: Path) -> None:
    predictions = read_predictions(evaluated(tmp_path, range(4)))
    with pytest.raises(UsageError, match="no column 'id'"):
        find_overlap(predictions, [write(tmp_path / "t.csv", ["ident"], [(1,)])])
    with pytest.raises(UsageError, match="there is no file"):
        find_overlap(predictions, [tmp_path / "nowhere.parquet"])


@pytest.mark.parametrize("content", [b"", b"id\n", b"PAR1 broken"])
def test_a_broken_training_file_is_refused(tmp_path: Path, content: bytes) -> None:
    predictions = read_predictions(evaluated(tmp_path, range(4)))
    name = "t.parquet" if content.startswith(b"PAR1") else "t.csv"
    (tmp_path / name).write_bytes(content)
    with pytest.raises((ComparisonError, UsageError)):
        find_overlap(predictions, [tmp_path / name])


def test_rows_without_ids_cannot_be_checked(tmp_path: Path) -> None:
    place = write(tmp_path / "p.csv", ["label", "prediction"], [(0.5, 0.5), (1.5, 1.5)])
    training = write(tmp_path / "t.csv", ["id"], [(1,)])
    with pytest.raises(UsageError, match="needs row keys"):
        find_overlap(read_predictions(place), [training])


def test_a_gate_that_nothing_answers_is_an_error(tmp_path: Path) -> None:
    predictions = read_predictions(evaluated(tmp_path, range(4)))
    with pytest.raises(UsageError, match="gate on leakage"):
        measure_leakage(predictions, Trained(), gated=True)
    with pytest.raises(UsageError, match="gate on leakage"):
        measure_leakage(None, Trained(), gated=True)
    assert measure_leakage(predictions, Trained(), gated=False) == ((), ())
    assert measure_leakage(None, Trained(), gated=False) == ((), ())


def test_what_is_said_of_it() -> None:
    clean = result_of(Overlap(2000, 0, "t.csv"))
    assert (clean.head, clean.head_low, clean.head_high) == (0.0, 0.0, 0.0)
    assert "1 of the 100,000 evaluation rows (under 0.1 %) is among" in note_of(
        Overlap(100_000, 1, "t.csv")
    )
    assert "(99.9 %)" in note_of(Overlap(100_000, 99_999, "t.csv"))
    assert "(100 %)" in note_of(Overlap(10, 10, "t.csv"))
    assert note_of(Overlap(10, 1, "t.csv", ("a`b",))).count("`") == 2


@pytest.mark.parametrize("keys", [[7, 8, 9, 10], ["7", "8", "a", "b"]])
def test_mains_training_rows_are_told_whatever_their_keys_are(
    tmp_path: Path, keys: list[object]
) -> None:
    """Numbers in one file may be texts in the other."""
    trained = write(tmp_path / "t.csv", ["id"], [(8,), (7,), (8,), (99,)])
    mains = hash_trained(read_predictions(evaluated(tmp_path, [7, 8])), trained)
    assert mains is not None
    assert len(mains) == 3
    (result,), notes = measure_leakage(
        read_predictions(evaluated(tmp_path, keys, split=["test"] * 4)),
        Trained((), mains),
        gated=True,
    )
    assert (result.head, result.base) == (0.0, 0.5)
    assert notes == (note_of_main(2, 4),)
    assert "2 of the 4 evaluation rows (50.0 %) are among the rows that main's model" in notes[0]


def test_a_column_split_says_which_rows_main_was_trained_on(tmp_path: Path) -> None:
    said = read_predictions(evaluated(tmp_path, [1, 2, 3], split=["train", None, "test"]))
    mains = hash_trained(said, None)
    assert mains is not None
    assert count_among(said, mains) == 1
    assert hash_trained(read_predictions(evaluated(tmp_path, [1, 2])), None) is None


def test_where_main_says_what_was_not_kept_it_is_not_known(tmp_path: Path) -> None:
    rows = read_predictions(evaluated(tmp_path, [1, 2]))
    assert measure_leakage(rows, Trained(asked=True), gated=False) == ((), (UNKNOWN,))
