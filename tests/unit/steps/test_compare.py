from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from mlops_ci.config import Gate, Policy
from mlops_ci.data import ColumnsRequest, read_predictions
from mlops_ci.records.comparison import Side
from mlops_ci.steps.compare import compare_sides
from mlops_ci.steps.sides import Anchor, Bests, Known, Sides
from tests.unit.data.files import binary, write

FLOOR = Gate(metric="roc_auc", kind="min", limit=0.2)
DROP = Gate(metric="roc_auc", kind="max-drop", limit=0.9)


def known(folder: Path, name: str, seed: int, **more: dict[str, float]) -> Known:
    path = write(folder / f"{name}.csv", binary(400, seed))
    found = read_predictions(path)
    return Known(Side(name=name, predictions_digest=found.digest), found, **more)  # type: ignore[arg-type]


def points(name: str, values: dict[str, float], refused: dict[str, str] | None = None) -> Known:
    return Known(Side(name=name), None, values, refused or {})


def test_a_first_run_judges_floors_alone(tmp_path: Path) -> None:
    head = known(tmp_path, "head", 1)
    found = compare_sides(Sides("m", None, head, [FLOOR, DROP], Policy())).comparison
    assert (found.base, found.verdict, found.blocks) == (None, "pass", False)
    assert [gate.kind for gate in found.gates] == ["min"]
    high = Gate(metric="roc_auc", kind="min", limit=0.999)
    assert compare_sides(Sides("m", None, head, [high], Policy())).comparison.blocks


def test_rows_win_over_numbers_of_the_same_name(tmp_path: Path) -> None:
    sides = Sides(
        "m",
        known(tmp_path, "base", 1, numbers={"roc_auc": 0.0, "cost": 3.0}),
        known(tmp_path, "head", 2, numbers={"roc_auc": 1.0, "cost": 2.0}),
        [DROP],
        Policy(),
    )
    found = compare_sides(sides).comparison
    auc = [one for one in found.metrics if one.metric == "roc_auc"]
    assert [one.evidence for one in auc] == ["paired"]
    assert [one.evidence for one in found.metrics if one.metric == "cost"] == ["point"]
    assert found.verdict == "pass"


SCORED, CLASSES = "scores", "classes alone"
ONE, OTHER = {"model_digest": "sha256:1"}, {"model_digest": "sha256:2"}
KEY, ANOTHER = {"training_key": "sha256:1"}, {"training_key": "sha256:2"}


@pytest.mark.parametrize(
    ("answers", "base", "head", "identical"),
    [
        (CLASSES, ONE, ONE, True),
        (CLASSES, ONE, OTHER, False),
        (CLASSES, {}, {}, False),
        (CLASSES, ONE, {}, False),
        (CLASSES, KEY, KEY, True),  # a DVC project that changes nothing
        (CLASSES, KEY, ANOTHER, False),
        (CLASSES, ONE | KEY, OTHER | KEY, False),
        (SCORED, ONE, ONE, True),
        (SCORED, ONE, OTHER, False),
        (SCORED, {}, {}, True),
        (SCORED, {}, OTHER, True),
        (SCORED, KEY, ANOTHER, True),
    ],
)
def test_equal_answers_do_not_make_two_models_one(
    tmp_path: Path, answers: str, base: dict[str, str], head: dict[str, str], identical: bool
) -> None:
    columns = binary(60, 1)
    if answers == CLASSES:
        columns["prediction"] = [int(score > 0.5) for score in columns.pop("score")]
    asked = ColumnsRequest(task="binary")
    read = [read_predictions(write(tmp_path / f"{name}.csv", columns), asked) for name in "ab"]
    sides = [
        Known(structs.replace(Side(name="m", predictions_digest=one.digest), **digests), one)
        for one, digests in zip(read, (base, head), strict=True)
    ]
    strict = Gate(metric="accuracy", kind="max-drop", limit=0.001)
    found = compare_sides(Sides("m", sides[0], sides[1], [strict], Policy())).comparison
    (accuracy,) = (one for one in found.metrics if one.metric == "accuracy")
    assert accuracy.difference == 0
    assert ((accuracy.low, accuracy.high) == (0, 0)) is identical
    assert found.verdict == ("pass" if identical else "inconclusive")
    assert not found.blocks


def test_equal_predictions_are_a_fact(tmp_path: Path) -> None:
    one = known(tmp_path, "base", 1)
    strict = Gate(metric="roc_auc", kind="max-drop", limit=0.0)
    found = compare_sides(Sides("m", one, one, [strict], Policy())).comparison
    assert found.verdict == "pass"
    other = compare_sides(Sides("m", one, known(tmp_path, "head", 2), [strict], Policy()))
    assert other.comparison.verdict != "pass"


