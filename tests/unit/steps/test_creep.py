"""Head against records of main whose rows are not all head's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mlops_ci.config import Gate, Policy
from mlops_ci.data import ColumnsRequest, Predictions, read_predictions
from mlops_ci.records import Comparison
from mlops_ci.records.comparison import Side
from mlops_ci.steps.compare import compare_sides
from mlops_ci.steps.sides import Anchor, Bests, Known, Sides
from tests.unit.data.files import write

GATE = Gate(metric="accuracy", kind="max-drop", limit=0.02, max_total_drop=0.03)
N = 400


def answers(folder: Path, name: str, wrong: int, *, rows: int = N, mended: int = 0) -> Predictions:
    """The last `wrong` of 400 rows are answered wrongly; of the first ones labels are turned."""
    labels = [(i + (i < mended)) % 2 for i in range(rows)]
    said = [label ^ (N - wrong <= i < N) for i, label in enumerate(labels)]
    columns = {"id": list(range(rows)), "label": labels, "prediction": said}
    path = write(folder / f"{name}.csv", columns)
    return read_predictions(path, ColumnsRequest(task="binary"))


def held(base: Predictions, head: Predictions, best: Predictions) -> Comparison:
    sides = [Known(Side(name=name), one) for name, one in (("base", base), ("head", head))]
    anchor = Anchor(Known(Side(name="best"), best), frozenset({("accuracy", None)}))
    asked = Sides("m", sides[0], sides[1], [GATE], Policy(), Bests((anchor,), there=True))
    return compare_sides(asked).comparison


@pytest.mark.parametrize(
    ("mended", "said"),
    [(4, "judged on the 396 rows that its 400 and head's 400 have"), (100, "of its 400 rows 100")],
)
def test_labels_that_were_mended_leave_the_others(tmp_path: Path, mended: int, said: str) -> None:
    base = answers(tmp_path, "base", 36, mended=mended)
    head = answers(tmp_path, "head", 40, mended=mended)
    found = held(base, head, answers(tmp_path, "best", 0))
    (note,) = [one for one in found.notes if "max-total-drop" in one]
    assert said in note
    creep = [one for one in found.gates if one.against == "anchor"]
    assert [one.blocks for one in creep] == ([True] if mended == 4 else [])


def test_base_that_has_answered_all_rows_lets_a_gate_pass_that_holds_on_the_others_too(
    tmp_path: Path,
) -> None:
    base, head = (answers(tmp_path, name, 2, rows=N + 4) for name in ("base", "head"))
    best = answers(tmp_path, "best", 1)
    found = held(base, head, best)
    creep = found.gates[1]
    assert (creep.against, creep.verdict, creep.reason) == ("anchor", "pass", "holds")
    assert creep.estimate == pytest.approx(-1 / N)
    fewer = replace(head, rows_digest="other")
    assert held(answers(tmp_path, "less", 2), fewer, best).gates[1].reason == "new-rows"


def test_a_record_of_other_rows_says_why_nothing_is_held(tmp_path: Path) -> None:
    base = answers(tmp_path, "base", 2)
    best = answers(tmp_path, "best", 1, rows=3 * N)
    found = held(base, answers(tmp_path, "head", 3), best)
    assert [one.against for one in found.gates] == ["base"]
    assert any("fewer than 80%" in one and "max-total-drop" in one for one in found.notes)


def test_a_record_with_other_labels_alone_passes_nothing(tmp_path: Path) -> None:
    base, head = answers(tmp_path, "base", 2, rows=N - 4), answers(tmp_path, "head", 2)
    creep = held(base, head, answers(tmp_path, "best", 2, mended=4)).gates[1]
    assert (creep.against, creep.verdict, creep.reason) == ("anchor", "inconclusive", "relabelled")
