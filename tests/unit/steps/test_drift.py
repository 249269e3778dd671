"""Drift between base's rows and head's: told where the rows differ, and never a gate."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mlops_ci.config import Gate, Policy
from mlops_ci.data import ColumnsRequest, read_predictions
from mlops_ci.records import Comparison
from mlops_ci.records.comparison import Side
from mlops_ci.steps.compare import compare_sides
from mlops_ci.steps.sides import Known, Sides

GATE = Gate(metric="accuracy", kind="max-drop", limit=0.2)


def side(folder: Path, ids: range, *, north: float = 0.3, lift: float = 0.0) -> Known:
    """A row's values depend on its id alone, but for `north` and `lift`."""
    rng = np.random.default_rng(7)
    score, luck = rng.random((2, 4_000))
    lines = ["id,label,prediction,score,cost,region"]
    for n in ids:
        region = "north" if luck[n] < north else "" if luck[n] > 0.95 else "south"
        shown = min(1.0, score[n] + lift)
        lines.append(f"{n},{int(score[n] > 0.4)},{int(shown > 0.5)},{shown},{luck[n]},{region}")
    path = folder / f"{ids.start}-{ids.stop}-{north}-{lift}.csv"
    path.write_text("\n".join(lines) + "\n")
    request = ColumnsRequest(slices=("region",), values={"cost": False})
    found = read_predictions(path, request)
    return Known(Side(name=path.name, predictions_digest=found.digest), found)


def compared(base: Known, head: Known) -> Comparison:
    return compare_sides(Sides("m", base, head, [GATE], Policy())).comparison


def test_the_same_rows_have_no_drift_whatever_the_models_say(tmp_path: Path) -> None:
    found = compared(side(tmp_path, range(2_000)), side(tmp_path, range(2_000), lift=0.4))
    assert found.drift == ()
    assert not any("other ones" in note for note in found.notes)


def test_other_rows_of_the_same_kind_are_recorded_and_not_told(tmp_path: Path) -> None:
    found = compared(side(tmp_path, range(2_000)), side(tmp_path, range(2_000, 4_000)))
    assert [one.column for one in found.drift] == [
        "label", "prediction", "score", "region", "cost",
    ]  # fmt: skip
    assert [one.kind for one in found.drift][2:4] == ["numeric", "categorical"]
    assert not any(one.drifts for one in found.drift)
    assert not any("other ones" in note for note in found.notes)


def test_what_drifts_is_named_and_stops_nothing(tmp_path: Path) -> None:
    base = side(tmp_path, range(2_000))
    quiet = compared(base, side(tmp_path, range(1_000, 3_000)))
    found = compared(base, side(tmp_path, range(1_000, 3_000), north=0.7))
    assert [one.column for one in found.drift if one.drifts] == ["region"]
    (note,) = (note for note in found.notes if "other ones" in note)
    assert "their data drift: region (PSI 0." in note
    assert "answers" not in note
    assert "of 5 columns" in note
    assert (found.verdict, found.blocks) == (quiet.verdict, quiet.blocks)


def test_missing_values_of_a_slice_are_no_name(tmp_path: Path) -> None:
    found = compared(side(tmp_path, range(2_000)), side(tmp_path, range(2_000, 4_000)))
    region = next(one for one in found.drift if one.column == "region")
    assert region.base_missing is not None
    assert 0.03 < region.base_missing < 0.07


def test_separate_samples_are_looked_at_too(tmp_path: Path) -> None:
    base = side(tmp_path, range(1_000))
    found = compared(base, side(tmp_path, range(1_000, 4_000), lift=0.3))
    assert found.evidence == "unpaired"
    assert {one.column for one in found.drift if one.drifts} == {"prediction", "score"}
    (note,) = (note for note in found.notes if "Head's rows are other ones" in note)
    assert "the answers moved, by the rows or by the model: score" in note
    assert "data drift" not in note, "its labels, regions and costs did not"