def test_mains_best_is_judged_alike_whether_it_is_base_or_a_file_of_its_own(
    tmp_path: Path,
) -> None:
    base = known(tmp_path, "base", 1, numbers={"cost": 3.0})
    head = known(tmp_path, "head", 2, numbers={"cost": 2.0})
    names = ("roc_auc", "accuracy", "cost")
    gates = [Gate(metric=name, kind="max-drop", limit=0.5, max_total_drop=0.001) for name in names]
    apart = Known(Side(name="best"), read_predictions(tmp_path / "base.csv"))
    of = frozenset((name, None) for name in names)
    bests = [
        Bests((Anchor(anchor, of),))
        for anchor in (apart, Known(Side(name="best"), base.predictions))
    ]
    found = [
        compare_sides(Sides("m", base, head, gates, Policy(), best)).comparison for best in bests
    ]
    creep = [gate.metric for gate in found[0].gates if gate.against == "anchor"]
    assert creep == ["roc_auc", "accuracy"]
    assert found[0].gates == found[1].gates
    assert found[0].notes == found[1].notes


WHY = "it is the text 'x', not a number"


@pytest.mark.parametrize(
    ("base", "head", "gates", "shown"),
    [
        ({"auc": 0.9}, {"name": WHY}, [], {"auc": "head does not have it"}),
        ({"auc": 0.9, "name": 1.0}, {"name": WHY}, [],
         {"auc": "head does not have it", "name": f"head: {WHY}"}),
        ({"auc": 0.9}, {"test.f1": WHY}, ["f1"],
         {"auc": "head does not have it", "test.f1": f"base does not have it; head: {WHY}"}),
        ({"auc": 0.9}, {"test.f1": WHY}, ["test.f1"],
         {"auc": "head does not have it", "test.f1": f"base does not have it; head: {WHY}"}),
        ({"auc": 0.9}, {"auc": "it is nan, not a finite number"}, ["auc"],
         {"auc": "head: it is nan, not a finite number"}),
    ],
)  # fmt: skip
def test_what_is_no_number_is_shown_where_it_matters(
    base: dict[str, float], head: dict[str, str], gates: list[str], shown: dict[str, str]
) -> None:
    asked = [Gate(metric=name, kind="min", limit=0.1) for name in gates]
    sides = Sides("m", points("base", base), points("head", {}, head), asked, Policy())
    found = compare_sides(sides).comparison
    assert {one.metric: one.note for one in found.metrics} == shown
    assert found.verdict == ("inconclusive" if gates else "ungated")
    assert found.blocks is bool(gates)
    assert all(gate.reason == "missing-metric" for gate in found.gates)


def test_a_base_that_was_no_number_blocks_a_drop() -> None:
    drop = Gate(metric="auc", kind="max-drop", limit=0.1, accept="point")
    base = points("base", {}, {"auc": "it is nan, not a finite number"})
    found = compare_sides(Sides("m", base, points("head", {"auc": 0.9}), [drop], Policy()))
    assert found.comparison.blocks


def test_a_gate_on_an_average_is_measured_on_the_rows(tmp_path: Path) -> None:
    """Also where a file gives a number of that name: rows win."""
    gates = [
        Gate(metric="f1_macro", kind="max-drop", limit=0.9),
        Gate(metric="test.f1_weighted", kind="min", limit=0.1, accept="point"),
    ]
    numbers = {"f1_macro": 0.0, "test.f1_weighted": 0.5}
    sides = [known(tmp_path, name, seed, numbers=numbers) for name, seed in (("b", 1), ("h", 2))]
    found = compare_sides(Sides("m", sides[0], sides[1], gates, Policy())).comparison
    assert [(gate.metric, gate.verdict, gate.evidence) for gate in found.gates] == [
        ("f1_macro", "pass", "paired"),
        ("test.f1_weighted", "pass", "point"),
    ]


def test_a_ranking_without_queries_leaves_the_number(tmp_path: Path) -> None:
    gate = Gate(metric="ndcg", kind="min", limit=0.1, accept="point")
    one, other = (
        known(tmp_path, name, seed, numbers={"ndcg": 0.5}) for name, seed in (("b", 1), ("h", 2))
    )
    found = compare_sides(Sides("m", one, other, [gate], Policy())).comparison
    assert [(one.verdict, one.evidence) for one in found.gates] == [("pass", "point")]


def test_a_column_of_values_is_judged_like_a_metric(tmp_path: Path) -> None:
    request = ColumnsRequest(values={"judge": True})
    sides = []
    for name, gap in (("base", 0.0), ("head", 0.5)):
        columns = binary(400, 1) | {"judge": [gap + (n % 7) / 10 for n in range(400)]}
        found = read_predictions(write(tmp_path / f"{name}.csv", columns), request)
        sides.append(Known(Side(name=name, predictions_digest=found.digest), found))
    gates = [
        Gate(metric="judge", kind="max-drop", limit=0.01),
        Gate(metric="judge", kind="min", limit=2.0),
    ]
    judged = compare_sides(Sides("m", sides[0], sides[1], gates, Policy())).comparison
    assert [(gate.verdict, gate.evidence) for gate in judged.gates] == [
        ("pass", "paired"),
        ("fail", "paired"),
    ]
