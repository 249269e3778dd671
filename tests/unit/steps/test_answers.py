"""Whether a model's answers are those that its predictions file has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlops_ci.data import ColumnsRequest, Predictions, read_predictions
from mlops_ci.data.perturbed import Probe
from mlops_ci.errors import CommandError, ComparisonError
from mlops_ci.steps.answers import are_alike, check_probe, pair_all, told


def predictions(place: Path, scores: list[float], header: str = "id,label,score") -> Predictions:
    lines = [f"{i},{i % 2},{score}" for i, score in enumerate(scores)]
    place.write_text("\n".join([header, *lines]) + "\n")
    return read_predictions(place, ColumnsRequest())


@pytest.mark.parametrize(("other", "alike"), [(0.3 + 1e-7, True), (0.3001, False)])
def test_scores_are_alike_to_a_millionth(tmp_path: Path, other: float, alike: bool) -> None:
    one = predictions(tmp_path / "a.csv", [0.3, 0.8, 0.1])
    two = predictions(tmp_path / "b.csv", [other, 0.8, 0.1])
    assert are_alike(pair_all(one, two)) is alike


@pytest.mark.parametrize("scores", [[0.3, 0.8], [0.3, 0.8, 0.1, 0.2]])
def test_every_row_is_answered_and_no_other(tmp_path: Path, scores: list[float]) -> None:
    one = predictions(tmp_path / "a.csv", [0.3, 0.8, 0.1])
    with pytest.raises(ComparisonError, match="of 3 rows"):
        pair_all(one, predictions(tmp_path / "b.csv", scores))


WHOLE = ["0,0.2", "1,0.7", "1,0.4", "0,0.1"]


@pytest.mark.parametrize(
    ("rows", "half", "told_"),
    [
        (4, ["1,0.7", "0,0.1"], None),
        (4, ["1,0.7", "0,0.2"], "in another way than the predictions do"),
        (4, ["0,0.1", "1,0.7"], "labels are not those of these rows"),
        (4, ["1,0.7"], "of 2 rows 1 were answered"),
        (4, WHOLE, "answered all rows"),
        (5, ["1,0.7", "0,0.1"], "the features have 5 rows and the predictions 4"),
    ],
)
def test_a_probe_without_ids_is_held_against_the_rows_at_its_places(
    tmp_path: Path, rows: int, half: list[str], told_: str | None
) -> None:
    sides = []
    for name, lines in (("whole.csv", WHOLE), ("half.csv", half)):
        (tmp_path / name).write_text("\n".join(["label,score", *lines]) + "\n")
        sides.append(read_predictions(tmp_path / name, ColumnsRequest(task="binary")))
    asked = Probe(rows, np.array([1, 3]))
    if told_ is None:
        check_probe(sides[0], sides[1], asked)
        return
    with pytest.raises(ComparisonError, match=told_):
        check_probe(sides[0], sides[1], asked)


def test_a_probe_with_other_ids_is_no_answer(tmp_path: Path) -> None:
    one = predictions(tmp_path / "a.csv", [0.3, 0.8, 0.1, 0.6])
    (tmp_path / "b.csv").write_text("id,label,score\n7,0,0.3\n8,1,0.8\n")
    other = read_predictions(tmp_path / "b.csv", ColumnsRequest())
    with pytest.raises(ComparisonError, match="it gives other ids"):
        check_probe(one, other, Probe(4, np.array([0, 1])))


def test_answers_without_ids_in_another_order_are_told_so(tmp_path: Path) -> None:
    sides = []
    for name, lines in (("a.csv", WHOLE), ("b.csv", WHOLE[1:] + WHOLE[:1])):
        (tmp_path / name).write_text("\n".join(["label,score", *lines]) + "\n")
        sides.append(read_predictions(tmp_path / name, ColumnsRequest()))
    with pytest.raises(ComparisonError, match="labels of the answers do not agree"):
        pair_all(*sides)


def test_one_other_class_is_another_answer(tmp_path: Path) -> None:
    request = ColumnsRequest(task="multiclass")
    sides = []
    for name, last in (("a.csv", 2), ("b.csv", 2), ("c.csv", 1)):
        (tmp_path / name).write_text(f"id,label,prediction\n1,0,0\n2,1,1\n3,2,{last}\n")
        sides.append(read_predictions(tmp_path / name, request))
    assert are_alike(pair_all(sides[0], sides[1]))
    assert not are_alike(pair_all(sides[0], sides[2]))


def test_equal_scores_cut_otherwise_are_another_answer(tmp_path: Path) -> None:
    sides = []
    for name, middle in (("a.csv", 0), ("b.csv", 1)):
        table = f"id,label,score,prediction\n1,0,0.1,0\n2,1,0.4,{middle}\n3,1,0.9,1\n"
        (tmp_path / name).write_text(table)
        sides.append(read_predictions(tmp_path / name, ColumnsRequest()))
    assert are_alike(pair_all(sides[0], sides[0]))
    assert not are_alike(pair_all(*sides))


def test_the_last_line_of_a_command_is_told() -> None:
    error = CommandError(
        "model failed with exit code 1: python ask", code=1, tail="a\nwhich unit?\n"
    )
    assert told(error) == "model failed with exit code 1 (which unit?)"
    assert told(ComparisonError("no rows: none")) == "no rows: none"
